"""What rclone asks about an access key: its secret, and what it opens. A program of its own.

It runs for each key that comes in, at first and then every five minutes, so it imports nothing of the kit.
rclone's protocol for this is described in `rclone serve s3 --help`, under "Auth Proxy".
"""

import json
import os
import sys
from pathlib import Path

FOLDER_VARIABLE, SHARED_VARIABLE = "BRAKEPOINT_STORE_FOLDER", "BRAKEPOINT_STORE_SHARED"
"""Where the keys lie, and what the bucket is called that everybody reads."""
KEYS_NAME, FULL_NAME, BUCKETS, NOTHING = "keys.json", "full.json", "store", "nothing"
"""Secret by access key; buckets that take nothing more; the folder of all buckets; an empty folder."""


def answer(access_key: str, folder: Path, shared: str) -> dict[str, str]:
    """What rclone is to know of an access key; its bucket has the same name.

    Args:
        access_key: As it came in.
        folder: The room's.
        shared: Name of the bucket that everybody reads.

    Raises:
        KeyError: There is no such key.
    """
    secret = json.loads((folder / KEYS_NAME).read_text(encoding="utf-8"))[access_key]
    full = folder / FULL_NAME
    is_full = full.is_file() and access_key in json.loads(full.read_text(encoding="utf-8"))
    own, nothing = folder / BUCKETS / access_key, folder / NOTHING
    # `nc`: nothing new is created, but there may be read and deleted.
    opens = {
        access_key: _union(f"{own}:nc", f"{nothing}:ro") if is_full else str(own),
        shared: _union(f"{folder / BUCKETS / shared}:ro", f"{nothing}:ro"),
    }
    upstreams = " ".join(_quoted(f"{name}={place}", '"') for name, place in opens.items())
    return {"type": "combine", "_root": "", "upstreams": upstreams, "_secret_access_key": secret}


def _union(*places: str) -> str:
    """One folder out of several, each with its rights; a union wants two."""
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
