"""Draws the pictures of the steps' pages, as the notebooks show them, in both languages: `make picture`."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from brakepoint.course import SOLUTIONS_DIR
from brakepoint.delivery.picture import plot_deployment
from brakepoint.evaluation import load_labels, read_picture
from brakepoint.look import SIGN_LOOKS
from brakepoint.models import BASE_MODEL, SHIPPED_MODEL
from brakepoint.steps import load_step
from brakepoint.synthesis import Materials
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.texts import languages
from brakepoint.workshop.artefacts import outcome_of
from brakepoint.workshop.checks.driving import drive, feed
from brakepoint.workshop.plots import plot_run, show_detections, show_labelled

IMAGES = Path(__file__).resolve().parent / "images"
FEED, SEED = "track-stop-and-slowdown", 15
DPI = 62
LENS_PX = 60
"""Half the width of the area that the lens in a picture shows."""


def show_two_samples(folder: Path) -> None:
    """The two scenes with the most signs, with their boxes, and the largest box of each under a lens."""
    fullest = sorted(load_labels(folder), key=lambda picture: (-len(picture.signs), picture.path.name))
    scenes = {picture.path.name.rpartition("-")[0]: picture for picture in reversed(fullest)}
    chosen = [picture for picture in fullest if picture in scenes.values()][:2]
    _, row = plt.subplots(1, 2, figsize=(14, 5.4), layout="tight")
    for axes, picture in zip(row, chosen, strict=True):
        image = read_picture(picture.path)
        height, width = image.shape[:2]
        lens = axes.inset_axes((0.02, 0.56, 0.4, 0.42))
        signs = picture.truths(width, height)
        whole = [sign for sign in signs if sign.box[0] > LENS_PX / 2 and sign.box[2] < width - LENS_PX / 2]
        largest = max(whole, key=lambda sign: sign.box[3] - sign.box[1])
        x, y = (largest.box[0] + largest.box[2]) / 2, (largest.box[1] + largest.box[3]) / 2
        for view in (axes, lens):
            view.imshow(image[:, :, ::-1])
            view.set(xticks=[], yticks=[])
            for sign in signs:
                left, top, right, bottom = sign.box
                colour = SIGN_LOOKS[sign.sign_class].colour
                size = right - left, bottom - top
                view.add_patch(Rectangle((left, top), *size, fill=False, edgecolor=colour, linewidth=2))
        lens.set(
            xlim=(x - LENS_PX, x + LENS_PX), ylim=(y + LENS_PX * height / width, y - LENS_PX * height / width)
        )
        axes.indicate_inset_zoom(lens, edgecolor="white", alpha=1)


def plot_first_run() -> None:
    """The run with the initial lab, before any exercise is filled in."""
    plot_run(drive(load_step("step6_autopilot", "labs"), FEED), feed(FEED))


def plot_last_run() -> None:
    """The run with the completed lab."""
    plot_run(drive(load_step("step6_autopilot", "solutions"), FEED), feed(FEED))


def main() -> None:
    """Creates the outcomes of steps 1 and 2 in a separate folder, and draws the pictures."""
    mpl.use("Agg")
    os.chdir(tempfile.mkdtemp())
    stills = outcome_of("1")
    materials = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS))
    painted = load_step("step2_synthetic", "solutions").paint_picture(np.random.default_rng(SEED), materials)
    pictures: dict[str, Callable[[], None]] = {
        "step1.jpg": partial(show_two_samples, stills / "train"),
        "step2.jpg": partial(show_labelled, painted),
        "step3-before.jpg": partial(show_detections, BASE_MODEL, stills / "val"),
        "step3-after.jpg": partial(show_detections, SHIPPED_MODEL, stills / "val"),
        "step6-before.png": plot_first_run,
        "step6-after.png": plot_last_run,
        "step7.png": partial(plot_deployment, SOLUTIONS_DIR / "step7_delivery" / "overlay"),
    }
    for lang in languages():
        os.environ["BRAKEPOINT_LANG"] = lang
        (IMAGES / lang).mkdir(exist_ok=True)
        for name, draw in pictures.items():
            draw()
            plt.savefig(IMAGES / lang / name, dpi=DPI, bbox_inches="tight", pad_inches=0.1)
            plt.close("all")


if __name__ == "__main__":
    main()
