from pathlib import Path

import pytest

from brakepoint.course import ROOT
from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import PLATES
from brakepoint.synthesis.cutouts import read_index
from brakepoint.truth import GroundTruth
from footage import classes
from footage.classes import index_with_classes, with_classes
from footage.cutouts import write_index
from footage.render import written_truth

FEEDS = sorted((ROOT / "videos").glob("*.json"))
CUTOUTS = ROOT / "dataset" / "cutouts"
FULL = ROOT / "videos" / "track-full.json"


def feed(path: Path) -> GroundTruth:
    return GroundTruth.model_validate_json(path.read_bytes())


@pytest.fixture
def stop_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop signs are dangers, and speed limits nothing."""
    for kind, sign_class in (("stop", SignClass.DANGER_AHEAD), ("limit-30", None), ("limit-50", None)):
        plate = PLATES[kind]
        monkeypatch.setitem(PLATES, kind, type(plate)(**{**vars(plate), "sign_class": sign_class}))


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_the_feeds_are_to_the_byte_what_is_written_of_them(path: Path) -> None:
    assert written_truth(with_classes(feed(path))) == path.read_text(encoding="utf-8")


def test_the_list_of_cutouts_is_to_the_byte_what_is_written_of_it(tmp_path: Path) -> None:
    write_index(tmp_path, index_with_classes(read_index(CUTOUTS)))

    assert (tmp_path / "cutouts.json").read_bytes() == (CUTOUTS / "cutouts.json").read_bytes()


@pytest.mark.usefixtures("stop_counts")
def test_a_kind_with_another_class_has_it_wherever_its_front_is_seen() -> None:
    before, after = feed(FULL), with_classes(feed(FULL))

    for old, new in zip(before.signs, after.signs, strict=True):
        assert new.sign_class == PLATES[new.kind].sign_class
        assert new.model_copy(update={"sign_class": old.sign_class}) == old
    backs = {sign.id for sign in before.signs if not sign.facing}
    seen = [sign for frame in after.frames for sign in frame.signs]
    assert {"stop", "limit-30"} <= {sign.kind for sign in seen} | {sign.kind for sign in before.signs}
    assert all(
        sign.sign_class == (None if sign.id in backs else PLATES[sign.kind].sign_class) for sign in seen
    )


@pytest.mark.usefixtures("stop_counts")
def test_cutouts_have_the_class_of_their_kind_and_backs_and_things_none() -> None:
    found = {record.kind: record.sign_class for record in index_with_classes(read_index(CUTOUTS)).cutouts}

    assert found["stop"] is SignClass.DANGER_AHEAD
    assert found["limit-30"] is None
    assert found["back-disc"] is None
    assert found["duck"] is None


@pytest.mark.usefixtures("stop_counts")
def test_the_command_writes_both_and_keeps_a_line_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, name in (("videos", "track-full.json"), ("dataset/cutouts", "cutouts.json")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_bytes((ROOT / folder / name).read_bytes())
    monkeypatch.setattr(classes, "ROOT", tmp_path)

    classes.main()

    written = (tmp_path / "videos" / "track-full.json").read_text(encoding="utf-8")
    assert GroundTruth.model_validate_json(written) == with_classes(feed(FULL))
    assert written.count("\n") == FULL.read_text(encoding="utf-8").count("\n")
    assert read_index(tmp_path / "dataset" / "cutouts") == index_with_classes(read_index(CUTOUTS))
