"""An owner who calibrates a train that differs from the kit's assumptions; BlueZ and clock are simulated."""

import builtins
import itertools
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from emulated_hub import PATIENT, EmulatedHub
from patience import PATIENCE_S

from brakepoint.cli import camera as camera_command
from brakepoint.cli import hub as hub_command
from brakepoint.locomotive import Motion
from brakepoint.messages import Detections, Frame, Order, TrainState
from brakepoint.scenery.scenario import Scenario
from brakepoint.train_file import RECORDED, chosen_train
from hardware.ble_hub import BluetoothHub
from hardware.heartbeat import Heartbeat
from hardware.lwp3 import BRAKE, Port
from hardware.rehearsal import marks
from hardware.simulation import Lookout, TrueTrain, World, straight

BENCH = marks(60.0)


class SteadyHub:
    """A hub on a virtual clock: time advances when the radio has delivered an order."""

    is_simulated = False

    def __init__(self, hub: BluetoothHub, emulated: EmulatedHub, train: TrueTrain) -> None:
        self._hub, self._emulated, self._train = hub, emulated, train
        self.fit = hub.fit

    @property
    def volts(self) -> float | None:
        return self._hub.volts

    def apply(self, order: Order) -> None:
        self._hub.apply(order)
        self._settle()

    def state(self, now: float) -> TrainState:
        self._train.at(now)
        state = self._hub.state(now)
        self._settle()
        return state

    def close(self) -> None:
        self._hub.close()

    def _settle(self) -> None:
        assert self._hub.wait_until_settled(PATIENCE_S)
        self._train.motor = self._emulated.values.get(Port.A, BRAKE)


class SimulatedCamera:
    """The true train's camera; its pictures are noise, and `detect` knows what they would show."""

    size_px = (RECORDED.width_px, RECORDED.height_px)

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        eye = chosen_train().camera
        focal_px = eye.focal_px if eye else RECORDED.focal_px
        self._lookout = Lookout(desk.scene, desk.world, focal_px, desk.seed)
        self._noise = np.random.default_rng(0)
        desk.cameras.append(self)

    def read(self, state: TrainState) -> Frame:
        image = self._noise.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        return Frame(0, state.at, float("nan"), image)

    def close(self) -> None: ...

    def detect(self, frame: Frame) -> Detections:
        self._lookout.scenario = self._desk.scene
        return self._lookout.look(self._desk.train.pictured_at_cm(frame.captured_at), frame.captured_at)


class Desk:
    """The owner's table: the true train, its hub and camera, the plates, and the owner who answers."""

    def __init__(self, world: World, emulated: EmulatedHub, folder, seed: int = 1) -> None:
        self.world, self.emulated, self.seed = world, emulated, seed
        self._folder = folder
        self.train = TrueTrain(world)
        self.train.at(0.0)
        self.scene: Scenario = straight(BENCH)
        self.cameras: list[SimulatedCamera] = []
        self.now = 0.0
        self.answers: Iterator[str] = iter(())
        self._wants_back, self._is_back = threading.Event(), threading.Event()

    def open_hub(self, uri: str = "ble:") -> SteadyHub:
        drive = chosen_train(uri).drive
        heartbeat = Heartbeat(self._folder / "beat")
        hub = BluetoothHub(out=None, limits=replace(PATIENT), heartbeat=heartbeat, drive=drive)
        return SteadyHub(hub, self.emulated, self.train)

    def answer(self, prompt: str = "") -> str:
        """The owner's answer; first they put the train or the plate at the requested place."""
        self._put_back()
        typed = next(self.answers)
        if typed.replace(".", "").isdigit():
            self.scene = straight({"danger-train": float(typed)})
        else:
            self.scene = straight(BENCH)
        return typed

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self._wants_back.is_set():
            self._rest()
            self._wants_back.clear()
            self._is_back.set()

    def _put_back(self) -> None:
        """Puts the train at the start, in the thread in which time passes."""
        if threading.current_thread() is threading.main_thread():
            self._rest()
            return
        self._is_back.clear()
        self._wants_back.set()
        assert self._is_back.wait(PATIENCE_S)

    def _rest(self) -> None:
        self.train.motion = Motion()
        for _ in range(2):  # The pictures, too, show a train that is at rest.
            self.train.at(self.now)
            self.now += 1.0

    def hold_a_stopwatch(self, monkeypatch) -> None:
        """Makes the owner press a key when the train passes the marks, and measure where it rests."""
        passes, noted = threading.Semaphore(0), threading.Event()
        to_pass: list[float] = []
        is_measured = itertools.cycle((False, True))

        class Presses(queue.SimpleQueue):
            def put(self, item, block=True, timeout=None) -> None:
                super().put(item)
                noted.set()

        def sleep(seconds: float) -> None:
            self.sleep(seconds)
            if to_pass and self.train.motion.position_cm >= to_pass[0]:
                to_pass.pop(0)
                noted.clear()
                passes.release()
                assert noted.wait(PATIENCE_S)

        def answer(prompt: str = "") -> str:
            if threading.current_thread().name == "presses":
                assert passes.acquire(timeout=PATIENCE_S)
                return ""
            if next(is_measured):
                return f"{self.train.motion.position_cm - max(BENCH.values()):.1f}"
            self._put_back()
            to_pass[:] = BENCH.values()
            return ""

        monkeypatch.setattr(hub_command, "queue", SimpleNamespace(SimpleQueue=Presses, Empty=queue.Empty))
        monkeypatch.setattr(hub_command.time, "sleep", sleep)
        monkeypatch.setattr(builtins, "input", answer)

    def sit_down(self, monkeypatch, answers: list[str]) -> None:
        """Makes the commands use this table instead of a real one."""
        self.answers = iter(answers)
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep, strftime=time.strftime)
        for command in (camera_command, hub_command):
            monkeypatch.setattr(command, "time", clock)
            monkeypatch.setattr(command, "open_camera", lambda uri: SimulatedCamera(self))
            monkeypatch.setattr(command, "load_detector", lambda path: self.cameras[-1])
        monkeypatch.setattr(hub_command, "open_hub", self.open_hub)
        monkeypatch.setattr(builtins, "input", self.answer)
