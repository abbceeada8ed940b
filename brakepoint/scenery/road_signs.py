"""German road signs that no track has, so that the base model knows more than the toy's few kinds.

They are simplified: of a distant sign, a network sees little more than the masses and the colours.
"""

from brakepoint.messages import SignClass
from brakepoint.scenery.plate_parts import (
    BLACK,
    BLUE,
    RED,
    TRIANGLE_CORNER,
    WHITE,
    YELLOW,
    Pictogram,
    Shape,
    box,
    dot,
    fill,
    lettering,
    limit,
    mirrored,
    moved,
    ring,
    road_danger,
    square,
    stroke,
    triangle_path,
    turned,
)

GREEN, GREY = "#149a4a", "#8d8f90"


# --- Warnings -----------------------------------------------------------------------------------------------


def _bend(ink: str, paper: str) -> str:
    """A bend to the right."""
    return stroke("M-22 66V40Q-22 14 4 6L16 2", 15, ink) + fill("M8 -20L44 -6L18 22Z", ink)


def _bend_left(ink: str, paper: str) -> str:
    """A bend to the left."""
    return mirrored(_bend(ink, paper))


def _bends(ink: str, paper: str) -> str:
    """Two bends, the first to the left."""
    return stroke("M10 68V48L-18 28V12L8 -8", 14, ink) + fill("M-14 -22H22V14Z", ink)


def _priority(ink: str, paper: str) -> str:
    """A crossing whose side roads give way."""
    return stroke("M0 66V-4", 18, ink) + fill("M-21 4L0 -40L21 4Z", ink) + box(-42, 24, 84, 11, 2, ink)


def _crossroads(ink: str, paper: str) -> str:
    """A crossing of roads with equal priority."""
    return stroke("M-30 66L30 -8M30 66L-30 -8", 17, ink)


def _snowflake(ink: str, paper: str) -> str:
    """A snowflake."""
    arm = stroke("M0 34V-34M-9 -30L0 -20L9 -30M-9 30L0 20L9 30", 5, ink)
    return "".join(turned(arm, angle, 0, 28) for angle in (0, 60, 120))


def _skidding(ink: str, paper: str) -> str:
    """A car from behind, and the wavy lines left by its wheels."""
    car = box(-28, 0, 56, 28, 5, ink) + fill("M-18 2L-10 -20H16L22 2Z", ink)
    return turned(car, -10, 0, 0) + stroke("M-20 34Q-34 44 -20 52T-20 70M14 34Q0 44 14 52T14 70", 8, ink)


def _bumps(ink: str, paper: str) -> str:
    """Two bumps in the road."""
    return fill("M-62 66V54Q-46 54 -36 38Q-24 20 -12 38Q0 54 12 38Q24 20 36 38Q46 54 62 54V66Z", ink)


def _signals(ink: str, paper: str) -> str:
    """Traffic lights, in their colours."""
    return (
        box(-19, -34, 38, 102, 18, ink)
        + dot(0, -14, 13, RED)
        + dot(0, 17, 13, YELLOW)
        + dot(0, 48, 13, GREEN)
    )


def _narrowing(ink: str, paper: str) -> str:
    """A road that becomes narrower on both sides."""
    return stroke("M-32 66V40L-14 18V-14M32 66V40L14 18V-14", 12, ink)


def _bicycle(ink: str, paper: str) -> str:
    """A bicycle."""
    wheels = "".join(dot(x, 36, 26, ink) + dot(x, 36, 19, paper) for x in (-34, 34))
    return wheels + stroke(
        "M-34 36L-14 4H20L34 36M-14 4L0 36H-34M0 36L20 4M-14 4L-18 -8H-28M20 4L16 -12H28", 7, ink
    )


def _deer(ink: str, paper: str) -> str:
    """A leaping deer."""
    body = fill("M-44 30Q-30 8 0 14L18 -6L34 -12L42 -4L30 4L22 26Q8 38 -18 36L-36 40Z", ink)
    return body + stroke(
        "M20 30L44 44M8 34L34 58M-30 36L-52 58M-38 34L-58 44M22 -8L14 -30M26 -10L28 -34", 7, ink
    )


def _queue(ink: str, paper: str) -> str:
    """Three cars, one behind the other."""
    return "".join(_car(x, y, 0.8, ink) for x, y in ((0, -6), (0, 28), (0, 62)))


_WARNINGS: dict[str, Pictogram] = {
    "bend": _bend,
    "bend-left": _bend_left,
    "bends": _bends,
    "priority": _priority,
    "crossroads": _crossroads,
    "snowflake": _snowflake,
    "skidding": _skidding,
    "bumps": _bumps,
    "signals": _signals,
    "narrowing": _narrowing,
    "bicycle": _bicycle,
    "deer": _deer,
    "queue": _queue,
}


# --- Others, which mean nothing to the train ----------------------------------------------------------------


