"""The live services of an incident's train: their settings, and what the process list shows."""

import threading
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from fake_bus import fake_bus
from patience import PATIENCE_S

from brakepoint.adapters import SIMULATED_HUB
from brakepoint.incidents import wiring
from brakepoint.incidents.causes import INCIDENTS
from brakepoint.incidents.site import Lens, healthy_site
from brakepoint.incidents.wiring import RIGHTS_PLUGIN, Optics, SiteCapture, SiteServices, runs_of
from brakepoint.services import SERVICES, ServiceSettings
from brakepoint.services.clock import CLOCK_VARIABLE
from brakepoint.services.topics import FRAME


def launches(services: SiteServices) -> dict[str, tuple[list[str], dict[str, str]]]:
    try:
        return {name: services.launch(name) for name in SERVICES}
    finally:
        services.stop()


def test_every_service_is_started_as_one_of_an_incident_and_nothing_more_is_said(tmp_path: Path) -> None:
    commands = set()
    for incident in INCIDENTS:
        site = incident.break_(healthy_site(tmp_path))
        started = launches(SiteServices(site, ServiceSettings(), lambda *_: None))
        commands.add(tuple(" ".join(command[1:]) for command, _ in started.values()))

    (shown,) = commands
    assert shown == tuple(f"-m brakepoint incident service {name}" for name in SERVICES)


def test_names_and_values_of_the_environment_are_the_same_for_every_incident_but_for_ports_and_clock(
    tmp_path: Path,
) -> None:
    environments = set()
    for incident in INCIDENTS:
        site = incident.break_(healthy_site(tmp_path))
        started = launches(SiteServices(site, ServiceSettings(), lambda *_: None))
        for name, (_, environment) in started.items():
            kept = {
                key: value
                for key, value in environment.items()
                if key not in (CLOCK_VARIABLE, "BRAKEPOINT_BROKER", "BRAKEPOINT_LINK", "PYTEST_CURRENT_TEST")
            }
            environments.add((name, tuple(sorted(kept.items()))))

    assert len(environments) == len(SERVICES)


def test_a_service_goes_by_the_clock_of_its_machine(tmp_path: Path) -> None:
    site = healthy_site(tmp_path).changed("clocks", autopilot=2.5, capture=-1.0)
    started = launches(SiteServices(site, ServiceSettings(), lambda *_: None))
    ahead_s = {name: float(environment[CLOCK_VARIABLE]) for name, (_, environment) in started.items()}

    assert ahead_s["autopilot"] - ahead_s["train"] == pytest.approx(2.5)
    assert ahead_s["capture"] - ahead_s["train"] == pytest.approx(-1.0)
    assert ahead_s["controller"] == ahead_s["detector"] == ahead_s["train"] == ahead_s["monitor"]


def test_an_incident_never_drives_the_train_of_the_persons_own_settings(tmp_path: Path) -> None:
    real = ServiceSettings(
        broker="mqtts://me:secret@broker",
        train_id="train-7",
        camera="csi:0",
        hub="ble:90:84:2B:00:00:01",
        link="10.0.0.7:18831",
        page="0.0.0.0:9000",
        token="mine",
    )
    started = launches(SiteServices(healthy_site(tmp_path), real, lambda *_: None))

    for _, environment in started.values():
        given = {key: environment[f"BRAKEPOINT_{key.upper()}"] for key in ("camera", "hub", "train_id")}
        assert given == {"camera": "", "hub": SIMULATED_HUB, "train_id": ServiceSettings.train_id}
        assert environment["BRAKEPOINT_BROKER"].startswith("mqtt://127.0.0.1:")
        assert environment["BRAKEPOINT_LINK"].startswith("127.0.0.1:")
        assert environment["BRAKEPOINT_PAGE"] == "0.0.0.0:9000"
        assert environment["BRAKEPOINT_TOKEN"] == "mine"


def test_the_camera_service_shows_what_the_optics_leave_of_a_picture() -> None:
    bus = fake_bus("capture")
    capture = SiteCapture(bus, "track-stop", is_recorded=True)
    capture.optics = Optics(Lens(shutter_ms=0.25))
    capture.turn()
    capture.close()

    (frame,) = bus.said_of(FRAME)
    assert frame.image.max() < 10


class Joined:
    """Replaces `Bus` where a service joins the broker."""

    def __init__(self, settings: ServiceSettings, service: str, topics: object) -> None:
        self.fake = fake_bus(service)

    def __enter__(self) -> Any:
        return self.fake

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parts of the services, without their loop."""
    parts: list[Any] = []
    monkeypatch.setattr(wiring, "Bus", Joined)
    monkeypatch.setattr(wiring, "serve", lambda part, bus, stopping: parts.append((part, bus.service)))
    return parts


def test_the_services_work_with_what_the_site_says_when_they_start(
    tmp_path: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, float]] = []
    monkeypatch.setattr(wiring, "Detector", lambda path, confidence: asked.append((path, confidence)))
    monkeypatch.setattr(wiring, "still_starting", lambda _: threading.Lock())
    site = healthy_site(tmp_path).changed("detector", confidence=0.75, memory_mb=300.0)
    site.save()
    settings = replace(ServiceSettings(), feed=site.setup.feed)
    runs = runs_of(tmp_path)
    assert list(runs) == ["broker", "capture", "detector", "autopilot"]
    loaded: list[Any] = []
    limits: SimpleQueue[float] = SimpleQueue()
    monkeypatch.setattr(wiring, "end_beyond", lambda limit_mb, stopping: limits.put(limit_mb))
    monkeypatch.setattr(wiring, "run_broker", lambda settings, stopping, plugins: loaded.append(plugins))

    for run in runs.values():
        run(settings, threading.Event())

    assert [service for _, service in served] == ["capture", "detector", "autopilot"]
    assert loaded == [{RIGHTS_PLUGIN: {"allowed": site.setup.rights.model_dump(mode="json")}}]
    assert asked == [(site.model, 0.75)]
    assert limits.get(timeout=PATIENCE_S) == 300.0
    assert limits.empty()
    served[0][0].close()
