"""What is copied into the images, according to their definitions: `make images` would take half an hour."""

from pathlib import Path, PurePosixPath

import pytest

from brakepoint.pipeline.fingerprints import CODE

IMAGES = Path(__file__).parents[2] / "deploy" / "images"


def is_copied(path: PurePosixPath) -> bool:
    """Whether the ignore file lets a file pass, and a stage copies it."""
    seen = True
    for line in (IMAGES / "ignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and line[0] != "#" and any(folder.match(pattern) for folder in (path, *path.parents)):
            seen = line.startswith("!")
    copied = [
        source
        for words in (IMAGES / "Containerfile").read_text("utf-8").splitlines()
        if words[:5] == "COPY "
        for source in words.split()[1:-1]
    ]
    return seen and any(path.is_relative_to(source) for source in copied)


@pytest.mark.parametrize("name", sorted({name for names in CODE.values() for name in names}))
def test_what_a_stage_of_the_pipeline_runs_is_in_its_image(name: str) -> None:
    assert is_copied(PurePosixPath(name))


def test_what_an_image_has_no_use_for_is_not_in_it() -> None:
    assert not is_copied(PurePosixPath("brakepoint/models/track.pt"))
    assert not is_copied(PurePosixPath("dataset/stills/images"))


def test_the_licences_travel_with_what_they_are_of() -> None:
    assert is_copied(PurePosixPath("LICENSE"))
    assert is_copied(PurePosixPath("NOTICE"))
