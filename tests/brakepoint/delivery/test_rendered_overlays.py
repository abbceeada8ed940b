"""An overlay renders wherever its folder is, whatever else is in it, and its files may be anywhere, too."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("paho")

from brakepoint.delivery import rendering
from brakepoint.delivery.rendering import named, render, render_step
from brakepoint.delivery.running import with_places
from brakepoint.errors import UserError

STEP = Path(__file__).parents[3] / "solutions" / "step7_delivery"


@pytest.fixture
def step(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STEP, tmp_path / STEP.name))


def test_links_to_nothing_and_in_circles_do_not_keep_a_step_from_rendering(step: Path) -> None:
    (step / "overlay" / ".#kustomization.yaml").symlink_to("anna@laptop.1234:5678")  # A lock of Emacs.
    (step / "again").symlink_to(step)

    assert named(render_step(step, "overlay"), "Deployment", "broker") is not None


def test_a_kubectl_that_dies_without_a_word_is_an_error_in_one_line(
    tmp_path: Path, step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "kubectl"
    dying.write_text("#!/bin/sh\nkill -9 $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(rendering, "kubectl", lambda: str(dying))

    with pytest.raises(UserError, match="kubectl: -9"):
        render(step / "overlay")


@pytest.mark.parametrize("names", [("/m/acl", "/m/acl.more"), ("/m/acl.more", "/m/acl"), ("/m/acl",)])
def test_of_paths_of_which_one_begins_with_another_each_is_replaced_once(names: tuple[str, ...]) -> None:
    places = {name: f"/tmp/x{name}" for name in names}
    text = "".join(f"file {name}\n" for name in names)

    assert with_places(text, places) == "".join(f"file /tmp/x{name}\n" for name in names)
    assert with_places(text, {}) == text
