"""The attendee's side of a room: the progress, and what is handed in, go to the attendee's own bucket."""

from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.store.connection import Connection
from brakepoint.store.errors import friendly_errors

PROGRESS_KEY = "room/progress.json"
MODEL_KEY = "room/model.onnx"
AUTOPILOT_KEY = "room/step6_autopilot.py"


def upload(files: dict[str, Path]) -> None:
    """Puts files into the attendee's bucket.

    Args:
        files: By key.

    Raises:
        UserError: A file is missing, or the store failed.
    """
    missing = next((path for path in files.values() if not path.is_file()), None)
    if missing is not None:
        raise UserError("room.error.nothing_there", path=missing)
    store = Connection.from_environment()
    with friendly_errors(store.endpoint, store.bucket):
        for key, path in files.items():
            store.client.put_object(Bucket=store.bucket, Key=key, Body=path.read_bytes())
