"""Reads label files, text or JSON, whatever program wrote them."""

import codecs
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from brakepoint.errors import UserError, system_says


def read_text(file: Path) -> str:
    """The text of a file: UTF-8 or UTF-16 with or without a byte order mark, else Latin-1; lines end with LF.

    Raises:
        UserError: The file cannot be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError("error.file_unreadable", path=file, why=system_says(error)) from error
    marked = content.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF8))
    try:
        text = content.decode(json.detect_encoding(content) if marked else "utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_json(file: Path) -> Any:
    """The content of a JSON file.

    Raises:
        UserError: The file cannot be read, or isn't JSON.
    """
    try:
        return from_json(read_text(file))
    except (ValueError, UnicodeEncodeError) as error:
        raise UserError("error.label_invalid", file=file, why=f"JSON: {error}") from None


def place_of(error: ValidationError) -> str:
    """Location and wording of the first error."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "JSON"
    return place if first["type"] == "missing" else f"{place} = {str(first['input'])[:40]}"
