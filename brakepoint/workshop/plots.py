"""What the notebooks show: a picture, and a run as speed along the line."""

import matplotlib.pyplot as plt
import numpy as np

from brakepoint.messages import SignClass
from brakepoint.mission.records import Run
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.texts import text
from brakepoint.truth import GroundTruth

SIGN_COLOURS = {SignClass.DANGER_AHEAD: "#e0a800", SignClass.SPEED_LIMIT: "#cf222e"}
TOP_CM_S = 1.3 * FULL_SPEED_CM_S


def show_picture(image: np.ndarray) -> None:
    """Shows a picture: blue-green-red, as OpenCV has it."""
    _, axes = plt.subplots(figsize=(14, 7))
    axes.imshow(image[:, :, ::-1])
    axes.axis("off")
    plt.show()


def plot_run(run: Run, truth: GroundTruth) -> None:
    """Draws the speed along the line, with the signs that count, and says how the run ended."""
    _, axes = plt.subplots(figsize=(11, 3.5))
    axes.plot([tick.position_cm for tick in run.ticks], [tick.speed_cm_s for tick in run.ticks])
    axes.axhline(LOW_SPEED_CM_S, color="#999999", linewidth=0.7)
    for sign in truth.signs:
        if sign.counts and sign.sign_class is not None:
            axes.axvline(sign.at_cm, color=SIGN_COLOURS[sign.sign_class], linestyle="--")
            axes.text(sign.at_cm + 3, 0.92 * TOP_CM_S, text(f"sign.class.{sign.sign_class}"), fontsize=8)
    axes.set(xlim=(0, truth.length_cm), ylim=(0, TOP_CM_S))
    axes.set(xlabel=text("notebook.position"), ylabel=text("notebook.speed"))
    axes.set_title(text(f"notebook.ending.{run.ending}", at=round(run.ticks[-1].position_cm)), loc="left")
    plt.show()
