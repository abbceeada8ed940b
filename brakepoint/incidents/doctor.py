"""What `brakepoint doctor` checks on an incident's train: whether its settings, clocks and model agree.

It neither drives the train nor examines pictures, so it misses faults that only these reveal.
"""

from collections.abc import Iterator
from pathlib import Path

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.incidents.site import Site
from brakepoint.messages import SignClass
from brakepoint.texts import number, text
from brakepoint.workshop.doctor import Finding

CLOCKS_APART_MAX_S = 0.1
"""The limit for the difference between clocks, as given on the page about incidents."""


def examine_site(folder: Path) -> Iterator[Finding]:
    """Looks at settings, clocks and model; changes nothing.

    Args:
        folder: Folder of the site.
    """
    try:
        site = Site.load(folder)
        classes = Detector(site.model).classes
    except UserError as error:
        yield Finding(text("doctor.site.what"), str(error))
        return
    clocks = site.setup.clocks.model_dump()
    apart_s = max(0.0, *clocks.values()) - min(0.0, *clocks.values())  # The train's own clock is one of them.
    ahead = ", ".join(f"{name} {number(ahead_s, 1)} s" for name, ahead_s in clocks.items())
    agree = apart_s < CLOCKS_APART_MAX_S
    yield _finding("clocks", agree, apart=number(apart_s, 1), ahead=ahead)
    yield _finding("classes", classes == tuple(SignClass), classes=", ".join(classes))


def _finding(name: str, well: bool, **values: str) -> Finding:
    what = text(f"doctor.{name}.what", None, **values)
    return Finding(what, "" if well else text(f"doctor.{name}.remedy", None, **values))
