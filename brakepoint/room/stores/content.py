"""The initial contents of an attendee's bucket."""

from functools import cache

from brakepoint.room.stores.base import RoomStore
from brakepoint.store.content import CHECKSUMS_NAME, checksums
from brakepoint.store.content import content as kit_content


@cache
def content() -> dict[str, bytes]:
    """The initial contents of each bucket, by key; the checksums come last, as a mark of completeness."""
    files = kit_content()
    kit = {key: path.read_bytes() for key, path in files.items()}
    return kit | {CHECKSUMS_NAME: checksums(files).encode()}


def missing_content(store: RoomStore, bucket: str) -> dict[str, bytes]:
    """The objects still to be uploaded to a bucket: those that are missing or have a different size."""
    there = store.objects(bucket)
    return {
        key: data for key, data in content().items() if key not in there or there[key].size_bytes != len(data)
    }
