"""`brakepoint store`: manages the object store's content."""

import typer

from brakepoint import extras
from brakepoint.cli.usage import CommandLine
from brakepoint.texts import text

store_app = CommandLine(help="cli.store.help", no_args_is_help=True)


@store_app.callback()
def store_callback() -> None:
    """Keeps `seed` a subcommand although it is the only one."""


@store_app.command("seed", help="cli.store.seed.help")
def seed_command() -> None:
    """Uploads the kit's content to the store."""
    extras.require("workshop", "boto3")
    from brakepoint.cli.evaluate import progress_on_stderr
    from brakepoint.store import friendly_errors, object_store, seed

    with (
        object_store() as store,
        friendly_errors(store.endpoint, store.bucket),
        progress_on_stderr(text("cli.store.seed.progress")) as on_progress,
    ):
        count = seed(store.client, store.bucket, on_progress)
        typer.echo(text("cli.store.seed.done", count=count, bucket=store.bucket, endpoint=store.endpoint))
