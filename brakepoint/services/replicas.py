"""The replicas of one detector share its trains.

All replicas of a Deployment have the same settings. Each announces itself to the others once a second, and
each computes the same shares from the names that it hears. Therefore the broker need not support sharing,
each train has one replica, and the order of its frames is kept.
"""

import hashlib
import math
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import product
from typing import Self

from brakepoint.messages import Health, Status
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import HEARTBEAT_S, Bus
from brakepoint.services.topics import REPLICA

SILENT_AFTER_S = 5.0
"""A replica that has not been heard for this long, although the broker delivers messages, is gone.

If a replica's machine is lost, its last will comes later: a broker waits for one and a half times
`KEEPALIVE_S`.
"""
PAUSE_S = 2.5 * HEARTBEAT_S
"""A longer time without its own heartbeat means that the replica's machine slept or the broker was down."""
INTRODUCTION_S = 0.3
"""How long a new replica waits for the answers of the others once it hears its own heartbeat."""
UNHEARD_S = 1.5
"""After this long without its own heartbeat, a replica works alone: the broker or a permission is missing."""
NAME_DIGITS = 8


def shares(trains: Iterable[str], replicas: Iterable[str]) -> dict[str, str]:
    """The replica of each train: rendezvous hashing, with a limit on the load.

    Of the replicas that do not have their full share of the trains yet, each train goes to the one with the
    lowest hash of both names. So the shares are as equal as the number of trains allows. When a replica comes
    or goes, hardly any train moves except the replica's own: with one other replica none, with several one or
    two.

    Args:
        trains: Names of the trains.
        replicas: Names of the replicas, at least one, in any order.
    """
    trains, replicas = set(trains), set(replicas)
    most = math.ceil(len(trains) / len(replicas))
    found: dict[str, str] = {}
    load: Counter[str] = Counter()
    for train, replica in sorted(product(trains, replicas), key=_hash):
        if train not in found and load[replica] < most:
            found[train] = replica
            load[replica] += 1
    return found


def _hash(pair: tuple[str, str]) -> bytes:
    return hashlib.sha256(" ".join(pair).encode()).digest()


class Replicas:
    """Knows which replicas there are, and therefore which trains this one must serve.

    Args:
        bus: The replica's own connection, as `join` makes it.
        trains: Names of all trains.
        clock: Seconds by a clock that is never set.

    Attributes:
        is_ready: Whether this replica takes part in the work.
    """

    def __init__(self, bus: Bus, trains: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._bus, self._trains, self._clock = bus, tuple(trains), clock
        self._own, self.is_ready = bus.service, False
        self._others: dict[str, Health] = {}
        self._heard_at: dict[str, float] = {}
        self._joined_at, self._first_echo_at, self._echo_at = clock(), math.inf, -math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bus.close()

    @property
    def others(self) -> int:
        """Number of the other replicas."""
        return len(self._others)

    def ready(self) -> None:
        """Takes part in the work from now on."""
        self.is_ready = True
        self._bus.ready()

    def share(self, wait_s: float) -> set[str]:
        """The trains of this replica, after processing the news from the others.

        As long as no replica is ready, those that are starting share the trains, to report that they are
        starting.

        Args:
            wait_s: How long to wait for news.
        """
        status = self._bus.take(REPLICA, wait_s)
        while status is not None:
            self._hear(status)
            status = self._bus.take(REPLICA)
        self._bus.beat()
        now = self._clock()
        if now < min(self._first_echo_at + INTRODUCTION_S, self._joined_at + UNHEARD_S):
            return set()
        ready = {name for name, health in self._others.items() if health is Health.READY}
        at_work = ready | {self._own} if self.is_ready else ready or {*self._others, self._own}
        return {train for train, replica in shares(self._trains, at_work).items() if replica == self._own}

    def _hear(self, status: Status) -> None:
        now, name = self._clock(), status.service
        if name.rpartition("-")[0] != self._own.rpartition("-")[0]:
            return  # That replica serves other trains.
        if name == self._own:
            self._hear_itself(now)
        elif status.health is Health.GONE:
            self._others.pop(name, None)
        else:
            if name not in self._others:
                self._bus.beat(now=True)  # The new replica must know at once which others there are.
            self._others[name], self._heard_at[name] = status.health, now

    def _hear_itself(self, now: float) -> None:
        """Removes silent replicas; their silence means something only while this replica hears itself."""
        self._first_echo_at = min(self._first_echo_at, now)
        if now - self._echo_at > PAUSE_S:
            self._heard_at = dict.fromkeys(self._others, now)
        self._echo_at = now
        for name in [name for name in self._others if now - self._heard_at[name] > SILENT_AFTER_S]:
            del self._others[name]


def join(settings: ServiceSettings, service: str) -> Replicas:
    """Joins the other replicas, in the namespace of the first train.

    Args:
        settings: Settings of the service. Only services with the same trains are replicas of each other.
        service: Name of the service.
    """
    trains = settings.of_each_train
    names = [train.train_id for train in trains]
    of_trains = hashlib.sha256(" ".join(names).encode()).hexdigest()
    name = f"{service}-{of_trains[:NAME_DIGITS]}-{uuid.uuid4().hex[:NAME_DIGITS]}"
    return Replicas(Bus(trains[0], name, (REPLICA,), health_on=REPLICA), names)
