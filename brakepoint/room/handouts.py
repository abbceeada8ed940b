"""The hand-outs: one HTML page to print, a card an attendee, in every language on each card."""

from importlib import resources

from jinja2 import Environment, StrictUndefined

from brakepoint.room.accounts import Accounts
from brakepoint.room.config import Room
from brakepoint.room.manifests import connection_variables
from brakepoint.room.stores.base import RoomStore
from brakepoint.texts import languages, text


def handouts(room: Room, accounts: Accounts, store: RoomStore) -> str:
    """The page. It holds passwords: it is for the printer, not for the network."""
    template = resources.files("brakepoint.room").joinpath("handouts.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals["t"] = text
    cards = [
        {
            "handle": handle,
            "password": account.password,
            "variables": connection_variables(room, handle, account, store.endpoint(handle)),
        }
        for handle, account in accounts.accounts.items()
    ]
    return environment.from_string(template).render(room=room, cards=cards, languages=languages()) + "\n"
