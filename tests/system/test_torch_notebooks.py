"""The notebooks that train, for which `make test` lacks the packages, run to their end."""

import pytest
from notebook_runs import WITH_TORCH, run_notebook

from brakepoint.texts import ORIGINAL


@pytest.mark.parametrize("name", sorted(WITH_TORCH))
def test_a_notebook_runs_on_the_solutions(name, tmp_path, monkeypatch) -> None:
    run_notebook(name, ORIGINAL, tmp_path, monkeypatch)
