"""Adapters in separate packages, installed beside the kit."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

THIRD_PARTY = Path(__file__).parents[1] / "third_party"
ENTRY_POINTS = """\
[brakepoint.cameras]
{scheme} = {module}:open_camera
[brakepoint.hubs]
{scheme} = {module}:open_hub
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


def wheel(folder: Path, name: str, scheme: str, module: str, source: str) -> Path:
    """A wheel with one module and its entry points, as a build backend would leave it."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": ENTRY_POINTS.format(scheme=scheme, module=module),
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    return path


@pytest.fixture
def beside_the_kit(tmp_path: Path) -> Callable[..., Run]:
    """Installs packages into a folder of their own, and offers to run Python with them."""

    def install(*wheels: Path) -> Run:
        site = tmp_path / "site"
        pip = (
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--target",
            str(site),
        )
        subprocess.run(
            [*pip, *map(str, wheels)], check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        )

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, *arguments],
                capture_output=True,
                text=True,
                env=os.environ | {"PYTHONPATH": str(site), "BRAKEPOINT_LANG": "en"},
            )

        return run

    return install


def shelf(folder: Path, name: str = "shelf_railway", scheme: str = "shelf") -> Path:
    return wheel(folder, name, scheme, name, (THIRD_PARTY / "shelf_railway.py").read_text(encoding="utf-8"))


def test_an_adapter_of_another_package_is_found_by_its_uri_and_passes_the_suite(tmp_path, beside_the_kit):
    run = beside_the_kit(shelf(tmp_path))

    suite = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", str(THIRD_PARTY / "suite_of_the_shelf_railway.py")
    )

    assert suite.returncode == 0, suite.stdout
    assert " passed" in suite.stdout


def test_it_drives_where_the_kits_own_would(tmp_path, beside_the_kit):
    tried = beside_the_kit(shelf(tmp_path))("-m", "brakepoint", "hub", "try", "--hub", "shelf:")

    assert tried.returncode == 0, tried.stderr


def test_a_scheme_that_two_packages_claim_is_nobodys(tmp_path, beside_the_kit):
    run = beside_the_kit(shelf(tmp_path), shelf(tmp_path, "attic_railway"))

    tried = run("-m", "brakepoint", "hub", "try", "--hub", "shelf:")

    assert tried.returncode == 2
    assert "attic_railway:open_hub, shelf_railway:open_hub" in tried.stderr


def test_no_package_takes_the_place_of_the_kits_own(tmp_path, beside_the_kit):
    tried = beside_the_kit(shelf(tmp_path, scheme="print"))(
        "-m", "brakepoint", "hub", "try", "--hub", "print:"
    )

    assert tried.returncode == 2
    assert "shelf_railway:open_hub" in tried.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import a_library_for_shelves\n", "a_library_for_shelves"),
        ("", "shelf_railway:open_hub"),
    ],
    ids=["without its library", "without the function that it names"],
)
def test_an_adapter_that_cannot_be_loaded_is_named(tmp_path, beside_the_kit, source: str, said: str):
    run = beside_the_kit(wheel(tmp_path, "shelf_railway", "shelf", "shelf_railway", source))

    tried = run("-m", "brakepoint", "hub", "try", "--hub", "shelf:")

    assert tried.returncode == 2
    assert said in tried.stderr
    assert "Traceback" not in tried.stderr
