"""The status of each attendee: what is missing, how much is stored, and when something was last written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from brakepoint.files import BYTES_IN_MB
from brakepoint.room.provisioning import Provisioner, What
from brakepoint.room.stores.content import content


@dataclass(frozen=True)
class AttendeeStatus:
    """The status of one attendee.

    Attributes:
        handle: The attendee.
        missing: What `apply` would create.
        objects: Number of objects in the bucket.
        megabytes: Total size of the bucket.
        last_at: When anything besides the workshop's own data was last written; None if nothing was.
    """

    handle: str
    missing: list[What]
    objects: int
    megabytes: float
    last_at: datetime | None


def statuses(provisioner: Provisioner) -> Iterator[AttendeeStatus]:
    """The status of all attendees, in the order of the seats."""
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
