"""The committed stills, with which the workshop's bucket is filled."""

import json
from pathlib import Path

STILLS = Path(__file__).parents[2] / "dataset" / "stills"


def test_there_are_enough_stills_of_enough_scenes_and_they_are_small() -> None:
    pictures = sorted((STILLS / "images").glob("*.jpg"))
    scenes = {picture.stem.rpartition("-")[0] for picture in pictures}
    assert len(pictures) >= 112
    assert len(scenes) >= 18
    assert sum(picture.stat().st_size for picture in pictures) < 6_000_000


def test_every_still_is_a_task_of_the_export() -> None:
    tasks = json.loads((STILLS / "annotations.json").read_text(encoding="utf-8"))
    names = [task["data"]["image"].rpartition("/")[2] for task in tasks]
    assert names == sorted(picture.name for picture in (STILLS / "images").iterdir())
