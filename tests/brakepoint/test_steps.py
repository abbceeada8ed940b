import pytest

from brakepoint.errors import UserError
from brakepoint.steps import SOURCE_VARIABLE, load_step


def test_the_solutions_are_the_default(monkeypatch):
    monkeypatch.delenv(SOURCE_VARIABLE, raising=False)

    assert load_step("step6_autopilot").__name__ == "solutions.step6_autopilot"


def test_the_environment_chooses_the_source(monkeypatch):
    monkeypatch.setenv(SOURCE_VARIABLE, "nowhere")

    with pytest.raises(UserError, match="nowhere"):
        load_step("step6_autopilot")


def test_a_step_that_is_not_there_is_named():
    with pytest.raises(UserError, match="step99_nothing"):
        load_step("step99_nothing", steps="solutions")


def test_a_step_that_needs_something_missing_says_what(tmp_path, monkeypatch):
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "step_broken.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    import labs

    monkeypatch.setattr(labs, "__path__", [str(tmp_path / "labs")])

    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        load_step("step_broken", steps="labs")
