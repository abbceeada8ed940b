"""The page of a mission: one file that needs no network, in every language, in light and dark.

For each feed, the page shows the film, the speed along the line against the allowed speed, the signs with
their verdicts, the orders, whose fault each lost point was, and the first mistake. The films are beside the
page.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from brakepoint.look import SIGN_LOOKS, order_text, points, reason_text
from brakepoint.mission.page.plot import Plot, order_spans
from brakepoint.mission.report import Recording, Report
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.texts import catalogue, language, languages, number, text
from brakepoint.web import style


def both(words: Mapping[str, str], tag: str = "span") -> Markup:
    """A string in each language; the page shows only one of them."""
    if len(set(words.values())) == 1:
        return escape(next(iter(words.values())))
    return Markup("").join(
        Markup('<{0} class="{1}" lang="{1}">{2}</{0}>').format(tag, lang, words[lang]) for lang in languages()
    )


def _t(key: str, tag: str = "span", **values: float | str) -> Markup:
    """A string in every language; numbers among its values are formatted for each language."""
    return both(
        {
            lang: text(key, lang, **{name: _written(value, lang) for name, value in values.items()})
            for lang in languages()
        },
        tag,
    )


def _written(value: float | str, lang: str) -> str:
    return value if isinstance(value, str) else points(value, lang)


def _kind(kind: str, sign_class: str) -> Markup:
    known = f"sign.kind.{kind}" in catalogue()
    return _t(f"sign.kind.{kind}" if known else f"sign.class.{sign_class}")


@cache
def environment(package: str = __package__) -> Environment:
    """The templates of a package, with the frame, texts and numbers that all pages share."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, ".") for name in dict.fromkeys((package, __package__))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(t=_t, kind=_kind, looks=SIGN_LOOKS)
    environment.filters.update(
        num=lambda value, digits=0: both({lang: number(value, digits, lang) for lang in languages()}),
        points=lambda value: both({lang: points(value, lang) for lang in languages()}),
    )
    return environment


def _playable(recording: Recording) -> Markup:
    """The run for the page's player, as JSON that is safe in a script element."""
    ticks = recording.run.ticks
    data = {
        "rate": CONTROL_RATE_HZ,
        "position": [round(tick.position_cm, 1) for tick in ticks],
        "speed": [round(tick.speed_cm_s, 1) for tick in ticks],
        "orders": [
            {
                "from": span.first,
                "kind": span.order.kind,
                **{
                    lang: [order_text(span.order.kind, lang), reason_text(span.order.reason, lang)]
                    for lang in languages()
                },
            }
            for span in order_spans(ticks)
        ],
    }
    return in_script(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def in_script(data: str) -> Markup:
    """JSON that cannot end the script element that contains it."""
    return Markup(data.replace("<", "\\u003c"))


def render_page(report: Report, recordings: list[Recording], stills: Mapping[str, bytes]) -> str:
    """Writes the page.

    Args:
        report: The scores.
        recordings: The recording of each feed, in the report's order.
        stills: For each feed that went wrong, a JPEG of the first mistake.
    """
    pictures = {feed: base64.b64encode(jpeg).decode("ascii") for feed, jpeg in stills.items()}
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            sections=[(recording, Plot(recording), _playable(recording)) for recording in recordings],
            pictures=pictures,
            **frame("page.title", report.steps, report.detector),
        )
    )


def frame(title: str, steps: str = "", detector: str = "", script: str = "player.js") -> dict[str, Any]:
    """The variables for the frame of a page.

    Args:
        title: Key of the title.
        steps: Source of the step modules.
        detector: File name of the detector's model.
        script: Script in this folder, which runs after the one that switches language and theme.
    """
    files = (resources.files(__package__) / name for name in ("switches.js", script))
    player = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return {
        "steps": steps,
        "detector": detector,
        "lang": language(),
        "titles": {lang: text(title, lang) for lang in languages()},
        "names": {lang: text("language.name", lang) for lang in languages()},
        "style": Markup(style()),
        "player": Markup(player),
        "player_hash": Markup(base64.b64encode(hashlib.sha256(player.encode()).digest()).decode("ascii")),
    }
