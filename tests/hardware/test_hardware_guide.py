"""The guide's table of troubles quotes what is really said."""

import re
from pathlib import Path

import pytest

from brakepoint.texts import catalogue, languages

DOCS = Path(__file__).parent.parent.parent / "docs"
SAID = ("hub.", "camera.", "error.no_tensorrt", "error.tensorrt", "detector.engine")
EXAMPLES = {
    "en": {"port": "A", "found": "light", "wanted": "train motor", "seconds:g": "1"},
    "fr": {"port": "A", "found": "lumière", "wanted": "moteur de train", "seconds:g": "1"},
}


def filled(words: str, lang: str) -> str:
    """A text with the guide's examples in it."""
    for name, value in EXAMPLES[lang].items():
        words = words.replace("{" + name + "}", value)
    return words


def longest_part(message: str) -> str:
    """Of a quoted message: what stands between its colons, «…» and names."""
    return max(re.split(r"…| ?: |[«“]", message), key=len).strip(" ().")


@pytest.mark.parametrize("lang", languages())
def test_every_message_in_the_table_of_troubles_is_one_of_the_kits(lang):
    guide = (DOCS / lang / "hardware.md").read_text("utf-8")
    quoted = re.findall(r"^\| `([^`]+)` \|", guide, flags=re.MULTILINE)
    texts = [filled(words[lang], lang) for key, words in catalogue().items() if key.startswith(SAID)]

    assert len(quoted) > 15
    unknown = [message for message in quoted if not any(longest_part(message) in words for words in texts)]
    assert not unknown
