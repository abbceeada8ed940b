"""A focal length that cannot be right is refused before any picture is scaled by it."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.train_file import VARIABLE, Eye, TrainFile
from hardware import usb_camera

pytestmark = pytest.mark.live

WIDTH_PX, HEIGHT_PX = 64, 48


class GreySource:
    """Repeats one grey picture, and notes that it was closed."""

    is_closed = False

    def read(self) -> np.ndarray | None:
        time.sleep(0.01)
        return None if self.is_closed else np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8)

    def trouble(self) -> UserError | None:
        return None

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> GreySource:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(VARIABLE, "")
    grey = GreySource()
    monkeypatch.setattr(usb_camera, "UsbSource", lambda *_: grey)
    return grey


def by_option(focal_px: float, _: Path) -> str:
    return f"usb:?focal={focal_px}"


def by_file(focal_px: float, folder: Path) -> str:
    eye = Eye(width_px=WIDTH_PX, height_px=HEIGHT_PX, focal_px=focal_px)
    TrainFile(camera=eye).write(folder / "train.toml", "")
    return f"usb:?train={folder / 'train.toml'}"


@pytest.mark.parametrize("given", [by_option, by_file])
@pytest.mark.parametrize("focal_px", [3.04, 6.3, 640.1])
def test_a_focal_length_in_millimetres_or_of_a_telescope_is_refused(
    source: GreySource, tmp_path: Path, given: Callable[[float, Path], str], focal_px: float
) -> None:
    with pytest.raises(UserError, match=rf"between 6\.4 and 640 px, not {focal_px} px.*millimetres"):
        open_camera(given(focal_px, tmp_path))
    assert source.is_closed


@pytest.mark.parametrize("focal_px", [6.4, 640.0])
def test_any_other_focal_length_is_taken(source: GreySource, focal_px: float) -> None:
    open_camera(by_option(focal_px, Path())).close()
