"""Draws the pictures of the steps' pages, as the notebooks show them, in both languages: `make picture`."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from brakepoint.course import SOLUTIONS_DIR
from brakepoint.delivery.picture import plot_deployment
from brakepoint.models import BASE_MODEL, SHIPPED_MODEL
from brakepoint.steps import load_step
from brakepoint.store.building import draw_samples
from brakepoint.synthesis import Materials
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.texts import languages
from brakepoint.workshop.artefacts import outcome_of
from brakepoint.workshop.checks.driving import drive, feed
from brakepoint.workshop.plots import plot_run, show_detections, show_labelled, show_picture

IMAGES = Path(__file__).resolve().parent / "images"
FEED, SEED = "track-stop-and-slowdown", 15
DPI = 62


def plot_first_run() -> None:
    """The run with the initial lab, before anything is written."""
    plot_run(drive(load_step("step6_autopilot", "labs"), FEED), feed(FEED))


def plot_last_run() -> None:
    """The run with the completed lab."""
    plot_run(drive(load_step("step6_autopilot", "solutions"), FEED), feed(FEED))


def main() -> None:
    """Creates the outcomes of steps 1 and 2 in a separate folder, and draws."""
    mpl.use("Agg")
    os.chdir(tempfile.mkdtemp())
    stills = outcome_of("1")
    materials = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS))
    painted = load_step("step2_synthetic", "solutions").paint_picture(np.random.default_rng(SEED), materials)
    pictures: dict[str, Callable[[], None]] = {
        "step1.jpg": partial(show_picture, draw_samples(stills / "train")),
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
