"""What commands print about their work, line by line; here the work itself is replaced."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("boto3")
pytest.importorskip("kfp")

from brakepoint import detector, evaluation, extras, store
from brakepoint.cli import model, run, show, up
from brakepoint.detector import runtime
from brakepoint.labels.signs import Note, PassedOver
from brakepoint.pipeline import cluster, local
from brakepoint.pipeline.comparison import ProductionComparison
from brakepoint.pipeline.local import PipelineOutcome
from brakepoint.registry import bucket
from brakepoint.registry.version import Version
from brakepoint.services import ServiceSettings
from brakepoint.show import album
from brakepoint.show import server as show_server
from brakepoint.store import building, fetching
from brakepoint.store.building import Dataset
from brakepoint.synthesis import engine, feed_frames
from brakepoint.texts import text
from brakepoint.training import fine_tuning
from brakepoint.training import quantise as quantising
from brakepoint.training.fine_tuning import Trained
from brakepoint.web import server as web_server

CHECKPOINT, MODEL = Path("run/model.pt"), Path("model.onnx")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


class Recorded(list[tuple[Any, ...]]):
    """Replaces a function: it only records its arguments, and returns the given value."""

    def __init__(self, value: object = None) -> None:
        super().__init__()
        self._value = value

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.append((*given, *named.values()))
        return self._value


def words(printed: str) -> list[str]:
    """The lines, without the spaces that align a table."""
    return [" ".join(line.split()) for line in printed.splitlines()]


def english_lines(*said: tuple[str, dict[str, object]]) -> str:
    return "".join(f"{text(key, 'en', **values)}\n" for key, values in said)


def test_training_ends_with_the_paths_of_checkpoint_and_model(tmp_path: Path, monkeypatch, capsys) -> None:
    learn = Recorded(Trained(CHECKPOINT, MODEL))
    monkeypatch.setattr(fine_tuning, "learn", learn)
    folders = ["--data", "a", "--data", "b", "--val", "c", "--out", str(tmp_path), "--start", "base.pt"]
    recipe = ["--epochs", "7", "--learning-rate", "0.01", "--seed", "3", "--steps", "solutions"]

    assert run(["train", *folders, *recipe]) == 0

    assert capsys.readouterr().out == english_lines(
        ("training.done", {"checkpoint": CHECKPOINT, "model": MODEL})
    )
    _, *given, used = learn[0]
    assert given == [[Path("a"), Path("b")], [Path("c")], tmp_path, Path("base.pt")]
    assert (used.epochs, used.learning_rate, used.seed) == (7, 0.01, 3)


def test_a_base_model_learns_from_scratch_and_is_judged_by_pictures_of_another_seed(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    learn, synthesise = Recorded(Trained(CHECKPOINT, MODEL)), Recorded()
    monkeypatch.setattr(fine_tuning, "learn", learn)
    monkeypatch.setattr(engine, "synthesise", synthesise)

    assert run(["base-model", "--out", str(tmp_path), "--pictures", "20", "--epochs", "2"]) == 0

    assert capsys.readouterr().out == english_lines(
        ("training.done", {"checkpoint": CHECKPOINT, "model": MODEL})
    )
    pictures, held_out = tmp_path / "pictures", tmp_path / "held-out"
    assert [(call[0], call[1]) for call in synthesise] == [(pictures, 20), (held_out, 400)]
    assert len({call[2] for call in synthesise}) == 2, "the same seed would paint the same pictures"
    assert all(call[3].describe()["world"] == "road" and call[3].stickers for call in synthesise)
    _, *given, recipe = learn[0]
    assert given == [[pictures], [held_out], tmp_path, None]
    assert recipe.epochs == 2


def test_a_track_model_learns_from_the_stills_and_from_each_kind_of_picture_and_is_judged_by_others(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    learn, synthesise = Recorded(Trained(CHECKPOINT, MODEL)), Recorded()
    monkeypatch.setattr(fine_tuning, "learn", learn)
    monkeypatch.setattr(engine, "synthesise", synthesise)
    monkeypatch.setattr(feed_frames, "feed_names", lambda: ["track-slowdown"])
    start = tmp_path / "base.pt"

    given = ["--out", str(tmp_path), "--start", str(start), "--pictures", "600", "--epochs", "3"]
    assert run(["track-model", *given]) == 0

    assert capsys.readouterr().out.endswith(
        english_lines(("training.done", {"checkpoint": CHECKPOINT, "model": MODEL}))
    )
    stills = tmp_path / "dataset"
    assert all(list((stills / side / "images").iterdir()) for side in ("train", "val"))
    painted = {call[0].name: (call[1], call[3].describe()["world"]) for call in synthesise}
    assert painted == {
        "track": (500, "track"),
        "backdrops": (100, "track"),
        "roads": (400, "road"),
        "val-track": (300, "track"),
        "val-road": (200, "road"),
    }
    assert len({call[2] for call in synthesise}) == 5, "the same seed would paint the same pictures"
    assert [bool(call[3].backgrounds) for call in synthesise] == [False, True, False, False, False]
    assert all(call[3].cutouts for call in synthesise)
    _, data, val, *rest, recipe = learn[0]
    assert data == [tmp_path / "track", tmp_path / "backdrops", tmp_path / "roads", stills]
    assert val == [stills, tmp_path / "val-track", tmp_path / "val-road"]
    assert rest == [tmp_path, start]
    assert recipe.epochs == 3


def test_synth_ends_with_how_many_pictures_are_new_and_how_many_there_are(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    synthesise = Recorded(12)
    monkeypatch.setattr(engine, "synthesise", synthesise)
    options = ["--count", "20", "--seed", "4", "--world", "road", "--workers", "2", "--steps", "solutions"]

    assert run(["synth", "--out", str(tmp_path), *options]) == 0

    assert capsys.readouterr().out == english_lines(
        ("synthesis.done", {"made": 12, "count": 20, "path": tmp_path})
    )
    (out, count, seed, materials, workers, _) = synthesise[0]
    assert (out, count, seed, materials.world, workers) == (tmp_path, 20, 4, "road", 2)
    assert materials.cutouts, "without a folder, the kit's own renderings"


def test_backgrounds_ends_with_how_many_frames_were_saved(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(feed_frames, "save_signless_frames", lambda out: iter([out / "a.png", out / "b.png"]))

    assert run(["backgrounds", "--out", str(tmp_path)]) == 0

    said = english_lines(("synthesis.backgrounds_saved", {"count": 2, "path": tmp_path}))
    assert capsys.readouterr().out.endswith(said)


def dataset_of(folder: Path) -> Dataset:
    return Dataset(80, 20, 3, folder, (Note(PassedOver.DOUBLED, "a.txt"),))


@pytest.mark.parametrize("imported", [True, False])
def test_a_dataset_is_said_to_be_made_from_where_and_its_omissions_go_to_stderr(
    imported: bool, tmp_path: Path, monkeypatch, capsys
) -> None:
    source, samples = tmp_path / "mine", np.zeros((10, 10, 3), np.uint8)
    monkeypatch.setattr(building, "import_dataset", lambda _source, _step, out: dataset_of(out))
    monkeypatch.setattr(building, "build_dataset", lambda _fetched, _step, out: dataset_of(out))
    monkeypatch.setattr(building, "draw_samples", lambda folder: samples)
    monkeypatch.setattr(fetching, "fetch_content", lambda *_: 103)
    monkeypatch.setattr(store, "object_store", lambda: nullcontext(None))
    more = ["--from", str(source)] if imported else []

    assert run(["dataset", "--out", str(tmp_path), "--steps", "solutions", *more]) == 0

    fetched, read = text("cli.dataset.fetched", fetched=103), text("cli.dataset.imported", folder=source)
    counts = {"training": 80, "validation": 20, "unlabelled": 3}
    places = {"folder": tmp_path, "samples": tmp_path / "samples.jpg"}
    out, err = capsys.readouterr()
    assert out == english_lines(
        ("cli.dataset.done", {"source": read if imported else fetched, **counts, **places})
    )
    assert err == english_lines(("labels.note.doubled", {"count": 1, "names": "a.txt"}))
    assert (tmp_path / "samples.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_quantising_shows_the_size_and_the_quality_before_and_after(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    model, small = tmp_path / "model.onnx", tmp_path / "model-int8.onnx"
    model.write_bytes(bytes(12_999))
    given = []

    def quantise(*arguments: Path) -> None:
        given.append(arguments)
        small.write_bytes(bytes(4_000))

    monkeypatch.setattr(quantising, "quantise", quantise)
    monkeypatch.setattr(extras, "require", lambda *_: None)
    monkeypatch.setattr(detector, "Detector", lambda file, confidence: file)
    monkeypatch.setattr(
        evaluation, "evaluate", lambda val, file: SimpleNamespace(map50=0.9512 if file == model else 0.9488)
    )

    assert run(["quantise", str(model), "--pictures", "seen", "--val", "held-out"]) == 0

    assert given == [(model, Path("seen"), small)]
    assert capsys.readouterr().out == english_lines(
        ("quantise.before", {"map50": "0.951", "kilobytes": 12}),
        ("quantise.calibrating", {"count": 200}),
        ("quantise.after", {"map50": "0.949", "kilobytes": 4}),
        ("quantise.done", {"path": small}),
    )


COMPARED = ProductionComparison(new={"track": 0.9, "road": 0.7}, production={"track": 0.8}, version=2)


def test_a_pipeline_tells_of_each_task_and_then_compares_the_models(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    given = {}

    def run_here(step, tell, folder, **parameters):
        given.update(parameters)
        tell("started", "train")
        return PipelineOutcome(COMPARED, tmp_path)

    monkeypatch.setattr(local, "run", run_here)
    production = SimpleNamespace(production=lambda: SimpleNamespace(number=3))
    monkeypatch.setattr(model, "open_registry", lambda: nullcontext(production))
    options = {"epochs": 2, "pictures": 20, "seed": 5, "least": 0.6, "tolerance": 0.1}

    assert run(["pipeline", "run", *(f"--{name}={value}" for name, value in options.items())]) == 0

    assert given == options
    assert words(capsys.readouterr().out) == [
        "▶ train",
        "mAP50 production (version 2) new",
        "track 0.800 0.900",
        "road – 0.700",
        text("cli.pipeline.run.plots", folder=tmp_path),
        text("cli.pipeline.run.done", number=3),
    ]


def test_a_pipeline_that_was_compiled_or_submitted_is_named(tmp_path: Path, monkeypatch, capsys) -> None:
    out, compiled, submitted = tmp_path / "p.yaml", Recorded(), Recorded("run-7")
    monkeypatch.setattr(cluster, "compile_to", compiled)
    monkeypatch.setattr(cluster, "submit", submitted)
    monkeypatch.setattr(cluster, "server_of_the_namespace", lambda: "https://here")

    assert run(["pipeline", "compile", "--out", str(out)]) == 0
    assert run(["pipeline", "submit", "--epochs", "2", "--pictures", "20", "--seed", "5"]) == 0
    assert run(["pipeline", "submit", "--host", "https://there"]) == 0

    assert capsys.readouterr().out == english_lines(
        ("cli.pipeline.compile.done", {"path": out}),
        ("cli.pipeline.submit.done", {"run": "run-7", "host": "https://here"}),
        ("cli.pipeline.submit.done", {"run": "run-7", "host": "https://there"}),
    )
    assert compiled[0][1] == out
    assert [call[1] for call in submitted] == ["https://here", "https://there"]
    assert [call[3:] for call in submitted] == [(2, 20, 5, 0.5, 0.01), (3, 1000, 0, 0.5, 0.01)]


class PreparedRegistry:
    """A registry with two versions, of which the second is in production."""

    def __init__(self) -> None:
        self.number: int | None = 2

    def versions(self) -> list[Version]:
        when = datetime(2026, 11, 30, 12, 0).astimezone()
        by_hand = Version(number=1, sha256="0" * 64, size_bytes=1, published_at=when)
        measured = by_hand.model_copy(
            update={"number": 2, "metrics": {"track": 0.9512}, "data": "d" * 40, "code": "c" * 40}
        )
        return [by_hand, measured]

    def production(self) -> Any:
        return SimpleNamespace(number=self.number)

    def publish(self, model: Path) -> Version:
        return self.versions()[1]

    def promote(self, number: int) -> None:
        self.number = number

    def rollback(self) -> int:
        return 1


def test_the_registry_is_listed_and_each_change_to_it_is_confirmed(monkeypatch, capsys) -> None:
    prepared = PreparedRegistry()
    monkeypatch.setattr(store, "object_store", lambda: nullcontext(None))
    monkeypatch.setattr(bucket, "Registry", lambda _: prepared)

    for arguments in (["list"], ["publish", "m.onnx"], ["promote", "4"], ["rollback"]):
        assert run(["model", *arguments]) == 0

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "   version  published         mAP50 track  mAP50 road  data      code",
        "   1        2026-11-30 12:00            –           –  –         –",
        "●  2        2026-11-30 12:00        0.951           –  dddddddd  cccccccc",
        text("cli.model.publish.done", number=2),
        text("cli.model.promote.done", number=4),
        text("cli.model.promote.done", number=1),
    ]
    assert prepared.number == 4


def test_an_empty_registry_is_said_to_be_empty(monkeypatch, capsys) -> None:
    empty = SimpleNamespace(versions=list, production=lambda: SimpleNamespace(number=None))
    monkeypatch.setattr(store, "object_store", lambda: nullcontext(None))
    monkeypatch.setattr(bucket, "Registry", lambda _: empty)

    assert run(["model", "list"]) == 0
    assert capsys.readouterr().out == english_lines(("cli.model.empty", {}))


def test_an_engine_is_built_under_a_line_that_says_so(monkeypatch, capsys) -> None:
    load = Recorded()
    monkeypatch.setattr(runtime, "load_runtime", load)

    assert run(["model", "prepare", "m.onnx"]) == 0

    said = capsys.readouterr().out
    assert text("cli.model.prepare.building") in said
    assert said.endswith(english_lines(("cli.model.prepare.done", {"path": "m.onnx"})))
    assert load == [(Path("m.onnx"), "tensorrt")]


def test_a_page_to_show_signs_to_is_named_and_in_the_end_how_many_pictures_there_are(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    shown: list[str] = []
    stopping = SimpleNamespace(wait=lambda: shown.append("until it is stopped"))
    monkeypatch.setattr(detector, "Detector", lambda *_: None)
    monkeypatch.setattr(album, "Album", lambda folder: SimpleNamespace(names=["a.jpg", "b.jpg"]))
    monkeypatch.setattr(show_server, "make_app", lambda *_, **__: None)
    monkeypatch.setattr(web_server, "served", lambda app, host, port: nullcontext())
    monkeypatch.setattr(show, "stop_event", lambda: stopping)

    assert run(["show", "--out", str(tmp_path), "--page", "127.0.0.1:8123"]) == 0

    assert shown == ["until it is stopped"]
    assert capsys.readouterr().out == english_lines(
        ("cli.show.ready", {"url": "http://127.0.0.1:8123/"}),
        ("cli.show.kept", {"pictures": 2, "folder": tmp_path}),
    )


@pytest.mark.parametrize("is_stopped_at_once", [False, True])
def test_live_services_are_announced_with_their_page_and_then_that_they_stop(
    monkeypatch, capsys, is_stopped_at_once: bool
) -> None:
    stop = SimpleNamespace(is_set=lambda: is_stopped_at_once, wait=lambda: None)
    monkeypatch.setattr(up, "stop_event", lambda: stop)

    @contextmanager
    def services(settings: ServiceSettings, tell: Any, is_stopping: Any) -> Iterator[None]:
        assert is_stopping() is is_stopped_at_once
        tell("train", "[/it] brakes")
        yield

    up.run_until_stopped(ServiceSettings(page="127.0.0.1:8123"), services)

    ready = words(f"\n● {text('live.up.ready', url='http://127.0.0.1:8123/')}\n\n")
    assert words(capsys.readouterr().out) == [
        "train │ [/it] brakes",
        *([] if is_stopped_at_once else ready),
        text("live.up.stopping"),
        text("live.up.stopped"),
    ]


def test_a_page_that_others_reach_is_announced_with_the_token_that_its_services_require(
    monkeypatch, capsys
) -> None:
    stop = SimpleNamespace(is_set=lambda: False, wait=lambda: None)
    given: list[ServiceSettings] = []
    monkeypatch.setattr(up, "stop_event", lambda: stop)

    def services(settings: ServiceSettings, *_: Any) -> Any:
        given.append(settings)
        return nullcontext()

    up.run_until_stopped(ServiceSettings(page="0.0.0.0:8123"), services)

    assert given[0].token and given[0].token in capsys.readouterr().out
