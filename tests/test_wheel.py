"""The wheel, unpacked outside a clone: it contains what the kit needs, and works in any folder."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from brakepoint.course import ROOT
from brakepoint.feeds import COURSE_FEEDS
from brakepoint.places import IS_CLONE, KIT, WORKPLACE

Run = Callable[..., str]
COMMAND = ("-m", "brakepoint")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that pip would unpack."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Run:
    """Runs Python in an empty folder, with the wheel before the clone."""

    def run(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site), "BRAKEPOINT_LANG": "en"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_in_a_clone_everything_is_the_clone() -> None:
    assert IS_CLONE
    assert KIT == WORKPLACE == ROOT == Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["videos", "dataset", "deploy"])
def test_what_comes_with_the_kit_is_in_the_wheel(site: Path, name: str) -> None:
    expected = {path for path in files(ROOT / name) if "__pycache__" not in path.parts}

    assert expected <= files(site / "brakepoint" / "kit" / name)


def test_the_wheel_puts_nothing_of_a_common_name_beside_other_packages(site: Path) -> None:
    packages = {"brakepoint", "stubs", "hardware", "solutions", "footage"}

    assert {path.name for path in site.iterdir() if not path.name.endswith(".dist-info")} == packages


def test_a_mission_is_driven_in_any_folder_and_leaves_its_page(run: Run, tmp_path: Path) -> None:
    said = run(*COMMAND, "mission", "--feed", "track-stop", "--detector", "oracle")

    assert "accomplished" in said
    assert "</html>" in (tmp_path / "runs" / "mission" / "index.html").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}


def test_a_step_is_begun_caught_up_with_and_checked_in_any_folder(run: Run, tmp_path: Path) -> None:
    assert "brakepoint reset 7" in run(*COMMAND, "check", "7", status=1)
    run(*COMMAND, "reset", "7")
    assert "still to be written" in run(*COMMAND, "check", "7", status=1)
    run(*COMMAND, "catch-up", "7")
    assert "✗" not in run(*COMMAND, "check", "7")
    assert (tmp_path / "labs" / "step7_delivery").is_dir()
    assert (tmp_path / "progress.json").is_file()


def test_the_attendee_s_steps_are_those_of_the_current_folder(run: Run, tmp_path: Path) -> None:
    run(*COMMAND, "reset", "6")
    (tmp_path / "labs" / "step6_autopilot.py").write_text("OWN = True\n", "utf-8")
    load = "from brakepoint.steps import load_step; print(load_step('step6_autopilot', {!r}).__file__)"

    assert run("-c", load.format("labs")).strip() == str(tmp_path / "labs" / "step6_autopilot.py")
    assert "solutions" in run("-c", load.format("solutions"))


def test_one_s_own_feeds_come_before_those_of_the_kit(run: Run, tmp_path: Path, short_feed: Path) -> None:
    (tmp_path / "videos").mkdir()
    for name in ("track-stop.mp4", "mine.mp4", "half.part.mp4"):
        (tmp_path / "videos" / name).symlink_to(short_feed)
    say = (
        "from brakepoint.feeds import *; print(feed_names()); print(*map(find_feed, ('track-stop', 'mine')))"
    )

    names, found = run("-c", say).splitlines()

    assert names == str([*COURSE_FEEDS, "mine"])
    assert found == f"{tmp_path / 'videos' / 'track-stop.mp4'} {tmp_path / 'videos' / 'mine.mp4'}"


@pytest.mark.parametrize("source", ["labs", "solutions"])
def test_what_step_7_deploys_is_rendered_in_any_folder(run: Run, tmp_path: Path, source: str) -> None:
    run(*COMMAND, "catch-up", "7")
    say = (
        "from brakepoint.cli.deploy import FOLDERS; from brakepoint.delivery.rendering import *;"
        f"print(sorted(m['metadata']['name'] for m in of_kind(render_step(FOLDERS['{source}'] /"
        " 'step7_delivery', 'overlay'), 'Deployment')))"
    )

    assert "'autopilot'" in run("-c", say)
    assert {path.name for path in tmp_path.iterdir()} == {"labs", "progress.json"}


def test_what_is_missing_is_installed_by_name_and_not_from_a_clone(run: Run) -> None:
    say = "from brakepoint.extras import install_command; print(install_command('mission', 'serving'))"

    assert run("-c", say).strip() == "pip install 'brakepoint[mission,serving]'"
