"""The guide's troubleshooting table quotes the real messages."""

import re
from pathlib import Path

import pytest

from brakepoint.calibration.lenses import IMX219, focal_of_view_px, pinhole_error
from brakepoint.texts import catalogue, languages
from hardware.csi_camera import MODES

DOCS = Path(__file__).parent.parent.parent / "docs"
SAID = ("hub.", "camera.", "error.no_tensorrt", "error.tensorrt", "detector.engine")
EXAMPLES = {
    "en": {"port": "A", "found": "light", "wanted": "train motor", "seconds:g": "1"},
    "fr": {"port": "A", "found": "phare", "wanted": "moteur de train", "seconds:g": "1"},
}


def filled(words: str, lang: str) -> str:
    """A text with the guide's examples in it."""
    for name, value in EXAMPLES[lang].items():
        words = words.replace("{" + name + "}", value)
    return words


def longest_part(message: str) -> str:
    """The longest part of a quoted message between its colons, «…» and names."""
    return max(re.split(r"…| ?: |[«“]", message), key=len).strip(" ().")


@pytest.mark.parametrize("lang", languages())
def test_every_message_in_the_table_of_troubles_is_one_of_the_kits(lang):
    guide = (DOCS / lang / "hardware.md").read_text("utf-8")
    quoted = re.findall(r"^\| `([^`]+)` \|", guide, flags=re.MULTILINE)
    texts = [filled(words[lang], lang) for key, words in catalogue().items() if key.startswith(SAID)]

    assert len(quoted) > 15
    unknown = [message for message in quoted if not any(longest_part(message) in words for words in texts)]
    assert not unknown


@pytest.mark.parametrize("lang", languages())
def test_the_table_of_lenses_is_what_the_arithmetic_says(lang):
    page = (DOCS / lang / "first-minutes.md").read_text("utf-8")
    for each in IMX219:
        row = re.search(rf"csi:0\?mode={each.mode}`.*?(\d+) × (\d+).*?(\d+) px \|", page)
        assert row is not None
        assert tuple(map(int, row.groups())) == (each.width_px, each.height_px, round(each.focal_px))
    assert {each.mode: (each.width_px, each.height_px) for each in IMX219} == {
        mode: (width_px, height_px) for mode, (width_px, height_px, _) in MODES.items()
    }
    webcam = focal_of_view_px(78, 1280, 720)
    assert f"| {webcam:.0f} px |" in page and f"| {webcam * 480 / 720:.0f} px |" in page
    for degrees in (22, 30, 40):
        assert re.search(rf"{degrees}°[^.]*?\s{100 * pinhole_error(degrees):.0f} %", page)
