"""Every environment is installed with the versions in locks/, on every supported Python."""

import fcntl
import os
import re
import stat
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from brakepoint.texts import languages, text
from locks import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13")
SHARED = [(extra, python) for extra in EXTRAS if extra != "footage" for python in PYTHONS]
STAMPS = (".mission", ".live", ".workshop", ".docs", ".dev", ".system")
CPU_INDEX = "https://torch.example/whl/cpu"
PYTHON = """#!/bin/sh
case "$*" in "-m brakepoint.texts "*) echo "$*"; exit;; esac
echo "constraint=$PIP_CONSTRAINT build=$PIP_BUILD_CONSTRAINT $*" >> "$SAID"
case "$*" in
    *--dry-run*torch*) echo "Would install $TORCH";;
    "-c import cv2") exit "$CV2";;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
    *"environment.py venv"*) mkdir -p venv/bin && cp "$0" venv/bin/python;;
    *" wheel "*) mkdir -p wheelhouse && touch wheelhouse/brakepoint-0-py3-none-any.whl;;
esac
"""
"""Stands in for an environment's Python, and records what it was asked for."""


def pins(lock: str, python: str) -> dict[str, Version]:
    """The versions of a lock for a Python on this system."""
    environment = {"python_version": python, "python_full_version": f"{python}.7"}
    found: dict[str, Version] = {}
    for line in (ROOT / "locks" / lock).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(environment):
                found[canonicalize_name(pin.name)] = Version(str(pin.specifier).removeprefix("=="))
    return found


def unmet(requirements: list[str], pinned: dict[str, Version]) -> list[str]:
    parsed = map(Requirement, requirements)
    return [
        str(asked)
        for asked in parsed
        if canonicalize_name(asked.name) not in pinned
        or not asked.specifier.contains(pinned[canonicalize_name(asked.name)])
    ]


@pytest.mark.parametrize(("extra", "python"), SHARED)
def test_the_constraints_hold_what_an_extra_asks_for(extra: str, python: str) -> None:
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"], *EXTRAS[extra]]

    assert not unmet(asked, pins("constraints.txt", python)), "run make locks"


def test_blender_s_environment_has_constraints_of_its_own() -> None:
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"], *EXTRAS["footage"]]

    assert not unmet(asked, pins("footage.txt", "3.11")), "run make locks"


@pytest.mark.parametrize("python", PYTHONS)
def test_what_kserve_is_installed_with_is_what_the_constraints_say(python: str) -> None:
    whole, serving = pins("constraints.txt", python), pins("serving.txt", python)

    assert "kserve" in serving
    assert serving.items() <= whole.items()


def test_the_versions_of_python_are_the_same_wherever_they_are_said() -> None:
    promised = SpecifierSet(PROJECT["project"]["requires-python"])
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert [f"3.{minor}" for minor in range(20) if promised.contains(f"3.{minor}.0")] == list(PYTHONS)
    assert re.findall(r"\bpython(3\.\d+)", makefile.partition("VENV :=")[0]) == list(PYTHONS)
    for page in ("README.md", "README.fr.md", "docs/en/index.md", "docs/fr/index.md"):
        assert re.search(r"Python 3\.11, 3\.12 (or|ou) 3\.13", (ROOT / page).read_text("utf-8")), page


