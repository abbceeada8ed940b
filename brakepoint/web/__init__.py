"""What the pages share: the look of all of them, and the script and the server of the live ones.

The mission's page is a file and takes the look alone; so importing this package needs no web server.
"""

import secrets
from importlib import resources

STATIC = resources.files(__package__) / "static"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
TOKEN_BYTES = 9


def style() -> str:
    """The style sheet of every page."""
    return (STATIC / "style.css").read_text(encoding="utf-8")


def new_token(host: str) -> str:
    """A token for a page that other machines can reach; empty for one that only this machine can."""
    return "" if host in LOCAL_HOSTS else secrets.token_urlsafe(TOKEN_BYTES)


def page_url(page: str, token: str) -> str:
    """What a person opens to see a page; the token goes along where nobody else hears it.

    Args:
        page: `HOST:PORT`.
        token: Of `new_token`.
    """
    return f"http://{page}/" + (f"#token={token}" if token else "")
