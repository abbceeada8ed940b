"""The colours and words that the terminal, the film and the page share."""

from brakepoint.messages import Order, OrderKind, Reason, SignClass, TrainState
from brakepoint.texts import number, text

ORDER_COLOURS = {
    OrderKind.FULL_SPEED: "#2f9e6e",
    OrderKind.LOW_SPEED: "#e0921b",
    OrderKind.BRAKE: "#e5484d",
}
SIGN_COLOURS = {SignClass.DANGER_AHEAD: "#f7c325", SignClass.SPEED_LIMIT: "#e5484d"}
"""On pictures, plots and films; the pages have the same from `brakepoint/web/static/style.css`."""


def sentence(words: str) -> str:
    """The words with a capital at the start."""
    return words[:1].upper() + words[1:]


def order_text(order: OrderKind, lang: str | None = None) -> str:
    """What an order does, in a word or two."""
    return sentence(text(f"order.{order}", lang))


def reason_text(reason: Reason, lang: str | None = None) -> str:
    """Why an order was given."""
    return sentence(text(f"reason.{reason}", lang))


def order_line(order: Order, state: TrainState) -> str:
    """What a hub prints of an order: where the train is when it comes, what to do, and why."""
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
    """What a sign is called."""
    return text(f"sign.class.{sign_class}", lang)


def points(value: float, lang: str | None = None) -> str:
    """A score or penalty: whole, or with one decimal."""
    return number(value, 0 if round(value, 1) == round(value) else 1, lang)
