"""A new model compared with the one in production, in figures and as a page."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from brakepoint.errors import UserError
from brakepoint.pipeline import cluster
from brakepoint.pipeline.comparison import COMPARISON_FILE, ProductionComparison, read_comparison

NEW, OLD = {"track": 0.8, "road": 0.61239}, {"track": 0.7, "road": 0.5}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


def compared() -> Any:
    worlds = {
        world: SimpleNamespace(new=SimpleNamespace(map50=NEW[world]), base=SimpleNamespace(map50=OLD[world]))
        for world in NEW
    }
    return SimpleNamespace(worlds=worlds)


def test_the_new_figures_are_shown_beside_those_of_production() -> None:
    found = ProductionComparison.of(compared(), 3)

    assert (found.new, found.production, found.version) == (NEW, OLD, 3)
    assert [row[1:] for row in found.rows()] == [("0.700", "0.800"), ("0.500", "0.612")]
    assert "3" in found.heads()[1]


def test_where_nothing_is_in_production_the_base_model_does_not_count() -> None:
    found = ProductionComparison.of(compared(), None)

    assert (found.production, found.version) == (None, None)
    assert [row[1:] for row in found.rows()] == [("–", "0.800"), ("–", "0.612")]
    assert "–" in found.heads()[1]


def test_a_comparison_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = ProductionComparison(new=NEW)
    (tmp_path / COMPARISON_FILE).write_text(found.model_dump_json())

    assert read_comparison(tmp_path) == found


def test_the_page_has_a_row_for_each_world_and_every_picture_as_jpeg(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    found = ProductionComparison.of(compared(), 3)

    page = found.as_html([tmp_path / "a.png"])
    assert page.count("<tr>") == 3 and page.count("<th>") == 3 and page.count("<td>") == 6
    assert page.count('src="data:image/jpeg;base64,/9j/') == 1
    assert "<img" not in found.as_html()


def test_a_token_comes_from_the_environment_or_else_from_the_pod(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(cluster, "SERVICE_ACCOUNT_DIR", tmp_path)
    monkeypatch.delenv("KFP_TOKEN", raising=False)
    assert cluster._token() is None

    (tmp_path / "token").write_text("of the pod\n")
    assert cluster._token() == "of the pod"

    monkeypatch.setenv("KFP_TOKEN", "mine")
    assert cluster._token() == "mine"


@pytest.mark.parametrize(
    ("error", "said"),
    [(ValueError("one\ntwo"), "one"), (ValueError("  "), "ValueError"), (OSError(), "OSError")],
)
def test_of_a_long_error_the_first_line_is_reported_and_of_a_silent_one_its_name(error, said) -> None:
    assert cluster._first_line(error) == said


@pytest.mark.parametrize("name", ["p.yaml", "p.yml"])
def test_a_pipeline_is_written_whole_into_a_folder_that_is_made(tmp_path: Path, monkeypatch, name) -> None:
    kfp = pytest.importorskip("kfp.compiler")
    written = []

    def compile_(self, pipeline, path) -> None:
        written.append(Path(path).name)
        Path(path).write_text(pipeline)

    monkeypatch.setattr(kfp.Compiler, "compile", compile_)
    step: Any = SimpleNamespace(training_pipeline=lambda: "pipeline")
    cluster.compile_to(step, tmp_path / "new" / name)

    assert [Path(one).suffixes[-2:] for one in written] == [[".part", Path(name).suffix]]
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]
    with pytest.raises(UserError):
        cluster.compile_to(step, tmp_path / "p.json")
