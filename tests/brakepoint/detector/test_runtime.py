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


INTERRUPTED = """
import signal
from brakepoint.detector import SHIPPED_MODEL, Detector
# In the background a process inherits that it is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
first, second = Detector(SHIPPED_MODEL), Detector(SHIPPED_MODEL)
del first
del second
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_after_two_models_is_an_interruption_and_no_crash():
    said = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True)

    assert (said.returncode, said.stdout) == (0, "interrupted\n")
