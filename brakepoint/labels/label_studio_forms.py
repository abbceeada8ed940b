"""The formats in which Label Studio writes the same data, converted to the first of them.

- the export of a project as JSON: a list of tasks, each with its `data` and `annotations`;
- JSON-MIN: a list of answers, each with the task's data and boxes at the same level;
- target storage: one annotation per file, with its `task` inside, often without `.json` in the file name;
- one task per file.
"""

from collections.abc import Iterator
from typing import Any

from brakepoint.labels.pictures import PICTURE_SUFFIXES, locations

Json = dict[str, Any]
NOT_AN_ANSWER = {"annotator", "annotation_id", "created_at", "updated_at", "lead_time", "id"}
"""Keys of JSON-MIN other than a task's data and answers."""


class NotLabelStudioError(ValueError):
    """The content isn't a task or annotation of Label Studio; the message names the location."""


def is_label_studio(content: Any) -> bool:
    """Whether JSON looks like one of the formats, complete or not."""
    row = content[0] if isinstance(content, list) and content else content
    return isinstance(row, dict) and bool(row.keys() & {"data", "task", "annotation_id", "annotator"})


def as_tasks(content: Any) -> list[Json]:
    """Converts any of the formats to that of a project's export.

    Args:
        content: Content of a JSON file.

    Returns:
        Tasks with `data.image` and `annotations`, whose contents are not checked.

    Raises:
        NotLabelStudioError: The content has none of the formats.
    """
    rows = content if isinstance(content, list) else [content]
    tasks: list[Json] = []
    minimal: dict[str, Json] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise NotLabelStudioError(f"{number} = {str(row)[:40]}")
        if "data" in row:
            tasks.append(_exported(row, number))
        elif isinstance(row.get("task"), dict) and "result" in row:
            tasks.append(_exported({**row["task"], "annotations": [row]}, number))
        elif row.keys() & {"annotation_id", "annotator"}:
            task = _minimal(row, number)
            known = minimal.setdefault(f"{row.get('id', number)} {task['data']['image']}", task)
            if known is task:
                tasks.append(task)
            else:
                known["annotations"] += task["annotations"]
        else:
            raise NotLabelStudioError(f"{number}.data")
    if not tasks:
        raise NotLabelStudioError("[]")
    return tasks


def _exported(row: Json, number: int) -> Json:
    annotations = row.get("annotations", row.get("completions")) or []
    return {"data": {"image": _image(row.get("data"), number)}, "annotations": annotations}


def _minimal(row: Json, number: int) -> Json:
    image = _image({name: value for name, value in row.items() if name not in NOT_AN_ANSWER}, number)
    annotation = {
        "completed_by": row.get("annotator"),
        "updated_at": row.get("updated_at") or row.get("created_at"),
        "result": list(_minimal_results(row)),
    }
    has_answer = row.get("annotation_id") is not None or bool(annotation["result"])
    return {"data": {"image": image}, "annotations": [annotation] if has_answer else []}


def _minimal_results(row: Json) -> Iterator[Json]:
    """The answers of a row: JSON-MIN omits their types, but names the keys of classes after the types."""
    for name, value in row.items():
        if name in NOT_AN_ANSWER or not isinstance(value, list):
            continue
        for item in value:
            if isinstance(item, dict):
                kinds = [key for key in item if key.endswith("labels")]
                kind = kinds[0] if kinds else "rectangle" if "width" in item else "choices"
                yield {"type": kind, "value": item}


def _image(data: Any, number: int) -> str:
    """The location of a task's picture: under `image`, or under another name from the project."""
    if isinstance(data, dict):
        if isinstance(data.get("image"), str) and data["image"]:
            return str(data["image"])
        named = [value for value in data.values() if isinstance(value, str) and _names_picture(value)]
        if len(named) == 1:
            return named[0]
    raise NotLabelStudioError(f"{number}.data.image")


def _names_picture(location: str) -> bool:
    return any(parts[-1].lower().endswith(tuple(PICTURE_SUFFIXES)) for parts in locations(location))
