"""The look of a sign is defined once, for every class."""

import re

import cv2
import numpy as np
import pytest
import resvg_py
from jinja2 import Environment
from jinja2.filters import do_xmlattr as xmlattr
from jinja2.nodes import EvalContext

from brakepoint.drawing import bgr
from brakepoint.look import INK, SIGN_LOOKS, SignLook, sign_text
from brakepoint.messages import SignClass
from brakepoint.mission import film
from brakepoint.rules import PLATE_HEIGHT_CM, STOP_SIGNS
from brakepoint.scenery.artwork import PLATES
from brakepoint.synthesis.scene import WEIGHTS

GREEN = "#30a14e"
SHAPES = ("triangle", "ring", "disc")


def test_every_class_has_a_look_a_height_a_weight_a_name_and_a_plate() -> None:
    classes = set(SignClass)

    assert set(SIGN_LOOKS) == set(PLATE_HEIGHT_CM) == set(WEIGHTS) == classes
    assert {plate.sign_class for plate in PLATES.values()} - {None} == classes
    assert set(STOP_SIGNS) < classes
    assert all(sign_text(each, lang) for each in classes for lang in ("en", "fr"))


def test_two_classes_never_look_alike() -> None:
    assert len({look.colour for look in SIGN_LOOKS.values()}) == len(SIGN_LOOKS)
    assert len({look.character for look in SIGN_LOOKS.values()}) == len(SIGN_LOOKS)


@pytest.mark.parametrize("look", SIGN_LOOKS.values())
def test_a_colour_is_written_as_pages_and_pictures_read_it(look: SignLook) -> None:
    assert re.fullmatch(r"#[0-9a-f]{6}", look.colour)


@pytest.mark.parametrize(
    ("colour", "bright"),
    [("#ffffff", True), ("#000000", False), ("#f7c325", True), ("#e5484d", False), ("#999999", True),
     ("#989898", False), ("#00ff00", False), ("#00ff40", True), ("#ff0000", False), ("#0000ff", False)],
)  # fmt: skip
def test_words_on_a_colour_are_dark_where_it_is_bright(colour: str, bright: bool) -> None:
    assert SignLook(colour, "disc", "x").is_bright is bright


def drawn_on_a_page(look: SignLook) -> np.ndarray:
    """The drawing as a browser shows it, ten times as large, blue-green-red on black."""
    paths = "".join(f"<path{xmlattr(EvalContext(Environment()), path)}/>" for path in look.paths)
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="220" height="220" viewBox="-11 -11 22 22">'
    png = resvg_py.svg_to_bytes(svg_string=f"{head}{paths}</svg>")
    return np.asarray(cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_COLOR))


def drawn_on_a_film(look: SignLook) -> np.ndarray:
    canvas = np.zeros((22, 22, 3), np.uint8)
    film._draw_glyph(canvas, look, (11, 11))
    return np.asarray(cv2.resize(canvas, (220, 220), interpolation=cv2.INTER_NEAREST))


@pytest.mark.parametrize("draw", [drawn_on_a_page, drawn_on_a_film])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_page_and_a_film_show_the_same_shape_in_the_same_colour(shape: str, draw) -> None:
    picture = draw(SignLook(GREEN, shape, "x"))  # type: ignore[arg-type]

    def at(x: int, y: int) -> tuple[int, ...]:
        return tuple(int(value) for value in picture[110 + 10 * y, 110 + 10 * x])

    within = at(-3, 4) if shape == "triangle" else at(0, 0)
    assert within == pytest.approx((255, 255, 255) if shape == "ring" else bgr(GREEN), abs=11)
    assert (at(-7, 0) == bgr(GREEN)) is (shape == "ring")
    assert at(-10, -10) == at(10, -10) == (0, 0, 0), "nothing is around it"


def test_the_triangle_of_a_page_has_its_mark() -> None:
    plate, mark = SignLook(GREEN, "triangle", "x").paths

    assert (plate["fill"], plate["stroke"], mark["stroke"]) == (GREEN, INK, INK)
    assert mark["stroke-linecap"] == "round"
