"""The base of the images that this machine builds by itself."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

BUILD = Path(__file__).parents[2] / "deploy" / "images" / "build.py"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, in a folder of its own and without Buildah."""
    spec = importlib.util.spec_from_file_location("images_build", BUILD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    module.WORK_DIR.mkdir(parents=True)
    monkeypatch.setattr(module, "buildah", lambda *words: "")
    return module


def test_a_base_whose_making_was_broken_off_is_made_once_more_from_the_beginning(build, monkeypatch) -> None:
    ends: list[bool] = [False, True]

    def debootstrap(*words: object) -> str:
        folder = Path(str(words[-2]))
        assert not folder.exists()
        (folder / "etc").mkdir(parents=True)
        (folder / "etc" / "os-release").touch()
        if not ends.pop(0):
            raise KeyboardInterrupt
        (folder / "python3").touch()
        return ""

    monkeypatch.setattr(build, "run", debootstrap)
    with pytest.raises(KeyboardInterrupt):
        build.make_base()
    assert not (build.WORK_DIR / "base").exists()
    for _ in range(2):
        build.make_base()

    assert (build.WORK_DIR / "base" / "python3").is_file()
    assert not (build.WORK_DIR / "base.part").exists()