def _car(x: float, y: float, scale: float, colour: str) -> str:
    """A car from behind, centred."""
    wide, high = 44 * scale, 17 * scale
    roof = box(x - wide * 0.32, y - high * 1.3, wide * 0.64, high * 1.2, 6 * scale, colour)
    tyres = "".join(
        box(x + side - 4 * scale, y + high * 0.3, 8 * scale, 14 * scale, 1, colour)
        for side in (-16 * scale, 16 * scale)
    )
    return roof + box(x - wide / 2, y - high / 2, wide, high, 4 * scale, colour) + tyres


def _truck(x: float, colour: str) -> str:
    """A lorry from behind, centred."""
    return (
        box(x - 27, -34, 54, 52, 2, colour)
        + box(x - 24, 10, 13, 20, 1, colour)
        + box(x + 11, 10, 13, 20, 1, colour)
    )


def _lorry(ink: str) -> str:
    """A lorry from the side."""
    body = box(-56, -30, 72, 46, 2, ink) + fill("M20 -14H40L54 2V16H20Z", ink)
    return body + "".join(dot(x, 20, 12, WHITE) + dot(x, 20, 9.5, ink) for x in (-36, 34))


def _ended(content: str) -> str:
    """The end of what a disc forbids: its content in grey, under black lines."""
    disc = dot(0, 0, 95, GREY) + dot(0, 0, 90, WHITE)
    lines = "".join(
        stroke(f"M{-50 + at} {52 + at}L{50 + at} {-52 + at}", 5, BLACK) for at in (-16, -8, 0, 8, 16)
    )
    return disc + content + lines


def _directed(angle_deg: float) -> str:
    """A blue disc with a white arrow."""
    arrow = stroke("M0 52V-20", 24, WHITE) + fill("M-42 -8L0 -60L42 -8Z", WHITE)
    return dot(0, 0, 95, WHITE) + dot(0, 0, 91, BLUE) + turned(arrow, angle_deg, 0, 0)


def _no_stopping() -> str:
    """A blue disc with a red ring and cross."""
    disc = dot(0, 0, 95, RED) + dot(0, 0, 76, BLUE)
    return disc + stroke("M-54 -54L54 54M-54 54L54 -54", 17, RED)


def _give_way() -> str:
    """A white triangle with a red border, pointing down."""
    layers = fill(triangle_path(0, TRIANGLE_CORNER), RED) + fill(triangle_path(24, 5), WHITE)
    return turned(layers, 180, 0, 0)


def _priority_road() -> str:
    """A yellow square standing on one corner."""
    return turned(
        square(138, 6, WHITE) + square(124, 6, BLACK) + square(120, 5, WHITE) + square(92, 4, YELLOW),
        45,
        0,
        0,
    )


def _additional() -> str:
    """A white plate with lines of writing."""
    words = "".join(
        stroke(f"M{left} {y}H{right}", 13, BLACK)
        for left, y, right in ((-62, -38, 60), (-50, 0, 20), (-30, 38, 54))
    )
    return square(190, 12, BLACK) + square(178, 6, WHITE) + words


_OTHERS: dict[str, tuple[Shape, str]] = {
    "no-overtaking": ("disc", ring() + _car(-31, 4, 1.3, RED) + _car(31, 4, 1.3, BLACK)),
    "no-overtaking-lorries": ("disc", ring() + _truck(-29, RED) + _car(33, 12, 1.0, BLACK)),
    "no-lorries": ("disc", ring() + _lorry(BLACK)),
    "no-vehicles": ("disc", ring()),
    "no-cars": ("disc", ring() + _car(0, 6, 2.0, BLACK)),
    "no-bicycles": ("disc", ring() + moved(_bicycle(BLACK, WHITE), 0, -20)),
    "limit-end": ("disc", _ended(lettering("80", height=62, pitch=52, weight=16, colour=GREY))),
    "end": ("disc", _ended("")),
    "no-overtaking-end": ("disc", _ended(_car(-31, 4, 1.3, GREY) + _car(31, 4, 1.3, GREY))),
    "ahead": ("disc", _directed(0)),
    "right": ("disc", _directed(90)),
    "keep-right": ("disc", _directed(135)),
    "no-stopping": ("disc", _no_stopping()),
    "give-way": ("triangle-down", _give_way()),
    "priority-road": ("diamond", _priority_road()),
    "additional": ("square", _additional()),
}

ROAD_DRAWINGS: dict[str, tuple[SignClass | None, Shape, str]] = {
    **{
        f"road-danger-{name}": (SignClass.DANGER_AHEAD, "triangle", road_danger(pictogram))
        for name, pictogram in _WARNINGS.items()
    },
    **{
        f"road-limit-{number}": (SignClass.SPEED_LIMIT, "disc", limit(number))
        for number in ("20", "40", "60", "70", "80", "100", "120", "130")
    },
    **{f"road-{name}": (None, shape, content) for name, (shape, content) in _OTHERS.items()},
}
