"""How each attendee's part of a room is: what is missing, how much is stored, and since when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from brakepoint.room.provisioning import Provisioner, What
from brakepoint.room.stores.content import content

BYTES_IN_MB = 1e6


@dataclass(frozen=True)
class AttendeeStatus:
    """One attendee's.

    Attributes:
        handle: Whose.
        missing: What `apply` would mend.
        objects: In the bucket.
        megabytes: The same.
        last_at: When something beyond the workshop's own data was last written; None if nothing was.
    """

    handle: str
    missing: list[What]
    objects: int
    megabytes: float
    last_at: datetime | None


def statuses(provisioner: Provisioner) -> Iterator[AttendeeStatus]:
    """Everybody's, in the order of the seats."""
    changes, buckets = provisioner.plan(), provisioner.store.buckets()
    given = set(content())
    for handle in provisioner.room.everybody:
        bucket = provisioner.room.place_of(handle)
        objects = provisioner.store.objects(bucket) if bucket in buckets else {}
        yield AttendeeStatus(
            handle=handle,
            missing=[change.what for change in changes if change.handle == handle],
            objects=len(objects),
            megabytes=sum(entry.size_bytes for entry in objects.values()) / BYTES_IN_MB,
            last_at=max(
                (entry.modified_at for key, entry in objects.items() if key not in given), default=None
            ),
        )
