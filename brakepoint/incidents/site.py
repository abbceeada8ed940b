"""The train of an incident as it is set up: a folder with its settings, its models and its autopilots."""

import hashlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brakepoint.course import find_step
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.mission.fitted import fitted
from brakepoint.mission.loop import Step
from brakepoint.models import BASE_MODEL, SHIPPED_MODEL
from brakepoint.train_file import RECORDED, Eye, TrainFile, load_train
from brakepoint.validation import first_fault
from brakepoint.workshop.labs import REPLACE, filled, solved

SETUP_FILE, TRAIN_FILE = "site.toml", "train.toml"
SHUTTER_MS = 16.0
"""The shutter time at which the recorded pictures are as bright as they are."""
CONFIDENCE = 0.5
MEMORY_MB = 2048.0
LEFT_OUT = "braking"
"""The exercise of step 6 that yesterday's autopilot lacks."""
NAMES = (b"{0: 'DangerAhead', 1: 'SpeedLimit'}", b"{0: 'SpeedLimit', 1: 'DangerAhead'}")
"""What a model says of its classes, as ultralytics writes it: right, and the other way round."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Lens(_Section):
    """How the camera is set.

    Attributes:
        shutter_ms: How long a picture is exposed.
        turned_deg: By how much pictures are turned, since the camera may be mounted upside down.
        buffers: How many pictures are waiting between camera and reader, the newest included.
    """

    shutter_ms: float = Field(default=SHUTTER_MS, gt=0, le=1000)
    turned_deg: Literal[0, 180] = 0
    buffers: int = Field(default=1, ge=1, le=60)


class Looking(_Section):
    """What the detector works with.

    Attributes:
        model: Name of a file of `models/`, without `.onnx`.
        confidence: Detections less sure are dropped.
        memory_mb: Beyond this much memory its process is ended.
    """

    model: str = Field(pattern=r"^[\w-]+$")
    confidence: float = Field(default=CONFIDENCE, gt=0, lt=1)
    memory_mb: float = Field(default=MEMORY_MB, ge=1)


class Clocks(_Section):
    """By how many seconds the clock of each machine is ahead of the train's."""

    capture: float = 0.0
    detector: float = 0.0
    autopilot: float = 0.0
    controller: float = 0.0


class Rights(_Section):
    """What the broker lets each service publish, by the names of topics; its status anybody may."""

    capture: tuple[str, ...] = ("frame",)
    detector: tuple[str, ...] = ("detections",)
    autopilot: tuple[str, ...] = ("order",)
    controller: tuple[str, ...] = ("state", "mission", "event")


class Setup(_Section):
    """What `site.toml` says.

    Attributes:
        feed: What is driven.
        autopilot: Name of a file of `autopilots/`, without `.py`.
        camera: The camera.
        detector: The detector.
        clocks: The clocks of the machines.
        rights: What each service may publish.
    """

    feed: str = "track-stop-and-slowdown"
    autopilot: str = Field(pattern=r"^[\w-]+$")
    camera: Lens = Lens()
    detector: Looking
    clocks: Clocks = Clocks()
    rights: Rights = Rights()


