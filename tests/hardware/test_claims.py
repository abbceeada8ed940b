"""Only one driver at a time has a hub or a heartbeat file."""

import socket

import pytest

from brakepoint.errors import UserError
from brakepoint.systems import LINUX
from hardware.claims import claim, release

pytestmark = pytest.mark.skipif(not LINUX, reason="the names are those of Linux")


def test_a_refused_claim_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []

    class Recorded(socket.socket):
        def __init__(self, family: int) -> None:
            super().__init__(family)
            made.append(self)

    monkeypatch.setattr(socket, "socket", Recorded)
    held = [claim("90:84:2B:00:00:01", "driven")]

    with pytest.raises(UserError) as refused:
        claim("90:84:2B:00:00:01", "driven")

    assert refused.value.key == "hub.error.driven"
    assert [one.fileno() == -1 for one in made] == [False, True]
    release(held)
    assert held == []
    assert made[0].fileno() == -1


def test_what_was_given_up_can_be_claimed_again_and_other_things_at_the_same_time() -> None:
    held = [claim("one", "driven"), claim("another", "watched")]
    release(held)

    again = [claim("one", "driven")]
    release(again)
