"""Cut-outs of signs and other objects: rendered in the scene's rooms and lights, without a background.

Each cut-out is written as a picture. `cutouts.json` beside the pictures grows with every view, so that an
interrupted render resumes where it stopped.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.synthesis.cutouts import INDEX, CutoutIndex, CutoutRecord, read_index
from footage.views import LIGHT_SETUPS, View, planned_views

WEBP_QUALITY = 92
OPAQUE = 250


def bled(image: np.ndarray) -> np.ndarray:
    """Gives transparent pixels the colour of the nearest opaque one, which avoids dark fringes in scaling.

    Args:
        image: `(h, w, 4)` uint8, straight alpha.
    """
    opaque = image[..., 3] >= OPAQUE
    _, labels = cv2.distanceTransformWithLabels(
        (~opaque).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((labels.max() + 1, 3), np.uint8)
    colours[labels[opaque]] = image[opaque][:, :3]
    return np.dstack([colours[labels], image[..., 3]])


def render_cutouts(out: Path, views: int, seed: int, progress: Callable[[int, int], None]) -> None:
    """Renders cut-outs; existing ones are kept.

    Args:
        out: Receives the pictures and `cutouts.json`.
        views: Number of views of each kind of sign.
        seed: Seed for everything random.
        progress: Called with the number of cut-outs done and the total.

    Raises:
        UserError: The folder was begun with a different number of views or a different seed.
    """
    out.mkdir(parents=True, exist_ok=True)
    records = _begun(out, views, seed)
    planned = planned_views(views, seed)
    progress(len(records), len(planned))
    for light in LIGHT_SETUPS:
        missing = [view for view in planned if view.light == light and view.name not in records]
        if not missing:
            continue
        from footage.scene.studio import Studio

        studio = Studio(LIGHT_SETUPS[light], seed)
        for view in missing:
            image, plate = studio.photograph(view)
            records[view.name] = _write(out, view, image, plate)
            write_index(out, CutoutIndex(seed=seed, views=views, cutouts=tuple(records.values())))
            progress(len(records), len(planned))


def _begun(out: Path, views: int, seed: int) -> dict[str, CutoutRecord]:
    """The results of an earlier call."""
    if not (out / INDEX).exists():
        return {}
    index = read_index(out)
    if (index.views, index.seed) != (views, seed):
        raise UserError("cutouts.other_settings", folder=out, views=index.views, seed=index.seed)
    return {Path(record.file).stem: record for record in index.cutouts if (out / record.file).is_file()}


def _write(out: Path, view: View, image: np.ndarray, plate: np.ndarray) -> CutoutRecord:
    path = out / f"{view.name}.webp"
    _, content = cv2.imencode(".webp", bled(image), [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    write_whole(path, content.tobytes())
    return CutoutRecord(
        file=path.name,
        kind=view.kind,
        sign_class=view.sign_class,
        yaw_deg=round(view.yaw_deg, 1),
        pitch_deg=round(view.pitch_deg, 1),
        roll_deg=round(view.roll_deg, 1),
        distance_cm=round(view.distance_cm, 1),
        light=view.light,
        plate=tuple((round(x, 1), round(y, 1)) for x, y in plate.tolist()),
    )


def write_index(out: Path, index: CutoutIndex) -> None:
    """Writes the list of a folder's cut-outs, one per line."""
    ordered = index.model_copy(update={"cutouts": tuple(sorted(index.cutouts, key=lambda item: item.file))})
    head = ordered.model_dump_json(exclude={"cutouts"}).removesuffix("}")
    lines = ",\n".join(record.model_dump_json(by_alias=True) for record in ordered.cutouts)
    write_whole(out / INDEX, f'{head},"cutouts":[\n{lines}\n]}}\n'.encode())
