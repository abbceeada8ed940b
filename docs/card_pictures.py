"""Makes the small pictures of the steps for the docs' first page, in both languages: `make picture`."""

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageOps

from brakepoint.course import SOLUTIONS_DIR
from brakepoint.delivery.picture import plot_deployment
from brakepoint.detector import Detector
from brakepoint.drawing import bgr
from brakepoint.evaluation import load_labels, read_picture
from brakepoint.look import SIGN_LOOKS
from brakepoint.messages import Detection
from brakepoint.mission.film import draw_detections
from brakepoint.models import SHIPPED_MODEL
from brakepoint.steps import load_step
from brakepoint.synthesis import Box, Materials
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.texts import languages
from brakepoint.workshop.artefacts import outcome_of

IMAGES = Path(__file__).resolve().parent / "images"
FEED, SEED = "track-stop", 15
SURE = 0.7
SIZE_PX = (440, 275)
INK, GOOD, BAD = "#24292f", "#1a7f37", "#cf222e"


def labelled(image: np.ndarray, boxes: list[tuple[str, Box]]) -> Image.Image:
    """A picture with its boxes, each in its sign's colour."""
    image = image.copy()
    for colour, box in boxes:
        left, top, right, bottom = (round(edge) for edge in box)
        cv2.rectangle(image, (left, top), (right, bottom), bgr(colour), 3)
    return rgb(image)


def rgb(image: np.ndarray) -> Image.Image:
    """A picture in blue-green-red order, as in OpenCV, cut to the shape of a card."""
    return ImageOps.fit(Image.fromarray(image[:, :, ::-1]), SIZE_PX, Image.Resampling.LANCZOS)


def drawn() -> Image.Image:
    """The current figure of matplotlib as a picture; the figure is closed."""
    file = io.BytesIO()
    plt.savefig(file, dpi=160, bbox_inches="tight", pad_inches=0.1)
    plt.close("all")
    return Image.open(file).convert("RGB")


def the_gate() -> Image.Image:
    """Two models at the gate: the one that reaches the gate's limit passes."""
    _, axes = plt.subplots(figsize=(4.8, 3))
    for row, (score, colour, mark) in enumerate([(0.62, BAD, "✗"), (0.94, GOOD, "✓")]):
        axes.barh(row, score, height=0.5, color=colour)
        axes.text(1.05, row, mark, color=colour, fontsize=40, va="center", fontweight="bold")
    axes.axvline(0.8, color=INK, linewidth=3, linestyle="--")
    axes.set(xlim=(0, 1.25), ylim=(-0.7, 1.7))
    axes.axis("off")
    return drawn()


def the_answer(image: np.ndarray, found: Detection) -> Image.Image:
    """A picture, and the endpoint's answer for it as JSON, with the first detection."""
    answer = {
        "class": found.sign_class.value,
        "score": round(found.confidence, 2),
        "box": [round(edge) for edge in found.box],
    }
    middle_px = round((found.box[0] + found.box[2]) / 2)
    half_px = image.shape[0] // 2
    left = min(max(middle_px - half_px, 0), image.shape[1] - 2 * half_px)
    _, (seen, said) = plt.subplots(1, 2, figsize=(4.8, 3), layout="constrained")
    seen.imshow(image[:, left : left + 2 * half_px, ::-1])
    words = json.dumps(answer, indent=1).replace("[\n  ", "[").replace(",\n  ", ", ").replace("\n ]", "]")
    said.text(0, 0.5, words, family="monospace", fontsize=10, va="center", color=INK)
    for axes in (seen, said):
        axes.axis("off")
    return drawn()


def the_stop() -> Image.Image:
    """The poster of a mission's film: the train has stopped before the danger."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["mission", "--feed", FEED, "--out", folder]
        subprocess.run([sys.executable, "-m", "brakepoint", *words], stdout=subprocess.DEVNULL, check=True)
        poster = Image.open(f"{folder}/{FEED}.jpg").convert("RGB")
    return poster.crop((0, poster.height - poster.width * SIZE_PX[1] // SIZE_PX[0], *poster.size))


def main() -> None:
    """Creates the outcomes of steps 1 and 2 in a separate folder, and draws the pictures."""
    mpl.use("Agg")
    os.chdir(tempfile.mkdtemp())
    still = max(load_labels(outcome_of("1") / "train"), key=lambda picture: len(picture.signs))
    image = read_picture(still.path)
    truths = still.truths(image.shape[1], image.shape[0])
    materials = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS))
    painted = load_step("step2_synthetic", "solutions").paint_picture(np.random.default_rng(SEED), materials)
    detector = Detector(SHIPPED_MODEL, SURE)
    other = max(load_labels(outcome_of("1") / "val"), key=lambda picture: len(picture.signs))
    unseen = read_picture(other.path)
    found = detector.detect_image(unseen)
    passed, answered = the_gate(), the_answer(unseen, found[0])
    for lang in languages():
        os.environ["BRAKEPOINT_LANG"] = lang
        detected = unseen.copy()
        draw_detections(detected, found)
        stopped = the_stop()
        plot_deployment(SOLUTIONS_DIR / "step7_delivery" / "overlay")
        cards = [
            labelled(image, [(SIGN_LOOKS[sign.sign_class].colour, sign.box) for sign in truths]),
            labelled(
                painted.image, [(SIGN_LOOKS[sign.sign_class].colour, sign.box) for sign in painted.labels]
            ),
            rgb(detected),
            passed,
            answered,
            stopped,
            drawn(),
        ]
        for number, card in enumerate(cards, start=1):
            small = ImageOps.pad(card, SIZE_PX, Image.Resampling.LANCZOS, color="white")
            small.save(IMAGES / lang / f"card{number}.jpg", quality=75, optimize=True)


if __name__ == "__main__":
    main()
