"""Step 1: the given parts, rotated rectangles and which annotation counts."""

from datetime import UTC, datetime

import pytest

from brakepoint.labels.label_studio_export import Annotation, Task
from solutions.step1_dataset import annotation_that_counts, corners


def annotation(day: int, was_cancelled: bool = False) -> Annotation:
    updated_at = datetime(2026, 3, day, tzinfo=UTC)
    return Annotation(completed_by=1, was_cancelled=was_cancelled, updated_at=updated_at, result=())


OLD, NEW, SKIPPED = annotation(2), annotation(5), annotation(9, was_cancelled=True)


@pytest.mark.parametrize(
    ("rotation_deg", "turned"),
    [
        (0, [(100, 200), (160, 200), (160, 220), (100, 220)]),
        (90, [(100, 200), (100, 260), (80, 260), (80, 200)]),
        (30, [(100, 200), (151.96, 230), (141.96, 247.32), (90, 217.32)]),
        (360, [(100, 200), (160, 200), (160, 220), (100, 220)]),
    ],
)
def test_a_rectangle_is_turned_clockwise_about_its_top_left_corner(rotation_deg: float, turned: list) -> None:
    found = corners((100, 200, 60, 20), rotation_deg)

    assert [pytest.approx(corner, abs=0.01) for corner in turned] == found


@pytest.mark.parametrize(
    ("annotations", "believed"),
    [
        ((OLD, NEW), NEW),
        ((NEW, OLD), NEW),
        ((NEW, SKIPPED), NEW),
        ((SKIPPED, NEW), NEW),
        ((SKIPPED,), None),
        ((), None),
    ],
    ids=["newest last", "newest first", "skipped later", "skipped first", "only skipped", "nobody"],
)
def test_the_newest_answer_that_was_not_skipped_counts(
    annotations: tuple, believed: Annotation | None
) -> None:
    assert annotation_that_counts(Task(picture="a.jpg", annotations=annotations)) is believed
