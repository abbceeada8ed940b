"""The stage of the drill leaves nothing behind."""

from collections.abc import Callable
from typing import Any

import pytest

from brakepoint.services import ServiceSettings, faults


class Part:
    """A service, a connection or a link that notes when it ends."""

    settings = ServiceSettings(link="127.0.0.1:1883")

    def __init__(self, name: str, ended: list[str]) -> None:
        self._name, self._ended = name, ended

    def __enter__(self) -> "Part":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._ended.append(self._name)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has ended, in order."""
    ended: list[str] = []

    def part(name: str) -> Callable[..., Any]:
        return lambda *_: Part(name, ended)

    for name in ("Supervisor", "Bus", "Link"):
        monkeypatch.setattr(faults, name, part(name))
    return ended


def test_all_that_was_begun_ends_with_it(ended: list[str]) -> None:
    with faults.Stage(ServiceSettings()):
        assert ended == []
    assert ended == ["Link", "Bus", "Supervisor"]


def test_what_was_begun_ends_when_the_rest_cannot_begin(
    ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(faults, "Link", broken)
    with pytest.raises(OSError), faults.Stage(ServiceSettings()):
        pytest.fail("it has not begun")
    assert ended == ["Bus", "Supervisor"]
