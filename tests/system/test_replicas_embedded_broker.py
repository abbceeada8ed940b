"""Real replicas of the detector on the embedded broker, which serves them in time when nothing else runs."""

import pytest

pytest.importorskip("amqtt")

from detector_replicas import tell_the_story_of_two_replicas

from brakepoint.services import ServiceSettings
from brakepoint.services.supervisor import Supervisor

pytestmark = [pytest.mark.live, pytest.mark.alone]


def test_two_replicas_share_the_trains_and_stand_in_for_each_other() -> None:
    with Supervisor(ServiceSettings(), (), lambda *_: None) as broker:
        tell_the_story_of_two_replicas(6, broker.settings.broker)
