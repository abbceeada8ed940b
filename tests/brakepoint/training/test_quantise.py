"""Quantising a detector needs a separate extra, and reports when it is missing."""

import importlib.util

import pytest

from brakepoint.cli import run


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_without_its_extra_it_says_what_to_install_before_it_measures_anything(
    lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nncf" else find(name))
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    assert run(["quantise", "model.onnx", "--pictures", "none", "--val", "none"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "nncf" in said and "pip install -c locks/constraints.txt -e '.[quantise]'" in said
