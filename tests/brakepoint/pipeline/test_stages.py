"""Comparison, gate and publication with the models that come with the kit."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("boto3")

from brakepoint.errors import UserError
from brakepoint.models import BASE_MODEL, SHIPPED_MODEL
from brakepoint.pipeline import stages
from brakepoint.pipeline.comparison import read_comparison
from brakepoint.pipeline.fingerprints import code_fingerprint, folder_fingerprint
from brakepoint.registry.bucket import Registry
from brakepoint.store import Connection, seed
from brakepoint.store.embedded import serve_s3
from brakepoint.training.fine_tuning import Trained
from solutions.step3_training import road_pictures

ROAD_PICTURES = 40
LEAST, TOLERANCE = 0.3, 0.1
"""Wide: which models the kit ships changes, and so few pictures tell little."""


class Artefact(SimpleNamespace):
    """The part of a Kubeflow artefact that a stage uses."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=str(path), metadata={})

    def log_metric(self, name: str, value: float) -> None:
        self.metadata[name] = value


class Run:
    """The artefacts of one run."""

    def __init__(self, folder: Path, model: Path) -> None:
        folder.mkdir()
        self.metrics, self.report, self.result, self.model = (
            Artefact(folder / name) for name in ("metrics", "report", "result", "model")
        )
        Path(self.model.path).mkdir()
        (Path(self.model.path) / stages.MODEL_FILE).write_bytes(model.read_bytes())
        self.model.metadata.update(data="data", code="code")

    def compare(self, data: "Data") -> None:
        stages.comparison(self.model, data.stills, data.road, self.metrics, self.report, self.result)


class Data(SimpleNamespace):
    """Data that is made once: stills of the track, painted pictures of it, and painted roads."""

    stills: Artefact
    track: Artefact
    road: Artefact


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[str, str, str]]:
    with serve_s3(tmp_path_factory.mktemp("stages") / "s3") as server:
        yield server


@pytest.fixture(autouse=True)
def store(server, request, monkeypatch) -> Connection:
    """A bucket for each test, without a model."""
    endpoint, key, secret = server
    bucket = f"b{abs(hash(request.node.name))}"
    variables = ("AWS_S3_ENDPOINT", "AWS_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    for name, value in zip(variables, (endpoint, bucket, key, secret), strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    return Connection(endpoint, bucket, key, secret)


@pytest.fixture(scope="module")
def data(server, tmp_path_factory) -> Data:
    """The stages before the training, on few pictures."""
    folder, patch = tmp_path_factory.mktemp("data"), pytest.MonkeyPatch()
    made = Data(**{name: Artefact(folder / name) for name in ("stills", "track", "road")})
    endpoint, key, secret = server
    seed(Connection(endpoint, "content", key, secret).client, "content")
    with patch.context():
        variables = ("AWS_S3_ENDPOINT", "AWS_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        for name, value in zip(variables, (endpoint, "content", key, secret), strict=True):
            patch.setenv(name, value)
        patch.setattr(stages, "ROAD_PICTURES", ROAD_PICTURES)
        stages.dataset(made.stills)
        stages.synthetic(1, 1, made.track, made.road)
        patch.undo()
    return made


def test_the_training_learns_from_the_stills_the_track_and_as_many_roads_as_step_3_says(
    data, tmp_path, monkeypatch
) -> None:
    learnt: dict[str, int] = {}

    def learn(step, datasets, val, out_dir, start, recipe) -> Trained:
        learnt.update({each.name: len(list((each / "images").iterdir())) for each in datasets})
        return Trained(out_dir / "model.pt", SHIPPED_MODEL)

    monkeypatch.setattr("brakepoint.training.fine_tuning.learn", learn)
    model = Artefact(tmp_path / "model")

    stages.training(1, 0, data.stills, data.track, model)

    pictures = learnt["track"] + learnt["train"]
    assert learnt == {"track": 1, "train": pictures - 1, "roads": road_pictures(pictures)}
    assert (Path(model.path) / stages.MODEL_FILE).read_bytes() == SHIPPED_MODEL.read_bytes()
    fingerprints = [each.metadata["fingerprint"][:32] for each in (data.stills, data.track)]
    assert model.metadata == {
        "epochs": 1,
        "data": "".join(fingerprints),
        "code": code_fingerprint("training"),
    }


def test_each_dataset_says_how_much_is_in_it_and_what(data) -> None:
    made, count = data.stills.metadata, {}
    for part in ("train", "val"):
        count[part] = len(list((Path(data.stills.path) / part / "images").iterdir()))

    assert (made["training"], made["validation"]) == (count["train"], count["val"])
    assert (data.track.metadata["pictures"], data.road.metadata["pictures"]) == (1, ROAD_PICTURES)
    for each in (data.stills, data.track, data.road):
        assert each.metadata["fingerprint"] == folder_fingerprint(Path(each.path))


def test_a_good_model_is_published_with_its_figures_and_goes_into_production(store, data, tmp_path) -> None:
    registry, run = Registry(store), Run(tmp_path / "run", SHIPPED_MODEL)
    registry.promote(registry.publish(BASE_MODEL).number)

    run.compare(data)
    stages.gate(LEAST, TOLERANCE, run.result)
    published = stages.publish(run.model, run.result)

    assert registry.production().history == (1, 2)
    assert published == registry.version(2)
    assert (published.data, published.code) == ("data", "code")
    compared = read_comparison(Path(run.result.path))
    assert published.metrics == compared.new
    assert compared.version == 1 and compared.production is not None
    assert compared.new["track"] > compared.production["track"]
    assert run.metrics.metadata["track_map50"] == compared.new["track"]


def test_a_worse_model_is_refused_and_nothing_is_published(store, data, tmp_path) -> None:
    registry, run = Registry(store), Run(tmp_path / "run", BASE_MODEL)
    registry.promote(registry.publish(SHIPPED_MODEL).number)

    run.compare(data)
    with pytest.raises(UserError) as refused:
        stages.gate(0.0, TOLERANCE, run.result)

    assert refused.value.key == "pipeline.refused"
    assert "production" in str(refused.value)
    assert [version.number for version in registry.versions()] == [1]


def test_the_report_holds_the_figures_and_the_plots_and_needs_nothing_beside_it(data, tmp_path) -> None:
    run = Run(tmp_path / "run", SHIPPED_MODEL)

    run.compare(data)

    page = Path(run.report.path).read_text("utf-8")
    compared = read_comparison(Path(run.result.path))
    assert compared.production is None and compared.version is None
    assert f"{compared.new['track']:.3f}" in page
    plots = sorted(path.name for path in Path(run.result.path).glob("*.png"))
    assert plots == sorted(
        f"{world}-{plot}.png"
        for world in ("track", "road")
        for plot in ("precision-recall", "confusion", "worst")
    )
    assert page.count("data:image/jpeg;base64,") == len(plots)
    assert "://" not in page


def test_what_listens_to_a_component_has_written_every_character(tmp_path) -> None:
    from brakepoint.pipeline.local import _Listener

    with (tmp_path / "log.txt").open("w", encoding="utf-8") as log:
        assert _Listener(log, lambda *_: None).write("one\ntwo") == 7
