"""What `brakepoint deploy --from-push` prints: the tasks, and the layers of the image that they pushed."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from brakepoint import store as stores
from brakepoint.cli import from_push
from brakepoint.cli.from_push import _layers_table, _tasks_table
from brakepoint.cli.up import teller
from brakepoint.errors import UserError
from brakepoint.registry import bucket
from brakepoint.registry.names import COPY_KEY
from brakepoint.rollout.execution import Account, Done, Outcome
from brakepoint.rollout.forge import Push
from brakepoint.rollout.store import Layer
from brakepoint.rollout.workplace import Delivered
from brakepoint.store import Connection
from brakepoint.texts import text

IMAGE = "registry/room/train"
PRINTED = "cli.deploy.push"


def printed(table: Table) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table)
    return shown.get()


def columns(table: Table) -> dict[str, list[str]]:
    return {str(column.header): [str(cell) for cell in column.cells] for column in table.columns}


def test_each_layer_has_its_size_for_each_architecture() -> None:
    layers = {
        f"{IMAGE}@sha256:a": [Layer("FROM base", 30.0), Layer("COPY " + "x" * 80, 4.26)],
        f"{IMAGE}@sha256:b": [Layer("FROM base", 28.5), Layer("COPY " + "x" * 80, 4.0)],
    }
    listed = {"amd64": "sha256:a", "arm64": "sha256:b"}
    store: Any = SimpleNamespace(architectures=lambda _: listed, layers=layers.__getitem__)

    assert columns(_layers_table(store, f"{IMAGE}@sha256:list")) == {
        text(f"{PRINTED}.column.layer"): ["base", "COPY " + "x" * 55, "total"],
        "amd64 (MB)": ["30.0", "4.3", "34.3"],
        "arm64 (MB)": ["28.5", "4.0", "32.5"],
    }


def test_sizes_have_a_decimal_comma_in_french(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "fr")
    store: Any = SimpleNamespace(
        architectures=lambda _: {"amd64": "sha256:a"}, layers=lambda _: [Layer("FROM base", 4.26)]
    )

    assert columns(_layers_table(store, IMAGE))["amd64 (MB)"] == ["4,3", "4,3"]


def test_a_task_shows_why_it_failed_or_else_the_last_line_of_its_log() -> None:
    place: Any = SimpleNamespace(last_words=lambda name: f"end of {name}")
    failed = Done(Outcome.FAILED, why="step sign: 1")
    done: Any = SimpleNamespace(
        accounts=[Account("clone", Done(Outcome.SUCCEEDED), 3.6), Account("sign", failed)]
    )

    outcomes = [text(f"{PRINTED}.outcome.{outcome}") for outcome in (Outcome.SUCCEEDED, Outcome.FAILED)]
    assert columns(_tasks_table(place, done)) == {
        text(f"{PRINTED}.column.task"): ["clone", "sign", "total"],
        text(f"{PRINTED}.column.outcome"): [f"[green]{outcomes[0]}[/]", f"[red]{outcomes[1]}[/]", ""],
        text(f"{PRINTED}.column.seconds"): ["4", "0", "4"],
        text(f"{PRINTED}.column.note"): ["end of clone", "step sign: 1", ""],
    }


LAST_WORDS = ("[notice] A new release of pip is available", "sh: [/usr/bin/env: not found]", "[red]loud[/]")


@pytest.mark.parametrize("words", LAST_WORDS)
def test_what_a_task_said_or_an_image_was_made_by_is_shown_as_it_is(words) -> None:
    place: Any = SimpleNamespace(last_words=lambda name: words)
    done: Any = SimpleNamespace(accounts=[Account("clone", Done(Outcome.SUCCEEDED))])
    store: Any = SimpleNamespace(
        architectures=lambda _: {"amd64": "sha256:a"},
        layers=lambda _: [Layer("FROM base", 1.0), Layer(words, 1.0)],
    )

    assert words in printed(_tasks_table(place, done))
    assert words in printed(_layers_table(store, f"{IMAGE}@sha256:list"))


def test_a_pod_that_only_an_overlay_knows_is_heard_like_the_kits_own() -> None:
    console = Console(width=200)
    with console.capture() as shown:
        for name in ("broker", "exporter"):
            teller(console)(name, "[/up]")

    assert [line.split() for line in shown.get().splitlines()] == [
        ["broker", "│", "[/up]"],
        ["exporter", "│", "[/up]"],
    ]


class PreparedPlace:
    """A workplace whose pipeline has run already; it records what it was given, and whether it was left."""

    folder, image, forge = Path("delivery"), "a/train", "forge"
    store: Any = SimpleNamespace(
        architectures=lambda _: {"amd64": "sha256:a"},
        layers=lambda _: [Layer("FROM base", 30.0), Layer("COPY brakepoint solution", 1.5)],
    )

    def __init__(self, accounts: list[Account]) -> None:
        self._runs = [Delivered(Push("refs/heads/main", "c0ffee", ""), accounts)] if accounts else []
        self.is_open = False

    def __call__(self, *given: Any) -> "PreparedPlace":
        _, self.source, self.params, self.secrets, self._tell, self.architectures = given
        return self

    def __enter__(self) -> "PreparedPlace":
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def deliver(self) -> Iterator[Delivered]:
        for done in self._runs:
            for account in done.accounts:
                self._tell(account.name)
                self._tell(account)
            yield done

    def overlay_at(self) -> list[Any]:
        return [{"kind": "Deployment"}]

    def last_words(self, name: str) -> str:
        return ""

    def log(self, task: str) -> Path:
        return Path(f"{task}.log")


CLONE = Account("clone", Done(Outcome.SUCCEEDED), 3.6)
MANIFEST = Account("manifest", Done(Outcome.SUCCEEDED, {"digest": "sha256:list"}), 1.0)
SIGN = Account("sign", Done(Outcome.FAILED, why="step sign: 1"))
STORE = Connection("http://store:9000", "spring", "key", "secret")
PREPARING = text("cli.deploy.push.preparing", "en")


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone that is pushed as it is, on a machine that runs every architecture, beside an empty store."""
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    for name, stand_in in {
        "is_clean": lambda clone: True,
        "push": lambda clone, forge: "c0ffee" * 6,
        "own_architecture": lambda: "amd64",
        "emulate": lambda architecture: None,
        "Train": lambda *given: SimpleNamespace(launch=given),
    }.items():
        monkeypatch.setattr(from_push, name, stand_in)
    with_production(monkeypatch, None)


