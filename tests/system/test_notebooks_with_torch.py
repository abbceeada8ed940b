"""The notebooks that train: as tests/brakepoint/workshop/test_notebooks.py runs the others."""

import pytest
from notebook_runs import WITH_TORCH, run_notebook

from brakepoint.texts import languages


@pytest.mark.parametrize(
    ("name", "lang"), [(name, lang) for name in sorted(WITH_TORCH) for lang in languages()]
)
def test_a_notebook_trains_on_the_solutions(name, lang, tmp_path, monkeypatch) -> None:
    run_notebook(name, lang, tmp_path, monkeypatch)
