import importlib.util
from pathlib import Path

import pytest

from brakepoint.messages import FRAME_MAX_BYTES
from brakepoint.texts import languages

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("topics_page", ROOT / "docs" / "topics.py")
assert spec is not None and spec.loader is not None
topics_page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(topics_page)


@pytest.mark.parametrize("lang", languages())
def test_the_table_of_topics_is_that_of_the_code(lang):
    page = (ROOT / "docs" / lang / "broker.md").read_text(encoding="utf-8")

    assert topics_page.renewed(lang) == page, "python docs/topics.py"


def test_mosquitto_lets_our_longest_message_through():
    conf = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    limit = next(line.split()[1] for line in conf.splitlines() if line.startswith("message_size_limit"))

    assert FRAME_MAX_BYTES < int(limit) < 1.1 * FRAME_MAX_BYTES
