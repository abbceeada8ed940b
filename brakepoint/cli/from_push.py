"""The steps of `brakepoint deploy --from-push` before driving: push, build, and report."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brakepoint import extras
from brakepoint.cli.screen import print_table
from brakepoint.delivery.credentials import Secrets
from brakepoint.delivery.rendering import Manifest
from brakepoint.delivery.running import Launch
from brakepoint.errors import UserError
from brakepoint.places import WORKPLACE
from brakepoint.registry.names import COPY_KEY
from brakepoint.rollout.architectures import MACHINES, emulate, own_architecture
from brakepoint.rollout.definitions import Value
from brakepoint.rollout.execution import Account, OnNews, Outcome
from brakepoint.rollout.pushing import is_clean, push
from brakepoint.rollout.store import Store
from brakepoint.rollout.train import Train
from brakepoint.rollout.workplace import Delivered, Workplace
from brakepoint.store.connection import Connection
from brakepoint.texts import harmless, number, text

FOLDER = Path("runs/delivery")
TESTS = 'make mission ARGS="--steps {source}" PYTHON=python3.11'
"""The tests that a room requires before building an image (brakepoint/room/attendee_delivery.py)."""
CONNECTION = "aws-connection-brakepoint"
"""The pipeline's default name for the Secret with the data connection."""
COLUMNS: dict[str, Literal["left", "right"]] = {
    "task": "left",
    "outcome": "left",
    "seconds": "right",
    "note": "left",
}
COLOURS = {Outcome.SUCCEEDED: "green", Outcome.FAILED: "red", Outcome.NOT_HERE: "yellow"}


@contextmanager
def from_push(
    source: str, console: Console, folder: Path = FOLDER
) -> Iterator[tuple[list[Manifest], Launch]]:
    """Pushes the current clone, and runs the pipeline.

    Args:
        source: Source of steps, pipeline and overlay: `solutions` or `labs`.
        console: Console for messages.
        folder: Where forge, registry and root file systems are kept.

    Yields:
        The overlay committed by the pipeline, and how to start its containers.

    Raises:
        UserError: A task failed, or something that a task needs is missing.
    """
    with ExitStack() as stack:
        params: dict[str, Value] = {"tests": TESTS.format(source=source)}
        secrets: Secrets = {}
        if connection := _with_a_model(stack):
            params["model-key"] = COPY_KEY
            secrets[CONNECTION] = _as_secret(connection)
        console.print(text("cli.deploy.push.preparing"))
        architectures, missing = _architectures()
        place = Workplace(folder, source, params, secrets, _teller(console), architectures)
        stack.enter_context(place)
        for error in missing:
            console.print(escape(text("cli.deploy.push.not_built", None, why=error)))
        if not is_clean(WORKPLACE):
            console.print(text("cli.deploy.push.not_committed"))
        console.print(text("cli.deploy.push.pushed", None, commit=push(WORKPLACE, place.forge)[:12]))
        runs = list(place.deliver())
        if not runs:
            raise UserError("rollout.error.no_run")
        done = runs[-1]
        print_table(console, _tasks_table(place, done))
        if not done.succeeded:
            raise UserError("rollout.error.failed", log=_log_of_failed(place, done))
        print_table(console, _layers_table(place.store, f"{place.image}@{done.digest}"))
        manifests = place.overlay_at()
        train = Train(manifests, place.store, place.folder / "train", own_architecture())
        yield manifests, train.launch


def _architectures() -> tuple[tuple[str, ...], list[UserError]]:
    """The architectures for which to build, this machine's first, and why each of the others is left out."""
    built, missing = [own_architecture()], []
    for architecture in MACHINES.keys() - {*built}:
        try:
            emulate(architecture)
            built.append(architecture)
        except UserError as error:
            missing.append(error)
    return tuple(built), missing


def _with_a_model(stack: ExitStack) -> Connection | None:
    """The store if its registry has a model in production."""
    extras.require("workshop", "boto3")
    from brakepoint.registry.bucket import Registry
    from brakepoint.store import object_store

    store = stack.enter_context(object_store())
    return store if Registry(store).production().number else None


def _as_secret(connection: Connection) -> dict[str, str]:
    """The variables of a data connection."""
    return {
        "AWS_S3_ENDPOINT": connection.endpoint,
        "AWS_S3_BUCKET": connection.bucket,
        "AWS_ACCESS_KEY_ID": connection.access_key,
        "AWS_SECRET_ACCESS_KEY": connection.secret_key,
        "AWS_DEFAULT_REGION": connection.region,
    }


def _teller(console: Console) -> OnNews:
    def tell(news: Account | str) -> None:
        if isinstance(news, str):
            console.print(escape(text("cli.deploy.push.task", None, task=news)))

    return tell


def _tasks_table(place: Workplace, done: Delivered) -> Table:
    table = Table(title=text("cli.deploy.push.tasks"), title_justify="left")
    for name, side in COLUMNS.items():
        table.add_column(text(f"cli.deploy.push.column.{name}"), justify=side)
    for account in done.accounts:
        outcome = account.done.outcome
        said = f"[{COLOURS.get(outcome, 'default')}]{text(f'cli.deploy.push.outcome.{outcome}')}[/]"
        note = escape(harmless(account.done.why or place.last_words(account.name)))
        table.add_row(escape(account.name), said, f"{account.seconds:.0f}", note)
    table.add_section()
    table.add_row(text("cli.deploy.push.total"), "", f"{sum(one.seconds for one in done.accounts):.0f}", "")
    return table


def _layers_table(store: Store, image: str) -> Table:
    name, listed = image.partition("@")[0], store.architectures(image)
    table = Table(title=text("cli.deploy.push.layers", None, image=image), title_justify="left")
    table.add_column(text("cli.deploy.push.column.layer"))
    sizes = {architecture: store.layers(f"{name}@{digest}") for architecture, digest in listed.items()}
    for architecture in sizes:
        table.add_column(f"{architecture} (MB)", justify="right")
    made_by = [layer.made_by[:60] for layer in next(iter(sizes.values()))]
    for index, instruction in enumerate([text("cli.deploy.push.base"), *made_by[1:]]):
        megabytes = (number(those[index].megabytes, 1) for those in sizes.values())
        table.add_row(escape(instruction), *megabytes, end_section=index == len(made_by) - 1)
    totals = (number(sum(layer.megabytes for layer in those), 1) for those in sizes.values())
    table.add_row(text("cli.deploy.push.total"), *totals)
    return table


def _log_of_failed(place: Workplace, done: Delivered) -> Path:
    return place.log(next(one.name for one in done.accounts if one.done.outcome is Outcome.FAILED))
