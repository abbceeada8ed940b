"""Fetches everything under a prefix, several objects at a time, by the attendee's own functions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import ModuleType

from brakepoint.store.connection import WORKERS, Connection
from brakepoint.store.content import CHECKSUMS_NAME, STILLS_PREFIX, StoredObject, parse_checksums
from brakepoint.store.errors import friendly_errors


def fetch_stills(
    store: Connection, step: ModuleType, folder: Path, on_progress: Callable[[int, int], None]
) -> int:
    """Downloads what is not there yet; a rerun completes what was missing.

    Args:
        store: Where the stills are.
        step: The module `step1_dataset`.
        folder: Gets the objects, named as in the bucket, without the prefix.
        on_progress: Told the number of objects done and of all.

    Returns:
        How many objects were downloaded.

    Raises:
        UserError: The store or the disk failed, or an object arrived damaged.
    """
    with friendly_errors(store.endpoint, store.bucket):
        objects = step.list_objects(store.client, store.bucket, STILLS_PREFIX)
        body = store.client.get_object(Bucket=store.bucket, Key=STILLS_PREFIX + CHECKSUMS_NAME)["Body"]
        hashes = parse_checksums(body.read().decode())
        on_progress(0, len(objects))
        with ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(_fetch, store, step, folder, item, hashes) for item in objects]
            try:
                for done, job in enumerate(as_completed(jobs), 1):
                    job.result()
                    on_progress(done, len(objects))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return sum(job.result() for job in jobs)


def _fetch(
    store: Connection, step: ModuleType, folder: Path, item: StoredObject, hashes: dict[str, str]
) -> bool:
    """Downloads one object unless it is there already, and says whether it had to."""
    name = item.key.removeprefix(STILLS_PREFIX)
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        return False
    digest = hashes.get(name)
    if step.is_intact(target, item.size_bytes, digest):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    step.download(store.client, store.bucket, item, digest, target)
    return True