@pytest.mark.parametrize("lang", languages())
def test_make_says_what_it_can_do_in_the_reader_s_language(lang: str) -> None:
    in_english = dict(re.findall(r"(?m)^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text("utf-8")))
    environment = os.environ | {"BRAKEPOINT_LANG": lang, "PYTHONIOENCODING": "utf-8"}
    words = ["make", "--silent", f"PYTHON={sys.executable}", "help"]

    said = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True).stdout.decode()

    assert {name: text(f"make.{name}", "en") for name in in_english} == in_english
    assert said.splitlines() == [f"  make {name:14} {text(f'make.{name}', lang)}" for name in in_english]


def test_make_says_it_in_english_without_a_python() -> None:
    said = subprocess.run(["make", "PYTHON=false", "help"], cwd=ROOT, capture_output=True, check=True)

    assert f"  make mission        {text('make.mission', 'en')}" in said.stdout.decode().splitlines()


def test_without_a_supported_python_set_up_says_so_in_both_languages(setup: "Setup") -> None:
    words = [
        "make",
        "--silent",
        "VENV=none",
        f"PYTHON={setup.folder / 'venv' / 'bin' / 'none'}",
        "environment",
    ]
    done = subprocess.run(words, cwd=setup.folder, capture_output=True, check=False)

    english, french = done.stdout.decode().splitlines()
    assert english.startswith("Brakepoint needs Python 3.11") and french.startswith(
        "Brakepoint demande Python"
    )


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An environment, with a package in the place of pip."""
    folder = tmp_path / "here" / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = folder / "lib" / f"python3.{sys.version_info[1]}" / "site-packages" / "pip"
    pip.mkdir()
    (pip / "__init__.py").touch()
    return folder


def is_usable(folder: Path) -> bool:
    check = (folder / "bin" / "python", "-I", ROOT / "locks" / "environment.py")
    return subprocess.run(check, check=False).returncode == 0


def test_an_environment_is_usable_where_it_was_made_through_a_link_too(made: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(made)

    assert is_usable(made)
    assert is_usable(tmp_path / "link")


def test_an_environment_that_was_moved_is_not_usable(made: Path, tmp_path: Path) -> None:
    assert not is_usable(made.rename(tmp_path / "moved"))


def test_an_environment_whose_set_up_was_interrupted_before_pip_is_not_usable(made: Path) -> None:
    (pip,) = made.glob("lib/*/site-packages/pip")
    pip.rename(made / "elsewhere")

    assert not is_usable(made)


def test_an_unusable_environment_is_made_again_with_all_that_it_needs(setup: "Setup") -> None:
    python = setup.folder / "venv" / "bin" / "python"
    maker = setup.folder / "maker"
    maker.write_bytes(python.read_bytes())
    maker.chmod(python.stat().st_mode)
    setup.make("venv/.mission")
    python.write_text("#!/bin/sh\nexit 1\n")

    setup.make("venv/.mission", f"PYTHON={maker}")

    assert len(setup.asked("environment.py venv")) == 1
    assert len(setup.asked("install", ".[mission]")) == 2


def test_what_is_in_the_place_of_the_environment_gives_way_and_a_link_loses_nothing(
    made: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    link, half_made = tmp_path / "link", tmp_path / "half"
    made.joinpath("bin", "python").unlink()
    link.symlink_to(made)
    half_made.mkdir()

    assert [environment.make(link), environment.make(half_made)] == ["", ""]
    assert made.is_dir()
    assert not link.exists() and not half_made.exists()


@pytest.mark.parametrize("lang", languages())
def test_where_no_environment_can_be_made_one_line_says_why_and_what_to_do(
    lang: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    monkeypatch.setattr(environment, "ROOT", tmp_path)

    assert environment.main([str(tmp_path / "a:b")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "a:b" in line and "PATH separator" in line and "python3-venv" in line


def test_two_set_ups_in_one_checkout_take_turns(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, '.'); from locks import environment;"
        "environment.ROOT = sys.argv[1]\nwith environment.alone(): print('mine')"
    )
    first = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(first, fcntl.LOCK_EX)
    second = (sys.executable, "-c", script, tmp_path)
    with subprocess.Popen(second, cwd=ROOT, stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == f"{text('setup.waiting')}\n"
        os.close(first)
        assert waiting.stdout.readline() == "mine\n"


@pytest.mark.parametrize("setting", ["PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"])
def test_settings_that_lead_to_other_packages_do_not_reach_set_up(setting: str, setup: "Setup") -> None:
    python = setup.folder / "venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "pip {setting}=${setting} $*" >> "$SAID"\n')

    setup.make("venv/.mission", **{setting: "/nowhere"})  # type: ignore[arg-type]

    assert setup.asked("pip_told.py", f"{setting}= ") and not setup.asked("pip_told.py", "/nowhere")


@dataclass(frozen=True)
class Setup:
    """Make in a separate folder, on the project's Makefile, with a Python that installs nothing."""

    folder: Path

    def make(self, *words: str, torch: str = "torch-2.13.0+cpu", cv2: int = 0, **environment: str) -> str:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "BRAKE"))}
        done = subprocess.run(
            ["make", "VENV=venv", f"PYTHON={sys.executable}", *words],
            cwd=self.folder,
            env=inherited | {"SAID": "said.txt", "TORCH": torch, "CV2": str(cv2)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def asked(self, *words: str) -> list[str]:
        """The calls of Python that contain these words."""
        lines = (self.folder / "said.txt").read_text("utf-8").splitlines()
        return [line for line in lines if all(word in line for word in words)]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    for name in ("Makefile", "pyproject.toml", "locks"):
        (tmp_path / name).symlink_to(ROOT / name)
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return Setup(tmp_path)


@pytest.mark.parametrize("goal", [*(f"venv/{stamp}" for stamp in STAMPS), "wheelhouse"])
def test_nothing_is_installed_or_packed_without_the_constraints(goal: str, setup: Setup) -> None:
    setup.make(goal)

    held = "constraint=locks/constraints.txt build=locks/constraints.txt"
    assert setup.asked("pip")
    assert setup.asked("pip", held) == setup.asked("pip")


def test_blender_is_installed_with_its_own_constraints(setup: Setup) -> None:
    setup.make(".venv-footage/.footage", "FOOTAGE_PYTHON=venv/bin/python")

    held = "constraint=locks/footage.txt build=locks/footage.txt"
    assert setup.asked("pip", held) == setup.asked("pip")
    assert len(setup.asked("pip", "install --no-compile --editable .[footage]")) == 1


def test_without_python_3_11_blender_is_refused_in_one_sentence(setup: Setup) -> None:
    goal = ("make", "--silent", ".venv-footage/.footage", "FOOTAGE_PYTHON=")
    done = subprocess.run(goal, cwd=setup.folder, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert done.stdout.startswith("Blender needs Python 3.11") and done.stdout.count("\n") == 1


@pytest.mark.parametrize("stamp", [".workshop", ".dev", ".system"])
def test_kserve_comes_last_and_from_its_list(stamp: str, setup: Setup) -> None:
    setup.make(f"venv/{stamp}")

    installs = setup.asked("pip", "--quiet install")
    assert "--no-deps --requirement locks/serving.txt" in installs[-1]
    assert not [line for line in installs[:-1] if "serving" in line]


@pytest.mark.parametrize("goal", ["venv/.workshop", "venv/.system", "wheelhouse"])
def test_pytorch_is_taken_from_the_index_that_is_named(goal: str, setup: Setup) -> None:
    said = setup.make(goal, torch="torch-2.13.0", BRAKEPOINT_TORCH_INDEX=CPU_INDEX)

    (taking,) = setup.asked(",train,")
    assert f"--extra-index-url {CPU_INDEX}" in taking
    assert "setup.cuda" not in said


@pytest.mark.parametrize("goal", ["venv/.workshop", "venv/.system", "wheelhouse"])
@pytest.mark.parametrize(("torch", "told"), [("torch-2.13.0", True), ("torch-2.13.0+cpu", False)])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyPI's build has no CUDA")
def test_what_the_default_index_would_bring_is_said_before_it_begins(
    goal: str, torch: str, told: bool, setup: Setup
) -> None:
    said = setup.make(goal, torch=torch)

    assert ("setup.cuda" in said) == told
    assert "--extra-index-url" not in "".join(setup.asked("pip"))
    assert "--dry-run" in setup.asked("pip")[0]


def test_images_and_workspaces_take_pytorch_from_the_index_that_the_readme_names() -> None:
    files = ("README.md", "README.fr.md", "devfile.yaml", "deploy/images/Containerfile")
    named = re.compile(r"BRAKEPOINT_TORCH_INDEX(?:=|\n +value: )(https:\S+)")
    indexes = {name: set(named.findall((ROOT / name).read_text("utf-8"))) for name in files}

    assert list(indexes.values()) == [indexes["README.md"]] * len(files)
    assert len(indexes["README.md"]) == 1


def test_where_nothing_is_trained_nothing_is_said_of_pytorch(setup: Setup) -> None:
    assert "setup.cuda" not in setup.make("venv/.mission", torch="torch-2.13.0")


@pytest.mark.parametrize("stamp", STAMPS)
def test_where_opencv_does_not_load_the_build_without_windows_takes_its_place(
    stamp: str, setup: Setup
) -> None:
    said = setup.make(f"venv/{stamp}", cv2=1)

    uninstalled, installed = setup.asked("pip")[-2:]
    assert "uninstall --yes opencv-python opencv-python-headless" in uninstalled
    assert "--no-deps opencv-python-headless" in installed
    assert "setup.opencv" in said


def test_where_opencv_loads_it_stays(setup: Setup) -> None:
    setup.make("venv/.mission")

    assert not setup.asked("uninstall")


def test_a_room_without_internet_installs_from_the_wheelhouse_alone(setup: Setup) -> None:
    (setup.folder / "wheelhouse").mkdir()
    setup.make("venv/.workshop", BRAKEPOINT_TORCH_INDEX=CPU_INDEX)

    installs = setup.asked("pip", "install")
    assert installs == setup.asked("pip", "--no-index --find-links wheelhouse")
    assert CPU_INDEX not in "".join(installs)


@pytest.mark.parametrize(("home", "taken"), [("missing", "/venv"), ("", "/venv"), ("home", "home")])
def test_jupyter_gets_a_home_into_which_it_can_write(
    home: str, taken: str, setup: Setup, tmp_path: Path
) -> None:
    jupyter = setup.folder / "venv" / "bin" / "jupyter"
    jupyter.write_text('#!/bin/sh\necho "home=$HOME"\n')
    jupyter.chmod(0o755)
    (tmp_path / "home").mkdir()

    assert f"{taken}\n" in setup.make("lab", HOME=home)


def test_the_wheelhouse_holds_the_opencv_for_either_machine(setup: Setup) -> None:
    setup.make("wheelhouse")

    (packed,) = setup.asked("wheel", ".[")
    assert {"mission", "edge"} <= set(re.findall(r"\.\[(.*)\]", packed)[0].split(","))