def with_production(monkeypatch: pytest.MonkeyPatch, number: int | None) -> None:
    version = SimpleNamespace(number=number)
    monkeypatch.setattr(stores, "object_store", lambda: nullcontext(STORE))
    monkeypatch.setattr(bucket, "Registry", lambda _: SimpleNamespace(production=lambda: version))


def delivered(place: PreparedPlace, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, str]:
    """What a push yields, and what is printed until then."""
    monkeypatch.setattr(from_push, "Workplace", place)
    console = Console(width=200, color_system=None)
    with console.capture() as shown, from_push.from_push("solutions", console) as (manifests, launch):
        assert place.is_open, "the registry must serve the train's images"
    return manifests, launch, "".join(f"{line.rstrip()}\n" for line in shown.get().splitlines())


REPORT = f"""\
{PREPARING}
Pushed c0ffeec0ffee. The pipeline is running:
  clone …
  manifest …
The pipeline's tasks
┏━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━┓
┃ task     ┃ outcome   ┃ seconds ┃ note ┃
┡━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━┩
│ clone    │ succeeded │       4 │      │
│ manifest │ succeeded │       1 │      │
├──────────┼───────────┼─────────┼──────┤
│ total    │           │       5 │      │
└──────────┴───────────┴─────────┴──────┘
Layers of a/train@sha256:list, compressed
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┓
┃ made by                  ┃ amd64 (MB) ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━┩
│ base                     │       30.0 │
│ COPY brakepoint solution │        1.5 │
├──────────────────────────┼────────────┤
│ total                    │       31.5 │
└──────────────────────────┴────────────┘
"""


def test_a_push_is_reported_from_its_preparation_to_the_layers_of_its_image(committed, monkeypatch) -> None:
    place = PreparedPlace([CLONE, MANIFEST])

    manifests, launch, printed = delivered(place, monkeypatch)

    assert printed == REPORT
    assert manifests == [{"kind": "Deployment"}]
    assert launch == (manifests, place.store, Path("delivery/train"), "amd64")
    assert place.architectures == ("amd64", "arm64")
    assert (place.source, place.secrets) == ("solutions", {})
    assert place.params == {"tests": 'make mission ARGS="--steps solutions" PYTHON=python3.11'}
    assert not place.is_open, "the registry would keep running"


def test_what_is_not_pushed_and_not_built_is_said_before_the_pipeline_runs(committed, monkeypatch) -> None:
    def emulate(architecture: str) -> None:
        raise UserError("rollout.error.not_emulated", architecture=architecture, why="no qemu")

    monkeypatch.setattr(from_push, "emulate", emulate)
    monkeypatch.setattr(from_push, "is_clean", lambda clone: False)
    place = PreparedPlace([CLONE, MANIFEST])

    _, _, printed = delivered(place, monkeypatch)

    why = "this machine cannot run programs for arm64: no qemu"
    assert place.architectures == ("amd64",)
    assert printed.splitlines()[1:4] == [
        text("cli.deploy.push.not_built", "en", why=why),
        text("cli.deploy.push.not_committed", "en"),
        "Pushed c0ffeec0ffee. The pipeline is running:",
    ]


def test_the_image_contains_the_model_in_production_which_the_pipeline_may_fetch(
    committed, monkeypatch
) -> None:
    with_production(monkeypatch, 3)
    place = PreparedPlace([CLONE, MANIFEST])

    delivered(place, monkeypatch)

    assert place.params["model-key"] == COPY_KEY
    assert place.secrets == {
        "aws-connection-brakepoint": {
            "AWS_S3_ENDPOINT": "http://store:9000",
            "AWS_S3_BUCKET": "spring",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    }


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ([CLONE, SIGN], text("rollout.error.failed", "en", log="sign.log")),
        ([], text("rollout.error.no_run", "en")),
    ],
)
def test_a_push_that_ends_without_an_image_starts_no_train(accounts, said, committed, monkeypatch) -> None:
    place = PreparedPlace(accounts)

    with pytest.raises(UserError) as refused:
        delivered(place, monkeypatch)

    assert str(refused.value) == said
    assert not place.is_open, "the registry would keep running"