@dataclass(frozen=True)
class Site:
    """A train as it is set up.

    Attributes:
        folder: Where its files are.
        setup: What `site.toml` says.
        train: What `train.toml` says.
    """

    folder: Path
    setup: Setup
    train: TrainFile

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads the files as they are now.

        Raises:
            UserError: One is missing, or says something that cannot be.
        """
        path = folder / SETUP_FILE
        try:
            setup = Setup.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        except ValidationError as error:
            raise UserError("incident.error.setup", path=path, why=first_fault(error)) from error
        except (OSError, ValueError) as error:
            raise UserError("incident.error.setup", path=path, why=error) from error
        return cls(folder, setup, load_train(folder / TRAIN_FILE))

    def save(self) -> None:
        """Writes both settings files."""
        write_whole(self.folder / SETUP_FILE, "\n".join(_toml(self.setup)).encode())
        self.train.write(self.folder / TRAIN_FILE, "brakepoint camera calibrate")

    def changed(self, section: str, **values: Any) -> "Site":
        """The site with other values in one section of `site.toml`."""
        # Built up new rather than copied, so that the values are looked at.
        sections = self.setup.model_dump()
        sections[section] |= values
        return replace(self, setup=Setup.model_validate(sections))

    def driven_by(self, autopilot: str) -> "Site":
        """The site with another autopilot."""
        return replace(self, setup=self.setup.model_copy(update={"autopilot": autopilot}))

    @property
    def eye(self) -> Eye:
        """The camera as `train.toml` describes it."""
        return self.train.camera or Eye()

    @property
    def zoom(self) -> float:
        """By how much pictures are magnified so that they look like recorded ones, as with every real camera.

        They do if the focal length is right; that of the mounted camera is the recorded camera's.
        """
        return RECORDED.focal_px / self.eye.focal_px

    @property
    def model(self) -> Path:
        """The model that is served.

        Raises:
            UserError: There is no such file.
        """
        return self._there("models", f"{self.setup.detector.model}.onnx")

    @property
    def step(self) -> Step:
        """The autopilot that drives, fitted to the camera as `train.toml` describes it.

        Raises:
            UserError: There is no such file, or it does not load.
        """
        path = self._there("autopilots", f"{self.setup.autopilot}.py")
        # By its place, and not from `solutions`: which of the two drives is part of the riddle.
        spec = importlib.util.spec_from_file_location(f"autopilot_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        try:
            sys.modules[spec.name] = module  # Dataclasses look their module up there.
            spec.loader.exec_module(module)
            step: Step = module.step
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise UserError("incident.error.autopilot", path=path, why=why) from error
        return fitted(step, self.eye)

    def _there(self, folder: str, name: str) -> Path:
        path = self.folder / folder / name
        if not path.is_file():
            there = ", ".join(sorted(file.stem for file in path.parent.glob(f"*{path.suffix}")))
            raise UserError("incident.error.missing", path=path, there=there)
        return path


def healthy_site(folder: Path) -> Site:
    """Lays out a train that is as it should be, with older models and an older autopilot beside.

    Args:
        folder: Where; what other files are in it stays.
    """
    for place, contents, suffix in (
        ("models", (good_model(), stale_model(), swapped_model()), ".onnx"),
        ("autopilots", (good_autopilot(), old_autopilot()), ".py"),
    ):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for content in contents:
            write_whole(folder / place / f"{name_of(content)}{suffix}", content)
    setup = Setup(autopilot=name_of(good_autopilot()), detector=Looking(model=name_of(good_model())))
    site = Site(folder, setup, TrainFile(camera=Eye()))
    site.save()
    return site


def name_of(content: bytes) -> str:
    """What a file with this content is called: its name says nothing of it."""
    return hashlib.sha256(content).hexdigest()[:10]


def good_model() -> bytes:
    """The model that comes with the kit."""
    return SHIPPED_MODEL.read_bytes()


def stale_model() -> bytes:
    """The model before fine-tuning, which knows the signs of the road."""
    return BASE_MODEL.read_bytes()


def swapped_model() -> bytes:
    """The good model with the names of its classes exchanged; both spellings are of one length."""
    right, wrong = NAMES
    return good_model().replace(right, wrong)


def good_autopilot() -> bytes:
    """The kit's own."""
    return filled(find_step("6"), solved(find_step("6"))).encode()


def old_autopilot() -> bytes:
    """The same without one exercise, and without the mark that says where."""
    code = {name: lines for name, lines in solved(find_step("6")).items() if name != LEFT_OUT}
    return filled(find_step("6"), code).replace(REPLACE, "").encode()


def _toml(setup: Setup) -> Iterator[str]:
    values = setup.model_dump()
    sections = {name: value for name, value in values.items() if isinstance(value, dict)}
    for name, value in values.items():
        if name not in sections:
            yield f"{name} = {json.dumps(value)}"
    for name, section in sections.items():
        yield f"\n[{name}]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in section.items())
    yield ""
