"""`brakepoint souvenir`: the page to take home."""

from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from brakepoint.cli.mission import DEFAULT_OUT as DEFAULT_RUN
from brakepoint.cli.train import DEFAULT_OUT as DEFAULT_TRAIN
from brakepoint.course import chosen_track
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.mission.report import REPORT_NAME, Recording, load_run
from brakepoint.room import own_handle
from brakepoint.texts import text
from brakepoint.truth import load_truth
from brakepoint.workshop.curves import Chart, approach, learning
from brakepoint.workshop.progress import Progress
from brakepoint.workshop.souvenir import PAGE_NAME, Film, Souvenir, built, write_souvenir

DEFAULT_PAGE = Path("runs") / PAGE_NAME


def souvenir_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="cli.souvenir.run")] = DEFAULT_RUN,
    handle: Annotated[
        str, typer.Option("--handle", metavar="NAME", show_default=False, help="cli.souvenir.handle")
    ] = "",
    train: Annotated[Path, typer.Option("--train", metavar="DIR", help="cli.souvenir.train")] = DEFAULT_TRAIN,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="cli.souvenir.out")] = DEFAULT_PAGE,
) -> None:
    """Writes the page.

    Raises:
        UserError: There is nothing to show yet, or the run that was named cannot be read.
    """
    progress, there = Progress.load(), run != DEFAULT_RUN or (run / REPORT_NAME).is_file()
    done = {name: entry.done for name, entry in progress.steps.items()}
    if not there and not any(done.values()):
        raise UserError("souvenir.error.nothing", folder=run)
    report, recordings = load_run(run) if there else (None, [])
    page = Souvenir(
        handle=handle or own_handle(),
        day=_last_day(progress),
        steps=built(done, chosen_track()),
        missions=report.missions if report else (),
        film=_film(run, _fullest(recordings)) if recordings else None,
        charts=_charts(train, recordings),
        steps_by=report.steps if report else "",
        detector=report.detector if report else "",
    )
    is_whole = write_souvenir(out, page)
    key = "cli.souvenir.written" if is_whole else "cli.souvenir.written_two"
    typer.echo(text(key, path=out, film=out.with_suffix(".mp4").name))


def _last_day(progress: Progress) -> date:
    """The day on which the attendee last worked; today if there is none."""
    moments = [entry.last_at for entry in progress.steps.values() if entry.last_at is not None]
    return max(moments, default=datetime.now(UTC)).astimezone().date()


def _fullest(recordings: list[Recording]) -> Recording:
    """The run with the most signs, which shows the most."""
    return max(recordings, key=lambda recording: len(recording.mission.signs))


def _film(run: Path, recording: Recording) -> Film | None:
    """The mission's film of a run; None if the film is gone."""
    film, poster = (run / f"{recording.feed}.{ending}" for ending in ("mp4", "jpg"))
    if not (film.is_file() and poster.is_file()):
        return None
    return Film(film.read_bytes(), poster.read_bytes())


def _charts(train: Path, recordings: list[Recording]) -> tuple[Chart, ...]:
    """The curves for which there is data."""
    found = [learning(train / "run" / "results.csv")]
    if recordings:
        fullest = _fullest(recordings)
        with suppress(UserError):  # The feed may be gone; the page then lacks this curve.
            found.append(approach(fullest, load_truth(find_feed(fullest.feed).with_suffix(".json"))))
    return tuple(chart for chart in found if chart is not None)
