"""The replicas of one detector share its trains.

All replicas of a Deployment have the same settings. Each tells the others once a second that it is there, and
all of them compute the same share of each from the names that they hear. So no broker needs to know of it,
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
"""A replica that was not heard for this long, although it would have been, is gone.

If its machine is lost, its last will comes later: a broker waits for one and a half times `KEEPALIVE_S`.
"""
PAUSE_S = 2.5 * HEARTBEAT_S
"""A longer time without its own heartbeat means that the broker was away, or this machine slept."""
INTRODUCTION_S = 0.3
"""How long a new replica waits for the answers of the others, once it hears itself."""
UNHEARD_S = 1.5
"""After this long without hearing itself it works alone: there is no broker yet, or the right is missing."""
NAME_DIGITS = 8


def shares(trains: Iterable[str], replicas: Iterable[str]) -> dict[str, str]:
    """The replica of each train: rendezvous hashing, with a limit on the load.

    Every train goes to the replica with the lowest hash of both names that has not got its share of the
    trains yet. So the shares are equal, as far as the number of trains allows, and when a replica comes or
    goes hardly any train moves but its own: with one other replica none, with several one or two.

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
    """Knows which replicas there are, and so which trains are this one's.

    Args:
        bus: The replica's own connection, as `join` makes it.
        trains: Names of all trains.
        clock: Seconds by a clock that is never set.

    Attributes:
        is_ready: Whether this one takes part in the work.
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
        """The trains of this replica, after whatever is heard of the others.

        As long as no replica is ready, those that are starting share the trains, and say so.

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
            return  # It serves other trains.
        if name == self._own:
            self._hear_itself(now)
        elif status.health is Health.GONE:
            self._others.pop(name, None)
        else:
            if name not in self._others:
                self._bus.beat(now=True)  # The new one must know at once who else is there.
            self._others[name], self._heard_at[name] = status.health, now

    def _hear_itself(self, now: float) -> None:
        """Only while it hears itself does the silence of another mean anything."""
        self._first_echo_at = min(self._first_echo_at, now)
        if now - self._echo_at > PAUSE_S:
            self._heard_at = dict.fromkeys(self._others, now)
        self._echo_at = now
        for name in [name for name in self._others if now - self._heard_at[name] > SILENT_AFTER_S]:
            del self._others[name]


def join(settings: ServiceSettings, service: str) -> Replicas:
    """Joins the other replicas, in the namespace of the first train.

    Args:
        settings: Those of the service. Only those with the same trains are replicas of each other.
        service: Name of the service.
    """
    trains = settings.of_each_train
    names = [train.train_id for train in trains]
    of_trains = hashlib.sha256(" ".join(names).encode()).hexdigest()
    name = f"{service}-{of_trains[:NAME_DIGITS]}-{uuid.uuid4().hex[:NAME_DIGITS]}"
    return Replicas(Bus(trains[0], name, (REPLICA,), health_on=REPLICA), names)
