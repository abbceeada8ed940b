import os
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest

from brakepoint.detector import SHIPPED_MODEL, Detector

LOOK_EVERY_S = 0.001
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


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the threads of a process")
def test_a_network_may_run_on_any_core_so_that_several_processes_do_not_share_the_first():
    detector, picture = Detector(SHIPPED_MODEL, threads=1), np.zeros((64, 640, 3), np.uint8)
    detector.detect_image(picture, low=True)
    working = threading.Thread(target=lambda: [detector.detect_image(picture, low=True) for _ in range(30)])
    allowed = []
    working.start()
    while working.is_alive():
        with suppress(ProcessLookupError):  # The thread has ended.
            allowed.append(os.sched_getaffinity(working.native_id or 0))
        working.join(LOOK_EVERY_S)

    assert allowed
    assert all(cores == os.sched_getaffinity(0) for cores in allowed)
