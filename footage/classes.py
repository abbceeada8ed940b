"""Updates the class of each kind of sign in feeds and cut-outs, after a change of `DRAWINGS`.

`python -m footage.classes` does this for `videos/` and `dataset/cutouts/`, without rendering anything again.
"""

from pathlib import Path

from brakepoint.course import ROOT
from brakepoint.files import write_whole
from brakepoint.scenery.artwork import PLATES
from brakepoint.synthesis.cutouts import CutoutIndex, read_index
from brakepoint.truth import GroundTruth
from footage.cutouts import write_index
from footage.render import written_truth


def with_classes(truth: GroundTruth) -> GroundTruth:
    """The ground truth of a feed, with the current class of each sign; a back has none."""
    signs = tuple(
        sign.model_copy(update={"sign_class": PLATES[sign.kind].sign_class}) for sign in truth.signs
    )
    fronts = {sign.id: sign.sign_class for sign in signs if sign.facing}
    frames = tuple(
        frame.model_copy(
            update={
                "signs": tuple(
                    sign.model_copy(update={"sign_class": fronts.get(sign.id)}) for sign in frame.signs
                )
            }
        )
        for frame in truth.frames
    )
    return truth.model_copy(update={"signs": signs, "frames": frames})


def index_with_classes(index: CutoutIndex) -> CutoutIndex:
    """The list of cut-outs, with the current class of each; backs and objects have none."""
    records = (
        record.model_copy(update={"sign_class": plate.sign_class if plate else None})
        for record in index.cutouts
        for plate in [PLATES.get(record.kind)]
    )
    return index.model_copy(update={"cutouts": tuple(records)})


def main() -> None:
    """Rewrites every file."""
    for path in sorted((ROOT / "videos").glob("*.json")):
        truth = GroundTruth.model_validate_json(path.read_bytes())
        write_whole(path, written_truth(with_classes(truth)).encode())
    folder: Path = ROOT / "dataset" / "cutouts"
    write_index(folder, index_with_classes(read_index(folder)))


if __name__ == "__main__":
    main()
