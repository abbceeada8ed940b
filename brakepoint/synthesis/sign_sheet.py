"""A sheet of paper signs to cut out: one PDF page at true size, made from the kit's artwork."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from brakepoint.files import whole_file
from brakepoint.scenery.artwork import PLATES, PlateArtwork
from brakepoint.texts import text

PAPER_CM = (21.0, 29.7)
"""The size of A4 paper."""
CM_PER_INCH = 2.54
MARGIN_CM, HEAD_CM = 1.5, 4.2
COLUMNS, ROW_CM = 5, 5.2
TAB_CM = (1.2, 2.4)
"""The strip below a sign that goes around a pencil."""
RULER_CM = 10.0
"""Length of a line that shows whether the printer has scaled the page."""


def printed() -> list[PlateArtwork]:
    """The signs of the sheet: two of each that means something to the train, one of each distractor."""
    toys = [plate for kind, plate in PLATES.items() if not kind.startswith("road-")]
    return [plate for plate in toys for _ in range(2 if plate.sign_class else 1)]


def write_sheet(path: Path) -> None:
    """Writes the PDF, in the reader's language.

    Args:
        path: The file; its folder must exist.
    """
    from matplotlib.figure import Figure

    width, height = PAPER_CM
    figure = Figure(figsize=(width / CM_PER_INCH, height / CM_PER_INCH))
    figure.suppressComposite = True  # The PDF keeps each sign at its own resolution.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    top = height - MARGIN_CM
    axes.text(MARGIN_CM, top, text("signs.title"), fontsize=16, fontweight="bold", va="top")
    axes.text(MARGIN_CM, top - 0.9, text("signs.how"), fontsize=9, va="top")
    axes.plot([MARGIN_CM, MARGIN_CM + RULER_CM], [top - 2.4] * 2, "|-", color="black", linewidth=0.7)
    axes.text(MARGIN_CM + RULER_CM + 0.2, top - 2.4, f"{RULER_CM:g} cm", fontsize=9, va="center")
    for plate, left, foot in _places():
        tab, reach = TAB_CM
        middle = left + plate.width_cm / 2
        x, y = (middle - tab / 2, middle + tab / 2), (foot - reach, foot + 0.2)
        axes.plot([x[0], x[0], x[1], x[1]], [y[1], y[0], y[0], y[1]], "--", color="#999999", linewidth=0.5)
        extent = (left, left + plate.width_cm, foot, foot + plate.height_cm)
        axes.imshow(_picture(plate.kind), extent=extent, interpolation="none", zorder=3, aspect="auto")
    with whole_file(path) as part:
        figure.savefig(part, format="pdf", metadata={"CreationDate": None, "Title": text("signs.title")})


def _places() -> Iterator[tuple[PlateArtwork, float, float]]:
    """Each sign with the left and the lower edge of its place on the paper, in cm."""
    column = (PAPER_CM[0] - 2 * MARGIN_CM) / COLUMNS
    for number, plate in enumerate(printed()):
        row, place = divmod(number, COLUMNS)
        left = MARGIN_CM + place * column + (column - plate.width_cm) / 2
        yield plate, left, PAPER_CM[1] - HEAD_CM - row * ROW_CM - plate.height_cm


def _picture(kind: str) -> np.ndarray:
    """A sign as `(h, w, 4)` uint8, red-green-blue-alpha."""
    png = (resources.files("brakepoint.synthesis") / "plates" / f"{kind}.png").read_bytes()
    image = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED))
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
