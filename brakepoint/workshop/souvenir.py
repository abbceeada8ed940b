"""The page to take home: what was built, how the train drove, and how well the model saw.

The page is one file that opens without a network, and names the person only by handle.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from markupsafe import Markup

from brakepoint.course import Step, Track, course
from brakepoint.files import write_whole
from brakepoint.mission.page import environment, frame
from brakepoint.mission.report import Mission
from brakepoint.models import SHIPPED_MODEL
from brakepoint.workshop.curves import Chart

PAGE_NAME = "souvenir.html"
EMBED_MAX_BYTES = 16_000_000
"""A larger film is saved beside the page: browsers load large pages slowly, and mail servers reject them."""


@dataclass(frozen=True)
class Built:
    """The progress in one step, as the page shows it.

    Attributes:
        step: The step.
        done: The exercises of the step that were done.
        asked: The exercises that the track asks for.
    """

    step: Step
    done: tuple[str, ...]
    asked: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether every exercise that the track asks for is done."""
        return set(self.asked) <= set(self.done)


@dataclass(frozen=True)
class Film:
    """The film of a run.

    Attributes:
        mp4: The film.
        poster: A JPEG of the run's most informative moment.
    """

    mp4: bytes
    poster: bytes


@dataclass(frozen=True)
class Souvenir:
    """What the page shows.

    Attributes:
        handle: Handle of the person; may be empty.
        day: When the work was done.
        steps: The exercises done in each step, in the order of the steps.
        missions: The reports of the train's missions.
        film: The film of one of these missions.
        map50: The model's mAP50 on the hidden feed, 0 to 1.
        charts: The model's curves.
        steps_by: Source of the autopilot that drove, `labs` or `solutions`; empty if it is certainly the
            attendee's.
        detector: File name of the model that drove.
    """

    handle: str
    day: date
    steps: tuple[Built, ...]
    missions: tuple[Mission, ...] = ()
    film: Film | None = None
    map50: float | None = None
    charts: tuple[Chart, ...] = ()
    steps_by: str = ""
    detector: str = ""


def built(done: Mapping[str, Sequence[str]], track: Track) -> tuple[Built, ...]:
    """The steps of the course.

    Args:
        done: The exercises that were done, by the step's name.
        track: The track, which determines the exercises that are asked for.
    """
    return tuple(Built(step, tuple(done.get(step.name, ())), step.exercises_of(track)) for step in course())


def write_souvenir(path: Path, souvenir: Souvenir) -> bool:
    """Writes the page, and the film beside it if the page would be too large with the film.

    Args:
        path: The HTML file; its folder is created.
        souvenir: What it shows.

    Returns:
        Whether the page contains everything, so that one file is enough.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    film, beside = souvenir.film, path.with_suffix(".mp4")
    is_whole = film is None or len(film.mp4) <= EMBED_MAX_BYTES
    if film is not None and not is_whole:
        write_whole(beside, film.mp4)
    write_whole(path, render(souvenir, "" if is_whole else beside.name).encode())
    return is_whole


def render(souvenir: Souvenir, film_beside: str = "") -> str:
    """The page.

    Args:
        souvenir: What it shows.
        film_beside: File name of a film beside the page; by default the page contains the film.
    """
    film = souvenir.film
    return (
        environment(__package__)
        .get_template("souvenir.html.j2")
        .render(
            souvenir=souvenir,
            film=_data("video/mp4", film.mp4) if film is not None and not film_beside else "",
            film_beside=film_beside,
            poster=_data("image/jpeg", film.poster) if film is not None else "",
            shipped=SHIPPED_MODEL.name,
            **frame("souvenir.title", souvenir.steps_by, souvenir.detector),
        )
    )


def _data(media_type: str, content: bytes) -> Markup:
    return Markup(f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}")
