"""Drives the train of an incident: runs the live services with the settings of its site."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from brakepoint.detector import Detector
from brakepoint.incidents.memory import end_beyond
from brakepoint.incidents.site import SHUTTER_MS, Lens, Site
from brakepoint.messages import Frame
from brakepoint.services import CLIENTS, Run, ServiceSettings
from brakepoint.services.autopilot import Autopilot
from brakepoint.services.broker import run as run_broker
from brakepoint.services.bus import Bus
from brakepoint.services.capture import Capture
from brakepoint.services.clock import CLOCK_VARIABLE
from brakepoint.services.detector import Detecting
from brakepoint.services.service_loop import serve, still_starting
from brakepoint.services.supervisor import OnLine, Supervisor
from brakepoint.services.topics import CONTROL, DETECTIONS, FRAME, MISSION, STATE

RIGHTS_PLUGIN = "brakepoint.incidents.rights.ServiceRights"


class Optics:
    """The processing of pictures on their way out of the camera.

    Args:
        lens: The camera's settings.
        zoom: Factor by which pictures are magnified around their centre.
    """

    def __init__(self, lens: Lens, zoom: float = 1.0) -> None:
        self._lens, self._zoom = lens, zoom
        self._waiting: deque[Frame] = deque(maxlen=lens.buffers)

    def pass_on(self, frame: Frame) -> Frame:
        """Exposes and turns a picture, and returns the one that has waited longest.

        The picture gets its time of capture on the way out, as with drivers that have their own buffers, so
        this time ignores the wait.
        """
        image = frame.image
        if self._lens.shutter_ms != SHUTTER_MS:
            bright = image.astype(np.float32) * (self._lens.shutter_ms / SHUTTER_MS)
            image = bright.clip(0, 255).astype(np.uint8)
        if self._lens.turned_deg:
            image = np.ascontiguousarray(image[::-1, ::-1])
        if self._zoom != 1:
            height, width = image.shape[:2]
            zoomed = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, self._zoom)
            image = cv2.warpAffine(image, zoomed, (width, height))
        self._waiting.append(replace(frame, image=image))
        return replace(self._waiting[0], frame_id=frame.frame_id, captured_at=frame.captured_at)


class SiteCapture(Capture):
    """The camera service, with the optics of a site."""

    optics: Optics

    def _capture(self) -> Frame | None:
        frame = super()._capture()
        return self.optics.pass_on(frame) if frame is not None else None


class SiteServices(Supervisor):
    """The services of a site, which run for the duration of a `with` block.

    Args:
        site: The train.
        settings: Address and token of the page. Nothing else applies: the train is a simulated one on this
            machine, whatever train the person's own settings name.
        tell: Receives the services' output.
        interrupted: Returns True when waiting for the services to become ready should stop.
    """

    def __init__(
        self, site: Site, settings: ServiceSettings, tell: OnLine, interrupted: Callable[[], bool] = bool
    ) -> None:
        self._ahead_s: dict[str, float] = site.setup.clocks.model_dump()
        own = ServiceSettings(feed=site.setup.feed, page=settings.page, token=settings.token)
        super().__init__(own, CLIENTS, tell, interrupted)

    def launch(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Starts a service as for every train, except that it reads the site and uses its machine's clock."""
        command, environment = super().launch(name)
        ahead_s = float(environment[CLOCK_VARIABLE]) + self._ahead_s.get(name, 0.0)
        command[-2:-1] = ["incident", "service"]
        return command, {**environment, CLOCK_VARIABLE: repr(ahead_s)}


def runs_of(folder: Path) -> dict[str, Run]:
    """The services that use a site's settings; all others run as usual."""

    def broker(settings: ServiceSettings, stopping: threading.Event) -> None:
        allowed = Site.load(folder).setup.rights.model_dump(mode="json")
        run_broker(settings, stopping, {RIGHTS_PLUGIN: {"allowed": allowed}})

    def capture(settings: ServiceSettings, stopping: threading.Event) -> None:
        site = Site.load(folder)
        with Bus(settings, "capture", (CONTROL, MISSION, STATE)) as bus:
            part = SiteCapture(bus, settings.shown, is_recorded=True)
            part.optics = Optics(site.setup.camera, site.zoom)
            serve(part, bus, stopping)

    def detector(settings: ServiceSettings, stopping: threading.Event) -> None:
        site = Site.load(folder)
        with Bus(settings, "detector", (CONTROL, FRAME, MISSION)) as bus:
            with still_starting([bus]):
                model = Detector(site.model, site.setup.detector.confidence)
            limit = site.setup.detector.memory_mb
            threading.Thread(target=end_beyond, args=(limit, stopping), daemon=True).start()
            serve(Detecting(bus, model, settings.shown, threading.Lock()), bus, stopping)

    def autopilot(settings: ServiceSettings, stopping: threading.Event) -> None:
        step = Site.load(folder).step
        with Bus(settings, "autopilot", (CONTROL, DETECTIONS, MISSION, STATE)) as bus:
            serve(Autopilot(bus, step), bus, stopping)

    return {"broker": broker, "capture": capture, "detector": detector, "autopilot": autopilot}
