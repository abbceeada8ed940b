"""Real replicas of a detector, and trains whose frames they answer, on whichever broker a test starts."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

import cv2
import numpy as np
from patience import PATIENCE_S

from brakepoint.messages import Health, Picture
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.topics import DETECTIONS, PICTURE, QUEUE, STATUS
from brakepoint.systems import LIFELINE_VARIABLE

ANSWERS = replace(DETECTIONS, keep=QUEUE)
SERVES = re.compile(r"replicas: (\d+); this replica serves: (.*)")
NOISE = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
JPEG = cv2.imencode(".jpg", NOISE)[1].tobytes()


class Replica:
    """One process of the detector.

    Attributes:
        trains: The trains that it says it serves; None before its first report.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.trains: set[str] | None = None
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "brakepoint", "service", "detector"],
            env={
                **os.environ,
                **settings.environment(),
                LIFELINE_VARIABLE: "1",
                "BRAKEPOINT_LANG": "en",
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if found := SERVES.search(line):
                self.trains = {*found[2].strip().split(", ")} - {"–"}

    def kill(self) -> None:
        """Kills the process without a farewell, and waits until it is dead."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stops the process as Kubernetes does."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def end(self) -> None:
        """Kills the process if it still runs, and closes its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Trains:
    """The trains' side: sends frames and collects the answers.

    Args:
        many: Number of trains.
        broker: The broker, with a login that may do everything.
        detectors: The same broker with the detector's login; by default the login of `broker`.

    Attributes:
        names: Names of the trains.
        answers: Number of each answered frame, by train, in the order of arrival.
        gone: How often the detector of a train was reported as gone.
    """

    def __init__(self, many: int, broker: str, detectors: str = "") -> None:
        self.names = tuple(f"train-{number}" for number in range(1, many + 1))
        self._settings = ServiceSettings(broker=broker, train_id=",".join(self.names), detector="oracle")
        self._detectors = replace(self._settings, broker=detectors or broker)
        self.answers: dict[str, list[int]] = defaultdict(list)
        self.gone = 0
        self._number = 0
        self._replicas: list[Replica] = []
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._buses = {
            each.train_id: self._opened.enter_context(Bus(each, "", (ANSWERS, STATUS)))
            for each in self._settings.of_each_train
        }
        self.await_that(lambda: all(bus.is_connected for bus in self._buses.values()))
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def replica(self) -> Replica:
        """Starts a replica; it ends with the context."""
        started = Replica(self._detectors)
        self._replicas.append(started)
        self._opened.callback(started.end)
        return started

    def send(self, *trains: str) -> int:
        """Sends a frame from each of these trains; returns the frame's number."""
        self._number += 1
        for train in trains:
            self._buses[train].say(PICTURE, Picture(self._number, CLOCK.now(), 30.0, 0, JPEG))
        return self._number

    def listen(self) -> None:
        """Collects what has arrived."""
        for train, bus in self._buses.items():
            while (seen := bus.take(ANSWERS)) is not None:
                self.answers[train].append(seen.frame_id)
            while (status := bus.take(STATUS)) is not None:
                self.gone += status.service == "detector" and status.health is Health.GONE

    def are_answered(self, *trains: str, within_s: float = PATIENCE_S) -> bool:
        """Sends one frame from each of these trains, and returns whether all are answered in time."""
        number = self.send(*trains)
        until = time.monotonic() + within_s
        while not all(number in self.answers[train] for train in trains):
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
            self.listen()
        return True

    def await_that(self, condition: Callable[[], bool]) -> None:
        """Waits until a condition holds; the output of the replicas explains why it does not."""
        until = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until, [replica.said for replica in self._replicas]
            time.sleep(0.01)

    def await_shares(self, *replicas: Replica) -> None:
        """Waits until these report equal shares of the trains, and the frames of all trains are answered."""

        def have_all() -> bool:
            shares = [replica.trains or set() for replica in replicas]
            are_equal = {len(share) for share in shares} == {len(self.names) // len(replicas)}
            return are_equal and set().union(*shares) == set(self.names)

        self.await_that(have_all)
        self.await_that(lambda: self.are_answered(*self.names, within_s=1.0))

    def check_rounds(self, rounds: int, *trains: str) -> None:
        """Sends frames, one after the other, and asserts that each is answered once and in order."""
        first = self._number + 1
        for _ in range(rounds):
            assert self.are_answered(*trains), self.answers
        self.are_answered(*trains)  # Any second answer to a frame has arrived by now.
        for train in trains:
            answered = [number for number in self.answers[train] if number >= first]
            assert answered == list(range(first, self._number + 1))


def tell_the_story_of_two_replicas(many: int, broker: str, detectors: str = "") -> None:
    """Two replicas share trains, one is killed, one joins, one is stopped: each frame is answered once."""
    with Trains(many, broker, detectors) as trains:
        one, two = trains.replica(), trains.replica()
        trains.await_shares(one, two)
        assert one.trains is not None and two.trains is not None
        trains.check_rounds(10, *trains.names)
        assert trains.gone == 0, "handing a train over is no reason to say that its detector is gone"

        left_alone = two.trains  # Before it takes over the others.
        one.kill()
        trains.check_rounds(20, *left_alone)
        trains.await_shares(two)
        trains.check_rounds(5, *trains.names)
        trains.gone = 0

        three = trains.replica()
        trains.await_shares(two, three)
        trains.check_rounds(5, *trains.names)
        three.stop()
        trains.await_shares(two)
        trains.check_rounds(5, *trains.names)
        assert trains.gone == 0
