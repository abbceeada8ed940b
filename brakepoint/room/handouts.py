"""The handouts: one HTML page to print, with a card for each attendee in all languages."""

import hashlib
from importlib import resources

from jinja2 import Environment, StrictUndefined

from brakepoint.room.accounts import Account, Accounts
from brakepoint.room.config import Room
from brakepoint.room.joining import join_code
from brakepoint.texts import languages, text

Card = dict[str, str]


def cards(room: Room, accounts: Accounts) -> list[Card]:
    """The contents of each attendee's card, in the order of the seats."""
    return [_card(room, handle, accounts.accounts[handle]) for handle in room.everybody]


def _card(room: Room, handle: str, account: Account) -> Card:
    code = join_code(room.name, handle, account.secret_key, room.outside, room.track)
    return {"handle": handle, "url": room.url, "password": account.password if room.url else "", "code": code}


def fingerprint(card: Card) -> str:
    """A fingerprint that changes when the contents of a card do."""
    return hashlib.sha256(repr(sorted(card.items())).encode()).hexdigest()


def page(room: Room, cards: list[Card]) -> str:
    """The page with the cards. It contains passwords: print it, and keep it off the network."""
    template = resources.files("brakepoint.room").joinpath("handouts.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals["t"] = text
    return environment.from_string(template).render(room=room, cards=cards, languages=languages()) + "\n"
