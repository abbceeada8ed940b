"""A late arrival: adds one attendee to the room's file, and changes nothing else in its text."""

from pathlib import Path

import yaml

from brakepoint.errors import UserError
from brakepoint.room.config import Room, load_room, parse_room
from brakepoint.room.files import write


def add_attendee(path: Path, handle: str) -> Room:
    """Adds an attendee to a room's file.

    Args:
        path: The file.
        handle: Handle of the attendee; empty for the next seat.

    Returns:
        The room with one more attendee.

    Raises:
        UserError: The room would not be valid with that attendee; the file then stays unchanged.
    """
    room = load_room(path)
    if handle in room.everybody:
        raise UserError("room.error.there_already", handle=handle, room=room.name)
    is_next = handle in room.handles[room.attendees :][:1]
    # Read as bytes: reading as text would change the line endings.
    content = _with_one_more(path.read_bytes().decode(), room, "" if is_next else handle)
    larger = parse_room(content, path)
    write(path, content)
    return larger


def _with_one_more(content: str, room: Room, handle: str) -> str:
    document = yaml.compose(content)
    assert isinstance(document, yaml.MappingNode), "it was read as a room before"
    values = {key.value: value for key, value in document.value}
    number = values["attendees"]
    edits = [(number.start_mark.index, number.end_mark.index, str(room.attendees + 1))]
    appended = ""
    if handle:
        name = yaml.safe_dump(handle).splitlines()[0]  # Quoted if YAML would misread it.
        if "handles" in values:
            edits.append(_insertion(values["handles"], room, name))
        else:
            appended = f"{'' if content.endswith(chr(10)) else chr(10)}handles: [{name}]\n"
    for start, end, new in sorted(edits, reverse=True):
        content = content[:start] + new + content[end:]
    return content + appended


def _insertion(handles: yaml.ScalarNode | yaml.SequenceNode, room: Room, name: str) -> tuple[int, int, str]:
    """Where to insert the name: after the last attendee with a seat."""
    seated = handles.value[: room.attendees] if isinstance(handles, yaml.SequenceNode) else []
    if not seated or not isinstance(handles, yaml.SequenceNode):
        return handles.start_mark.index, handles.end_mark.index, f" [{name}]"
    end = seated[-1].end_mark.index
    return end, end, f", {name}" if handles.flow_style else f"\n{' ' * handles.start_mark.column}- {name}"
