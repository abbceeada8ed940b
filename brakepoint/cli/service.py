"""`brakepoint service NAME`: runs one service of the live train."""

from typing import Annotated

import typer

from brakepoint.errors import UserError
from brakepoint.services import ServiceSettings, run_service

Feed = Annotated[str, typer.Option("--feed", metavar="NAME", help="live.option.feed")]
Camera = Annotated[str, typer.Option("--camera", metavar="URI", help="live.option.camera")]
Hub = Annotated[str, typer.Option("--hub", metavar="URI", help="live.option.hub")]
Model = Annotated[str, typer.Option("--detector", metavar="MODEL.onnx|oracle", help="live.option.detector")]
Steps = Annotated[str, typer.Option("--steps", metavar="solutions|labs", help="live.option.steps")]
Broker = Annotated[str, typer.Option("--broker", metavar="URL", help="live.option.broker")]
TrainId = Annotated[str, typer.Option("--train-id", metavar="NAME", help="live.option.train_id")]
TrainAt = Annotated[str, typer.Option("--link", metavar="HOST:PORT", help="live.option.train_at")]
Page = Annotated[str, typer.Option("--page", metavar="HOST:PORT", help="live.option.page")]


def check_train(hub: str, link: str) -> None:
    """Rejects `--hub` together with `--link`: a train that already runs elsewhere has its own hub.

    Raises:
        UserError: Both `hub` and `link` are given.
    """
    if hub and link:
        raise UserError("live.error.hub_at_link")


def service_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="live.option.name")],
    feed: Feed = "",
    camera: Camera = "",
    hub: Hub = "",
    detector: Model = "",
    steps: Steps = "",
    broker: Broker = "",
    train_id: TrainId = "",
    link: Annotated[str, typer.Option("--link", metavar="HOST:PORT", help="live.option.link")] = "",
    page: Page = "",
    token: Annotated[str, typer.Option("--token", help="live.option.token")] = "",
) -> None:
    """Runs until SIGTERM or Ctrl-C."""
    run_service(
        name,
        ServiceSettings.given(
            feed=feed,
            camera=camera,
            hub=hub,
            detector=detector,
            steps=steps,
            broker=broker,
            train_id=train_id,
            link=link,
            page=page,
            token=token,
        ),
    )
