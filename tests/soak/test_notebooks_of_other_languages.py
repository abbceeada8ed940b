"""The notebooks in other languages than the first run to their end, too, though their code is the same."""

import pytest
from notebook_runs import run_notebook

from brakepoint.texts import ORIGINAL, languages
from brakepoint.workshop.notebooks import sources

OTHERS = [(source.stem, lang) for source in sources() for lang in languages() if lang != ORIGINAL]


@pytest.mark.parametrize(("name", "lang"), OTHERS)
def test_a_notebook_runs_on_the_solutions(name, lang, tmp_path, monkeypatch) -> None:
    run_notebook(name, lang, tmp_path, monkeypatch)
