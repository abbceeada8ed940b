"""Real replicas of the detector on Mosquitto, with the detector's rights on the cluster."""

import subprocess
from pathlib import Path

import pytest
from detector_replicas import tell_the_story_of_two_replicas

from benchmarks.brokers import running_mosquitto
from brakepoint.sockets import LOCALHOST, free_port

pytestmark = [pytest.mark.live, pytest.mark.alone]

BASE = Path(__file__).parents[2] / "deploy" / "base"
EVERYTHING = "\nuser trains\ntopic readwrite brakepoint/#\n"


def test_two_replicas_share_twenty_trains_and_stand_in_for_each_other(tmp_path: Path) -> None:
    passwords, port = tmp_path / "passwords", free_port()
    passwords.touch(mode=0o600)
    for user in ("detector", "trains"):
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, "secret"], check=True)
    (tmp_path / "acl").write_text((BASE / "acl").read_text("utf-8") + EVERYTHING, encoding="utf-8")
    settings = (BASE / "mosquitto.conf").read_text("utf-8")
    for theirs, ours in (
        ("listener 1883", f"user root\nlistener {port}"),
        ("/mosquitto/users", str(tmp_path)),
        ("/mosquitto/config", str(tmp_path)),
    ):
        settings = settings.replace(theirs, ours)

    with running_mosquitto(tmp_path, settings, port):
        trains, detectors = (f"mqtt://{user}:secret@{LOCALHOST}:{port}" for user in ("trains", "detector"))
        tell_the_story_of_two_replicas(20, trains, detectors)
