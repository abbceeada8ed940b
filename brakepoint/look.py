"""The colours, shapes and words that the terminal, films, plots and pages share."""

from dataclasses import dataclass
from typing import Literal

from brakepoint.messages import Order, OrderKind, Reason, SignClass, TrainState
from brakepoint.texts import number, text

ORDER_COLOURS = {
    OrderKind.FULL_SPEED: "#2f9e6e",
    OrderKind.LOW_SPEED: "#e0921b",
    OrderKind.BRAKE: "#e5484d",
}
INK, PAPER = "#1b2027", "#ffffff"
BRIGHT = 0.6
"""At or above this brightness, dark text is more readable on a colour than white text."""
DISC = "M-7.6 0a7.6 7.6 0 1 1 15.2 0a7.6 7.6 0 1 1-15.2 0Z"
TRIANGLE, EXCLAMATION = "M0-9 9.5 8H-9.5Z", "M0-3.5V2.2M0 5.4v.2"


@dataclass(frozen=True)
class SignLook:
    """The symbol of a class of sign in films, in plots, on pages and in the terminal.

    Attributes:
        colour: Colour of the symbol, of the sign's boxes and of its line in a plot: `#rrggbb`.
        shape: Shape of the symbol; a ring is a white disc with a coloured rim.
        character: The symbol in a line of text.
    """

    colour: str
    shape: Literal["triangle", "ring", "disc"]
    character: str

    @property
    def is_bright(self) -> bool:
        """Whether text on this colour should be dark."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return 0.299 * red + 0.587 * green + 0.114 * blue >= BRIGHT * 255

    @property
    def paths(self) -> tuple[dict[str, str], ...]:
        """The symbol as attributes of SVG paths, at most 22 wide and high, centred on the origin."""
        rim = {"stroke": INK, "stroke-width": "1.6", "stroke-linejoin": "round"}
        match self.shape:
            case "triangle":
                mark = {"d": EXCLAMATION, "stroke": INK, "stroke-width": "2", "stroke-linecap": "round"}
                return {"d": TRIANGLE, "fill": self.colour, **rim}, mark
            case "ring":
                return ({"d": DISC, "fill": PAPER, "stroke": self.colour, "stroke-width": "4"},)
            case "disc":
                return ({"d": DISC, "fill": self.colour, **rim},)


SIGN_LOOKS = {
    SignClass.DANGER_AHEAD: SignLook("#f7c325", "triangle", "▲"),
    SignClass.SPEED_LIMIT: SignLook("#e5484d", "ring", "●"),
}
"""The look of every class of sign; names are in the catalogue (`sign.class.NAME`), meanings in the rules."""


def sentence(words: str) -> str:
    """The text with a capital at the start."""
    return words[:1].upper() + words[1:]


def order_text(order: OrderKind, lang: str | None = None) -> str:
    """An order in a word or two."""
    return sentence(text(f"order.{order}", lang))


def reason_text(reason: Reason, lang: str | None = None) -> str:
    """Why an order was given."""
    return sentence(text(f"reason.{reason}", lang))


def order_line(order: Order, state: TrainState) -> str:
    """The line that a hub prints for an order: the train's position at that moment, what to do, and why."""
    return text(
        "hub.line",
        time=state.at,
        position=state.position_cm,
        speed=state.speed_cm_s,
        order=text(f"order.{order.kind}"),
        reason=text(f"reason.{order.reason}"),
        light=text(f"light.{order.light}"),
    )


def sign_text(sign_class: SignClass, lang: str | None = None) -> str:
    """The name of a sign."""
    return text(f"sign.class.{sign_class}", lang)


def points(value: float, lang: str | None = None) -> str:
    """A score or penalty: as an integer, or with one decimal."""
    return number(value, 0 if round(value, 1) == round(value) else 1, lang)
