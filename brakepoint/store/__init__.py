"""The object store: any S3 store, or the kit's own on this machine if none is set."""

from brakepoint.store.connection import Connection, object_store
from brakepoint.store.content import BASE_MODEL_PREFIX, CONTENT_DIR, STILLS_PREFIX, StoredObject, seed
from brakepoint.store.errors import friendly_errors

__all__ = [
    "BASE_MODEL_PREFIX",
    "CONTENT_DIR",
    "STILLS_PREFIX",
    "Connection",
    "StoredObject",
    "friendly_errors",
    "object_store",
    "seed",
]
