"""What an attendee's bucket begins with."""

from functools import cache

from brakepoint.room.stores.base import RoomStore
from brakepoint.store.content import CHECKSUMS_NAME, checksums
from brakepoint.store.content import content as kit_content


@cache
def content() -> dict[str, bytes]:
    """What each bucket begins with, by key; last the checksums, which say that all the rest is there."""
    files = kit_content()
    kit = {key: path.read_bytes() for key, path in files.items()}
    return kit | {CHECKSUMS_NAME: checksums(files).encode()}


def missing_content(store: RoomStore, bucket: str) -> dict[str, bytes]:
    """What is still to be uploaded to a bucket: absent, or of another size."""
    there = store.objects(bucket)
    return {
        key: data for key, data in content().items() if key not in there or there[key].size_bytes != len(data)
    }
