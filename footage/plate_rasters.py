"""Rasterises the artwork for the synthesis engine: `python -m footage.plate_rasters`.

Attendees use these PNG files and therefore need no SVG renderer.
"""

from pathlib import Path

import numpy as np

from brakepoint.scenery.artwork import ALL_PLATES, rasterise

PLATES_DIR = Path(__file__).parent.parent / "brakepoint" / "synthesis" / "plates"
WIDTH_PX = 256


def main() -> None:
    """Writes one RGBA PNG for every kind of plate."""
    from PIL import Image

    PLATES_DIR.mkdir(parents=True, exist_ok=True)
    for kind in ALL_PLATES:
        raster: np.ndarray = rasterise(kind, WIDTH_PX)
        Image.fromarray(raster, "RGBA").save(PLATES_DIR / f"{kind}.png", optimize=True)


if __name__ == "__main__":
    main()
