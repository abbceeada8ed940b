"""Creates the instructor's slides, a self-contained page for each language: `make slides`."""

import base64
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from brakepoint.course import course, set_up_minutes
from brakepoint.files import write_whole
from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.rules import FULL_SPEED_CM_S
from brakepoint.texts import languages, text
from brakepoint.workshop.explanations import figures

DOCS = Path(__file__).resolve().parent
IMAGES = DOCS / "images"
OUT = DOCS.parent / "runs" / "slides"
STYLE = DOCS.parent / "brakepoint" / "web" / "static" / "style.css"


@dataclass(frozen=True)
class Slide:
    """One slide; its text is `slides.NAME` in the catalogue.

    Attributes:
        name: Name of the slide in its text's key and in its address.
        minutes: Duration in minutes.
        picture: A picture or a film in `docs/images/LANGUAGE/`.
    """

    name: str
    minutes: int
    picture: str


SLIDES = (
    Slide("begin", 1, "mission.png"),
    Slide("film", 2, "film.mp4"),
    Slide("rules", 2, "step6-before.png"),
    Slide("steps", 2, "notebook.png"),
    Slide("data", 2, "step1.jpg"),
    Slide("synthetic", 2, "step2.jpg"),
    Slide("training", 2, "step3-after.jpg"),
    Slide("pipeline", 1, "live.png"),
    Slide("autopilot", 2, "step6-after.png"),
    Slide("safety", 1, "mission.webp"),
    Slide("delivery", 1, "step7.png"),
    Slide("work", 2, "check-fails.png"),
)
MINUTES = 20
"""Total duration of the slides."""


def render(lang: str) -> str:
    """The slides in one language, as a page that loads no other file."""
    environment = Environment(
        autoescape=True, loader=FileSystemLoader(DOCS), undefined=StrictUndefined, trim_blocks=True
    )
    values = figures() | {
        "full_speed": round(FULL_SPEED_CM_S),
        "stopping_cm": STOPPING_LIMIT_CM,
        "core": set_up_minutes() + sum(step.core_minutes for step in course()),
    }

    def say(key: str, **more: object) -> str:
        return text(f"slides.{key}", lang, **{**values, **more})

    until, slides = 0, []
    for number, slide in enumerate(SLIDES, 1):
        until += slide.minutes
        slides.append(
            {
                "name": slide.name,
                "title": say(f"{slide.name}.title"),
                "points": say(f"{slide.name}.points").strip().splitlines(),
                "notes": say(f"{slide.name}.notes"),
                "alt": say(f"{slide.name}.picture"),
                "picture": embedded(IMAGES / lang / slide.picture),
                "is_film": slide.picture.endswith(".mp4"),
                "place": say("place", number=number, count=len(SLIDES)),
                "clock": say("clock", minutes=slide.minutes, until=until, all=MINUTES),
            }
        )
    # Only colours and fonts; the other rules of the file are for other pages.
    style, _, _ = STYLE.read_text(encoding="utf-8").partition("\n\n")
    page = environment.get_template("slides.html.j2")
    return page.render(lang=lang, slides=slides, say=say, keys=say("keys"), style=style)


def embedded(path: Path) -> str:
    """A file as a data URL."""
    kind, _ = mimetypes.guess_type(path.name)
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def main() -> None:
    """Writes the slides of every language."""
    OUT.mkdir(parents=True, exist_ok=True)
    for lang in languages():
        path = OUT / f"{lang}.html"
        write_whole(path, render(lang).encode())
        print(text("slides.made", lang, path=path))  # noqa: T201


if __name__ == "__main__":
    main()
