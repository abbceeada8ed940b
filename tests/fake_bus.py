"""A broker that only records messages, so that one service can be tested alone."""

from collections import defaultdict
from typing import Any

from brakepoint.services.topics import Topic


class FakeBus:
    """Replaces `Bus`: delivers the messages of a test once, and records those that are published.

    Attributes:
        said: Each message with the name of its topic.
        events: The kinds of the reported events.
        refused: The names of the topics on which a message was refused.
        reports: Reports about other services.
        worked: How often work was done.
        latency: The latency in the last heartbeat.
        beats: Whether it is time for a heartbeat at every turn, or never.
        is_connected: Whether the broker is there.
        is_thrown_out: Whether another client has taken this client's name.
    """

    train_id = "test"

    def __init__(self, service: str = "") -> None:
        self.service = service
        self._brought: dict[str, list[Any]] = defaultdict(list)
        self.said: list[tuple[str, Any]] = []
        self.events: list[Any] = []
        self.refused: list[str] = []
        self.reports: list[Any] = []
        self.worked, self.latency, self.beats, self.is_ready = 0, None, True, False
        self.is_connected, self.is_thrown_out = True, False

    def bring(self, topic: Topic[Any], *messages: Any) -> None:
        """Adds messages to be received next."""
        self._brought[topic.name] += messages

    def said_of(self, topic: Topic[Any]) -> list[Any]:
        """The messages published on a topic."""
        return [message for name, message in self.said if name == topic.name]

    def has(self, topic: Topic[Any], timeout_s: float = 0.0) -> bool:
        return bool(self._brought[topic.name])

    def take(self, topic: Topic[Any], timeout_s: float = 0.0) -> Any:
        waiting = self._brought[topic.name]
        return waiting.pop(0) if waiting else None

    def say(self, topic: Topic[Any], message: Any) -> None:
        self.said.append((topic.name, message))

    say_bytes = say

    def tell_event(self, kind: Any, /, **values: Any) -> None:
        self.events.append(kind)

    def refuse(self, topic: Topic[Any]) -> None:
        self.refused.append(topic.name)

    def work(self) -> None:
        self.worked += 1

    def ready(self) -> None:
        self.is_ready = True

    def beat(self, latency: Any = None) -> bool:
        self.latency = latency
        return self.beats

    def report(self, status: Any) -> None:
        self.reports.append(status)


def fake_bus(service: str = "") -> Any:
    """A `FakeBus` with the type of a `Bus`."""
    return FakeBus(service)
