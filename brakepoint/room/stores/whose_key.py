"""The program that rclone runs to look up an access key: its secret, and what it gives access to.

The program runs for each new key, and then every five minutes, so it imports nothing from the kit. rclone's
protocol for this is described in `rclone serve s3 --help`, under "Auth Proxy".
"""

import json
import os
import sys
from pathlib import Path

FOLDER_VARIABLE, SHARED_VARIABLE = "BRAKEPOINT_STORE_FOLDER", "BRAKEPOINT_STORE_SHARED"
"""Folder of the keys, and name of the bucket that everyone can read."""
KEYS_NAME, FULL_NAME, BUCKETS, NOTHING = "keys.json", "full.json", "store", "nothing"
"""Names of files and folders: secrets by access key; full buckets; all buckets; an empty folder."""


def answer(access_key: str, folder: Path, shared: str) -> dict[str, str]:
    """The configuration that rclone needs for an access key, whose bucket has the same name.

    Args:
        access_key: The key of the request.
        folder: The room's folder.
        shared: Name of the bucket that everyone can read.

    Raises:
        KeyError: There is no such key.
    """
    secret = json.loads((folder / KEYS_NAME).read_text(encoding="utf-8"))[access_key]
    full = folder / FULL_NAME
    is_full = full.is_file() and access_key in json.loads(full.read_text(encoding="utf-8"))
    own, nothing = folder / BUCKETS / access_key, folder / NOTHING
    # `nc`: nothing can be created, but reading and deleting are allowed.
    opens = {
        access_key: _union(f"{own}:nc", f"{nothing}:ro") if is_full else str(own),
        shared: _union(f"{folder / BUCKETS / shared}:ro", f"{nothing}:ro"),
    }
    upstreams = " ".join(_quoted(f"{name}={place}", '"') for name, place in opens.items())
    return {"type": "combine", "_root": "", "upstreams": upstreams, "_secret_access_key": secret}


def _union(*places: str) -> str:
    """In rclone's format, a union of at least two folders, each with its rights."""
    return f":union,upstreams={_quoted(' '.join(_quoted(place, chr(34)) for place in places), chr(39))}:"


def _quoted(words: str, mark: str) -> str:
    return f"{mark}{words.replace(mark, 2 * mark)}{mark}"


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    try:
        said = answer(asked["user"], Path(os.environ[FOLDER_VARIABLE]), os.environ[SHARED_VARIABLE])
    except KeyError:
        sys.exit("no such key")
    json.dump(said, sys.stdout)
