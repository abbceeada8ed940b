"""Downloads the kit's content from a bucket, several objects at a time, with the attendee's functions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath
from types import ModuleType

from brakepoint.errors import UserError
from brakepoint.store.client import WORKERS
from brakepoint.store.connection import Connection
from brakepoint.store.content import CHECKSUMS_NAME, StoredObject, parse_checksums
from brakepoint.store.errors import friendly_errors

NOT_NAMES, NOT_IN_NAMES = ("", ".", ".."), {"\0", "\\"}


def fetch_content(
    store: Connection, step: ModuleType, folder: Path, on_progress: Callable[[int, int], None]
) -> int:
    """Downloads the missing objects; a further call completes an interrupted download.

    Args:
        store: Store with the content.
        step: The module `step1_dataset`.
        folder: Receives the objects, named as in the bucket.
        on_progress: Called with the number of objects done and the total.

    Returns:
        The number of downloaded objects.

    Raises:
        UserError: The store or the disk failed, or an object is missing in the store or arrived damaged.
    """
    with friendly_errors(store.endpoint, store.bucket):
        hashes = _hashes(store)
        prefixes = sorted({"".join(key.partition("/")[:2]) for key in hashes})
        listed = [step.list_objects(store.client, store.bucket, prefix) for prefix in prefixes]
        by_key = {item.key: item for page in listed for item in page if item.key in hashes}
        objects = list(by_key.values())
        if lost := sorted(hashes.keys() - by_key.keys()):
            raise UserError(
                "store.error.incomplete",
                missing=len(lost),
                count=len(hashes),
                bucket=store.bucket,
                name=lost[0],
            )
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


def _hashes(store: Connection) -> dict[str, str]:
    body = store.client.get_object(Bucket=store.bucket, Key=CHECKSUMS_NAME)["Body"].read()
    try:
        hashes = parse_checksums(body.decode())
    except ValueError as error:
        raise UserError("store.error.other_checksums", bucket=store.bucket) from error
    if not hashes or not _are_places(set(hashes)):
        raise UserError("store.error.other_checksums", bucket=store.bucket)
    return hashes


def _are_places(keys: set[str]) -> bool:
    """Whether each key can be the path of a file below a folder, and no file is the folder of another."""
    names = [name for key in keys for name in key.split("/")]
    folders = {str(folder) for key in keys for folder in PurePosixPath(key).parents}
    return not (folders & keys or any(name in NOT_NAMES or NOT_IN_NAMES & set(name) for name in names))


def _fetch(
    store: Connection, step: ModuleType, folder: Path, item: StoredObject, hashes: dict[str, str]
) -> bool:
    """Downloads one object unless its file exists already, and returns whether it was downloaded."""
    target = folder / item.key
    digest = hashes[item.key]
    if step.is_intact(target, item.size_bytes, digest):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    step.download(store.client, store.bucket, item, digest, target)
    return True
