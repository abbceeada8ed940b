"""The setup of an incident's train: a folder with its settings, its models and its autopilots."""

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
"""The shutter time with which the pictures were recorded."""
CONFIDENCE = 0.5
MEMORY_MB = 2048.0
LEFT_OUT = "braking"
"""The exercise of step 6 that yesterday's autopilot lacks."""
NAMES = (b"{0: 'DangerAhead', 1: 'SpeedLimit'}", b"{0: 'SpeedLimit', 1: 'DangerAhead'}")
"""A model's class names, in the format of ultralytics: correct, and swapped."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Lens(_Section):
    """The camera's settings.

    Attributes:
        shutter_ms: Exposure time of a picture.
        turned_deg: Rotation of the pictures, as for a camera that is mounted upside down.
        buffers: Number of pictures waiting between camera and reader, including the newest.
    """

    shutter_ms: float = Field(default=SHUTTER_MS, gt=0, le=1000)
    turned_deg: Literal[0, 180] = 0
    buffers: int = Field(default=1, ge=1, le=60)


class Looking(_Section):
    """The detector's settings.

    Attributes:
        model: Name of a file in `models/`, without `.onnx`.
        confidence: Detections below this confidence are dropped.
        memory_mb: The detector's process is killed when it uses more memory than this.
    """

    model: str = Field(pattern=r"^[\w-]+$")
    confidence: float = Field(default=CONFIDENCE, gt=0, lt=1)
    memory_mb: float = Field(default=MEMORY_MB, ge=1)


class Clocks(_Section):
    """By how many seconds each machine's clock is ahead of the train's clock."""

    capture: float = 0.0
    detector: float = 0.0
    autopilot: float = 0.0
    controller: float = 0.0


class Rights(_Section):
    """Topics that the broker lets each service publish to, besides its status."""

    capture: tuple[str, ...] = ("frame",)
    detector: tuple[str, ...] = ("detections",)
    autopilot: tuple[str, ...] = ("order",)
    controller: tuple[str, ...] = ("state", "mission", "event")


class Setup(_Section):
    """The contents of `site.toml`.

    Attributes:
        feed: The feed to drive.
        autopilot: Name of a file in `autopilots/`, without `.py`.
        camera: The camera.
        detector: The detector.
        clocks: The clocks of the machines.
        rights: The topics to which each service may publish.
    """

    feed: str = "track-stop-and-slowdown"
    autopilot: str = Field(pattern=r"^[\w-]+$")
    camera: Lens = Lens()
    detector: Looking
    clocks: Clocks = Clocks()
    rights: Rights = Rights()


@dataclass(frozen=True)
class Site:
    """The setup of a train.

    Attributes:
        folder: Where the train's files are.
        setup: The contents of `site.toml`.
        train: The contents of `train.toml`.
    """

    folder: Path
    setup: Setup
    train: TrainFile

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads the files in their current state.

        Raises:
            UserError: A file is missing or invalid.
        """
        path = folder / SETUP_FILE
        try:
            setup = Setup.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        except ValidationError as error:
            raise UserError("incident.error.setup", path=path, why=first_fault(error)) from error
        except (OSError, ValueError, RecursionError) as error:
            raise UserError("incident.error.setup", path=path, why=error) from error
        return cls(folder, setup, load_train(folder / TRAIN_FILE))

    def save(self) -> None:
        """Writes both settings files."""
        write_whole(self.folder / SETUP_FILE, "\n".join(_toml(self.setup)).encode())
        self.train.write(self.folder / TRAIN_FILE, "brakepoint camera calibrate")

    def changed(self, section: str, **values: Any) -> "Site":
        """The site with other values in one section of `site.toml`."""
        # Constructed rather than copied, so that the values are validated.
        sections = self.setup.model_dump()
        sections[section] |= values
        return replace(self, setup=Setup.model_validate(sections))

    def driven_by(self, autopilot: str) -> "Site":
        """The site with a different autopilot."""
        return replace(self, setup=self.setup.model_copy(update={"autopilot": autopilot}))

    @property
    def eye(self) -> Eye:
        """The camera as `train.toml` describes it."""
        return self.train.camera or Eye()

    @property
    def zoom(self) -> float:
        """The factor that makes pictures look like recorded ones; needed with any real camera.

        The factor is right if `train.toml` has the right focal length: that of the recorded camera.
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
            UserError: There is no such file, or the file does not load.
        """
        path = self._there("autopilots", f"{self.setup.autopilot}.py")
        # Loaded by path, not from `solutions`: which of the two autopilots drives is part of the riddle.
        spec = importlib.util.spec_from_file_location(f"autopilot_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        try:
            sys.modules[spec.name] = module  # Dataclasses look up their module there.
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
    """Creates a healthy train, with older models and an older autopilot beside the current ones.

    Args:
        folder: The folder for the train's files; other files in it are kept.
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
    """The name of a file with this content; the name reveals nothing about the content."""
    return hashlib.sha256(content).hexdigest()[:10]


def good_model() -> bytes:
    """The model that comes with the kit."""
    return SHIPPED_MODEL.read_bytes()


def stale_model() -> bytes:
    """The model before fine-tuning, which knows the signs of real roads."""
    return BASE_MODEL.read_bytes()


def swapped_model() -> bytes:
    """The good model with its class names swapped; both spellings have the same length."""
    right, wrong = NAMES
    return good_model().replace(right, wrong)


def good_autopilot() -> bytes:
    """The kit's own autopilot."""
    return filled(find_step("6"), solved(find_step("6"))).encode()


def old_autopilot() -> bytes:
    """The good autopilot without one exercise, and without the marks that show where the exercise was."""
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
