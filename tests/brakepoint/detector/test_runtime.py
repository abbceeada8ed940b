import os
import subprocess
import sys

from brakepoint.detector import SHIPPED_MODEL

LOAD = f"from brakepoint.detector import Detector; Detector({str(SHIPPED_MODEL)!r}, runtime='openvino')"


def test_openvino_tells_nobody_of_the_models_it_reads(tmp_path):
    home = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", LOAD], env=home, check=True)
    # Its telemetry keeps count in ~/intel.
    assert list(tmp_path.iterdir()) == []
