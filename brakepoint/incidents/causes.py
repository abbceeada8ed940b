"""The incidents: what was done to the train in each. Their symptoms and suspects are in the catalogue."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from brakepoint.errors import UserError
from brakepoint.incidents.site import Site, name_of, old_autopilot, stale_model, swapped_model

Break = Callable[[Site], Site]
HINTS = 3
"""Number of hints for each incident."""


@dataclass(frozen=True)
class Incident:
    """One way to break a train.

    The texts are `incident.symptom.{name}`, `incident.cause.{name}` and `incident.hints.{name}.1` to `.3`.

    Attributes:
        number: Number by which a person requests the incident.
        name: Name of the cause.
        probe: The probe that detects the cause: `drives`, `sees` or `lives`.
        break_: Breaks the train.
    """

    number: int
    name: str
    probe: str
    break_: Break


def _setup(section: str, **values: object) -> Break:
    """Changes values in a section of `site.toml`."""
    return lambda site: site.changed(section, **values)


def _model(content: Callable[[], bytes]) -> Break:
    """Serves a different model."""
    return lambda site: site.changed("detector", model=name_of(content()))


def _train(**values: float) -> Break:
    """Changes a value in the camera's section of `train.toml`."""

    def change(site: Site) -> Site:
        eye = site.eye.model_copy(update=values)
        return replace(site, train=site.train.model_copy(update={"camera": eye}))

    return change


INCIDENTS = (
    Incident(1, "camera_lags", "drives", _setup("camera", buffers=7)),
    Incident(2, "stale_model", "sees", _model(stale_model)),
    Incident(3, "clock_off", "drives", _setup("clocks", autopilot=2.4)),
    Incident(4, "wrong_focal_length", "drives", _train(focal_px=690.0)),
    Incident(5, "swapped_classes", "sees", _model(swapped_model)),
    Incident(6, "old_autopilot", "drives", lambda site: site.driven_by(name_of(old_autopilot()))),
    Incident(7, "short_shutter", "sees", _setup("camera", shutter_ms=0.25)),
    Incident(8, "threshold_too_high", "sees", _setup("detector", confidence=0.95)),
    Incident(9, "upside_down", "sees", _setup("camera", turned_deg=180)),
    Incident(10, "camera_tilted", "drives", _train(pitch_deg=9.0)),
    Incident(11, "broker_right", "drives", _setup("rights", detector=())),
    Incident(12, "memory_limit", "lives", _setup("detector", memory_mb=96.0)),
)
INNOCENT = ("full_disk", "worn_brake")
"""Further suspects, which are never the cause."""
CAUSES = tuple(incident.name for incident in INCIDENTS) + INNOCENT


def find_incident(number: int) -> Incident:
    """The incident with this number.

    Raises:
        UserError: There is no such incident.
    """
    found = next((incident for incident in INCIDENTS if incident.number == number), None)
    if found is None:
        raise UserError("incident.error.number", number=number, last=INCIDENTS[-1].number)
    return found
