"""The page about adapters shows entry points that the kit looks for."""

import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from brakepoint.adapters import CAMERAS, HUBS

DOCS = Path(__file__).parents[2] / "docs"
TOML = re.compile(r"^ *```toml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*/adapters.md")), ids=lambda page: page.parent.name)
def test_an_authors_pyproject_names_the_groups_that_the_kit_looks_into(page: Path) -> None:
    (shown,) = TOML.findall(page.read_text("utf-8"))
    entry_points = tomllib.loads(textwrap.dedent(shown))["project"]["entry-points"]

    assert entry_points.keys() == {CAMERAS, HUBS}
    assert all(value.endswith(":open_hub") for value in entry_points[HUBS].values())
    assert all(value.endswith(":open_camera") for value in entry_points[CAMERAS].values())
