"""The notebooks that train, and the other languages of those that tests/brakepoint/workshop runs."""

import pytest
from notebook_runs import WITH_TORCH, run_notebook

from brakepoint.texts import ORIGINAL, languages
from brakepoint.workshop.notebooks import sources

RUN_HERE = [
    (source.stem, lang)
    for source in sources()
    for lang in languages()
    if source.stem in WITH_TORCH or lang != ORIGINAL
]


@pytest.mark.parametrize(("name", "lang"), RUN_HERE)
def test_a_notebook_runs_on_the_solutions(name, lang, tmp_path, monkeypatch) -> None:
    run_notebook(name, lang, tmp_path, monkeypatch)
