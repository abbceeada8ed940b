"""A third language, defined only by a catalogue: each of its texts is in brackets and starts with its key."""

import json
import re
from pathlib import Path

from brakepoint.texts import ORIGINAL, catalogue

PSEUDO = "qps"
NAME = "Pŝeŭdo"
AS_THEY_ARE = "number."


def pseudo_catalogue() -> str:
    """A translation of the catalogue, as TOML."""
    return "".join(
        f"[{key}]\n{PSEUDO} = {json.dumps(_translated(key, words[ORIGINAL]), ensure_ascii=False)}\n"
        for key, words in catalogue().items()
    )


def _translated(key: str, words: str) -> str:
    if key == "language.name":
        return NAME
    return words if key.startswith(AS_THEY_ARE) else f"⟦{key}⟧ {words}"


def add_to(folder: Path) -> None:
    """Adds the language to a folder of texts, by one file."""
    (folder / f"{PSEUDO}.toml").write_text(pseudo_catalogue(), encoding="utf-8")


def keys_said(shown: str) -> set[str]:
    """The keys of the texts in an output of this language."""
    return set(re.findall(r"⟦([\w.-]+)⟧", shown))
