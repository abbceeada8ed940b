"""The source of the served model: a file, or the bucket's production pointer, which the server follows."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from brakepoint import extras
from brakepoint.errors import UserError
from brakepoint.registry.names import PREFIX

LOOK_EVERY_S = 1.0
CACHE_DIR = Path("runs/models")


@dataclass(frozen=True)
class Chosen:
    """The model to serve.

    Attributes:
        version: The model's name in responses.
        path: The model's file.
    """

    version: str
    path: Path


class ModelSource(Protocol):
    """Returns the model to serve now."""

    def __call__(self, known: str) -> Chosen | None:
        """The model to serve; None if it is still the version `known`."""


@contextmanager
def open_source(model: str) -> Iterator[ModelSource]:
    """Opens a path, `s3://BUCKET/PREFIX` of a registry, or `s3://` for the usual bucket and prefix.

    Raises:
        UserError: The store is unavailable.
    """
    if not model.startswith("s3://"):
        path = Path(model)
        yield lambda known: None if known == path.stem else Chosen(path.stem, path)
        return
    extras.require("workshop", "boto3")
    from brakepoint.registry.bucket import Registry
    from brakepoint.store import object_store

    parts = urlsplit(model)
    with object_store() as store:
        if parts.netloc:
            store = replace(store, bucket=parts.netloc)
        registry = Registry(store, parts.path or PREFIX)

        def in_production(known: str) -> Chosen | None:
            number = registry.production().number
            if number is None:
                raise UserError(
                    "registry.error.nothing_promoted", where=f"s3://{store.bucket}/{parts.path or PREFIX}"
                )
            return None if known == str(number) else Chosen(str(number), registry.fetch(number, CACHE_DIR))

        yield in_production


def follow(
    source: ModelSource,
    known: str,
    switch: Callable[[Path, str], None],
    tell: Callable[[str, object], None],
    stopping: threading.Event,
) -> None:
    """Switches models whenever the source names another one, until `stopping` is set, whatever errors occur.

    Args:
        source: Source of the model.
        known: The version being served.
        switch: Called with the file and the version.
        tell: Called once for each switch with `serving.switched` and the version, and once for each error
            with `serving.trouble` and the error.
        stopping: Ends the function.
    """
    trouble = ""
    while not stopping.wait(LOOK_EVERY_S):
        try:
            chosen = source(known)
            if chosen is not None:
                switch(chosen.path, chosen.version)
                known = chosen.version
                tell("serving.switched", known)
            trouble = ""
        except Exception as error:  # A full disk, or an attendee's `switch`, which may raise anything.
            said = str(error) or type(error).__name__
            if said != trouble:
                tell("serving.trouble", said)
            trouble = said
