"""A page on how the day went, to improve the next edition of the workshop. It names attendees by handle."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from statistics import median

from jinja2 import Environment, StrictUndefined

from brakepoint.course import course
from brakepoint.room.config import Room
from brakepoint.room.history import STUCK_AFTER_MIN, Heard, History
from brakepoint.room.outcomes import Scores
from brakepoint.texts import catalogue, language, number, text
from brakepoint.web import style

REPORT_NAME = "report.html"
WORST = 5
"""Number of exercises in the list of the most difficult ones."""


@dataclass(frozen=True)
class ExerciseStory:
    """How one exercise went for the room.

    Attributes:
        step: Name of the exercise's step.
        name: Name of the exercise.
        number: Number of the step.
        minutes: For each attendee who passed it, minutes since the previous pass or the first check.
        here: Handles of the attendees who got this far and no further.
    """

    step: str
    name: str
    number: int
    minutes: tuple[float, ...]
    here: tuple[str, ...]

    @property
    def median_min(self) -> float:
        """Median of `minutes`; 0 if no one passed."""
        return median(self.minutes) if self.minutes else 0.0

    @property
    def stuck(self) -> int:
        """How many attendees never passed, or took so long that the board showed them as stuck."""
        return sum(one >= STUCK_AFTER_MIN for one in self.minutes) + len(self.here)


@dataclass(frozen=True)
class WrongAnswer:
    """One wrong answer that the checks recognise.

    Attributes:
        message: The check's message, with its placeholders.
        times: How often the answer occurred.
        attendees: Number of attendees who gave the answer.
    """

    message: str
    times: int
    attendees: int


def exercise_stories(history: History) -> list[ExerciseStory]:
    """How each exercise went, in the order of the course."""
    names = [(step, exercise) for step in course() for exercise in step.exercises]
    taken = {handle: _minutes(heard) for handle, heard in history.heard.items()}
    next_up = {
        handle: next(
            ((step.name, name) for step, name in names if name not in heard.done.get(step.name, ())), None
        )
        for handle, heard in history.heard.items()
    }
    return [
        ExerciseStory(
            step=step.name,
            name=name,
            number=step.number,
            minutes=tuple(own[key] for own in taken.values() if (key := f"{step.name}.{name}") in own),
            here=tuple(handle for handle, place in next_up.items() if place == (step.name, name)),
        )
        for step, name in names
    ]


def _minutes(heard: Heard) -> dict[str, float]:
    """Minutes taken for each passed exercise; exercises that passed together share the time."""
    together = Counter(heard.passed.values())
    before: dict[datetime, datetime] = {}
    last = heard.began
    for moment in sorted(together):
        before[moment], last = last or moment, moment
    return {
        name: (moment - before[moment]).total_seconds() / 60 / together[moment]
        for name, moment in heard.passed.items()
    }


def wrong_answers(history: History, lang: str) -> list[WrongAnswer]:
    """The wrong answers that occurred, most frequent first."""
    times: Counter[str] = Counter()
    attendees: Counter[str] = Counter()
    for heard in history.heard.values():
        times.update(heard.wrong)
        attendees.update(heard.wrong.keys())
    messages = catalogue()
    return [
        WrongAnswer(messages[key][lang], count, attendees[key])
        for key, count in times.most_common()
        if key in messages
    ]


def report(room: Room) -> str:
    """The page, in the reader's language.

    Args:
        room: The room; the board's history is read from its folder.
    """
    history, scores = History.load(room.folder), Scores.load(room.folder)
    stories = exercise_stories(history)
    template = resources.files("brakepoint.room").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"t": lambda key, **values: text(key, None, **values), "n": number}
    worst = sorted(stories, key=lambda story: (-story.stuck, -story.median_min))[:WORST]
    return environment.from_string(template).render(
        room=room,
        lang=language(),
        style=style(),
        attendees=len(history.heard),
        scored=len(scores.marks),
        stories=stories,
        worst=[story for story in worst if story.stuck],
        wrong=wrong_answers(history, language()),
    )
