"""Problems that would keep a room from working on the day, and that can be detected beforehand."""

import hashlib
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.sandbox import require_sandbox
from brakepoint.texts import text
from brakepoint.truth import load_truth

EXAMPLE_DOMAINS = ("example.org", "example.com", "example.net")


def findings(room: Room) -> Iterator[str]:
    """A sentence for each problem, in the reader's language, with what to do about it."""
    yield from _about_feed(room.hidden_feed, "hidden_feed")
    if room.final_feed is not None:
        yield from _about_feed(room.final_feed, "final_feed")
    if isinstance(room.store, EmbeddedSettings):
        host = room.store.host
        if not _is_of_this_machine(host):
            yield text("room.finding.foreign_host", None, host=host)
        elif _is_local(host):
            yield text("room.finding.local_host", None, host=host)
        addresses = {"url": room.url, "repository": room.repository}
    else:
        addresses = {
            "url": room.url,
            "repository": room.repository,
            "store.endpoint": room.store.endpoint,
            "store.inside": room.store.inside,
        }
    for name, address in addresses.items():
        host = urlsplit(address).hostname or ""
        if any(host == domain or host.endswith(f".{domain}") for domain in EXAMPLE_DOMAINS):
            yield text("room.finding.example", None, name=name, address=address)
        elif host and _is_local(host):
            yield text("room.finding.local", None, name=name, address=address)


def _about_feed(wanted: Path | None, name: str) -> Iterator[str]:
    """Problems that would prevent submissions from being scored on a feed."""
    try:
        if wanted is None:
            raise UserError("room.error.no_hidden_feed", name=name)
        feed = find_feed(str(wanted))
        truth = load_truth(feed.with_suffix(".json"))
        if truth.video_sha256 != hashlib.sha256(feed.read_bytes()).hexdigest():
            yield text("room.finding.truth", None, truth=feed.with_suffix(".json"), video=feed.name)
        require_sandbox(feed, feed.with_suffix(".json"))
    except UserError as error:
        yield text("room.finding.no_scores", None, why=str(error))


def _is_of_this_machine(host: str) -> bool:
    """Whether a server on this machine could listen at that address."""
    try:
        socket.create_server((host, 0)).close()
    except OSError:
        return False
    return True


def _is_local(host: str) -> bool:
    """Whether an address is useless on other machines, so that it must not be on a card."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
