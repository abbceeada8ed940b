"""What the pages share: the style of all pages, and the script and server of the live ones.

The mission's page is a file that uses only the style, so importing this package needs no web server.
"""

import secrets
from importlib import resources
from urllib.parse import quote

STATIC = resources.files(__package__) / "static"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
TOKEN_BYTES = 9


def style() -> str:
    """The style sheet of every page."""
    return (STATIC / "style.css").read_text(encoding="utf-8")


def new_token(host: str) -> str:
    """A token for a page that other machines can reach; empty if only this machine can."""
    return "" if host in LOCAL_HOSTS else secrets.token_urlsafe(TOKEN_BYTES)


def page_url(page: str, token: str) -> str:
    """The URL of a page; it contains the token in a part that is not sent over the network.

    Args:
        page: `HOST:PORT`.
        token: Token from `new_token`.
    """
    return f"http://{page}/" + (f"#token={quote(token, safe='')}" if token else "")
