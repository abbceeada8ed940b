"""The tests that its author runs, with the kit and the package installed side by side."""

from brakepoint.adapters import open_camera, open_hub
from brakepoint.conformance import CameraConformance, HubConformance


class TestShelfHub(HubConformance):
    def open(self):
        return open_hub("shelf:")


class TestShelfCamera(CameraConformance):
    def open(self):
        return open_camera("shelf:")
