"""How an attendee of a room hands something in, as its embedded store then has it."""

from datetime import UTC, datetime

from brakepoint.room.config import Room

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def hand_in(room: Room, handle: str, model: bytes = b"model", autopilot: bytes = b"autopilot") -> None:
    """Puts both files where the store keeps them."""
    folder = room.folder / "store" / room.place_of(handle) / "room"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "step6_autopilot.py").write_bytes(autopilot)
