"""The paper signs come out of the printer in true size."""

import re
import zlib
from collections import Counter
from pathlib import Path

import pytest

from brakepoint.cli import run
from brakepoint.scenery.artwork import PLATES
from brakepoint.synthesis.sign_sheet import MARGIN_CM, PAPER_CM, RULER_CM, printed, write_sheet
from brakepoint.texts import languages

MM_PER_POINT = 25.4 / 72
Image = tuple[float, float, float, float]
"""Width, height, left and lower edge, in mm."""


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("signs") / "signs.pdf"
    write_sheet(path)
    assert list(path.parent.iterdir()) == [path]
    return path.read_bytes()


def drawing(pdf: bytes) -> str:
    """The operators of the page."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    pages = [zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"x"]
    return next(page for page in pages if b" Do" in page).decode("latin-1")


def images(pdf: bytes) -> list[Image]:
    """Where each picture is put; a matrix applies to what is drawn until the state is restored."""
    matrix = r"\s+".join([r"(-?[\d.]+)"] * 6) + r"\s+cm\b"
    found: list[Image] = []
    for state in re.findall(r"\bq\b(.*?)\bQ\b", drawing(pdf), re.DOTALL):
        if " Do" not in state:
            continue
        across, up, left, foot = 1.0, 1.0, 0.0, 0.0
        for a, b, c, d, e, f in re.findall(matrix, state):
            assert (float(b), float(c)) == (0, 0), "nothing is turned"
            left, foot = left + across * float(e), foot + up * float(f)
            across, up = across * float(a), up * float(d)
        edges = (across, abs(up), left, min(foot, foot + up))  # Pictures begin at the top, pages at the foot.
        found.append(tuple(MM_PER_POINT * edge for edge in edges))  # type: ignore[arg-type]
    return found


def test_the_page_is_a4(pdf: bytes):
    (box,) = re.findall(rb"/MediaBox \[ ?([\d. ]+)\]", pdf)
    left, foot, right, top = (MM_PER_POINT * float(edge) for edge in box.split())

    assert (left, foot) == (0, 0)
    assert right == pytest.approx(210, abs=0.1)
    assert top == pytest.approx(297, abs=0.1)


def test_each_sign_is_as_large_as_the_kits_plate(pdf: bytes):
    sizes = Counter((round(width, 1), round(height, 1)) for width, height, _, _ in images(pdf))

    assert sizes == Counter((10 * plate.width_cm, 10 * plate.height_cm) for plate in printed())
    assert sizes[22.0, 19.5] == 8, "four dangers, twice"


def test_signs_do_not_overlap_and_stay_where_printers_print(pdf: bytes):
    placed = images(pdf)
    assert len(placed) == len(printed())
    for width, height, left, foot in placed:
        assert left >= 10 * MARGIN_CM and left + width <= 10 * (PAPER_CM[0] - MARGIN_CM)
        assert foot >= 10 * MARGIN_CM and foot + height <= 10 * (PAPER_CM[1] - 3 * MARGIN_CM + 0.4)
    for number, (width, height, left, foot) in enumerate(placed):
        for other_width, other_height, other_left, other_foot in placed[number + 1 :]:
            apart = left + width < other_left or other_left + other_width < left
            above = foot + height < other_foot or other_foot + other_height < foot
            assert apart or above


def test_what_counts_is_there_twice_and_the_signs_of_roads_are_not():
    counts = Counter(plate.kind for plate in printed())

    assert not any(kind.startswith("road-") for kind in counts)
    assert {kind for kind, count in counts.items() if count == 2} == {
        kind for kind in counts if PLATES[kind].sign_class
    }
    assert set(counts.values()) == {1, 2}


def test_the_line_to_measure_is_as_long_as_it_says(pdf: bytes):
    lines = re.findall(r"(-?[\d.]+) (-?[\d.]+) m\s+(-?[\d.]+) (-?[\d.]+) l\b", drawing(pdf))
    lengths = {round(MM_PER_POINT * (float(x) - float(left)), 1) for left, y, x, foot in lines if y == foot}

    assert 10 * RULER_CM in lengths


@pytest.mark.parametrize("lang", languages())
def test_the_command_says_where_it_is(tmp_path: Path, monkeypatch, capsys, lang: str):
    monkeypatch.chdir(tmp_path)

    assert run(["--lang", lang, "signs", "--out", "to print/signs.pdf"]) == 0
    assert (tmp_path / "to print/signs.pdf").read_bytes().startswith(b"%PDF")
    assert "to print/signs.pdf" in capsys.readouterr().out
