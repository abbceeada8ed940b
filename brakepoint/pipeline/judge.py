"""Runs the gate of step 4 on a model: `python -m brakepoint.pipeline.judge FOLDER LEAST TOLERANCE`.

Inside a component, kfp does not support pipelines, so a module that builds a pipeline cannot be imported
there. Therefore the gate runs in a separate process.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from brakepoint.pipeline.comparison import ProductionComparison, read_comparison
from brakepoint.steps import load_step

IN_COMPONENT = "_KFP_RUNTIME"
"""Variable that kfp sets inside a component."""


def ask(folder: Path, least: float, tolerance: float) -> list[str]:
    """The gate's reasons, computed in another process.

    Args:
        folder: Folder of the comparison.
        least: See `gate` of step 4.
        tolerance: See `gate` of step 4.
    """
    command = [sys.executable, "-m", "brakepoint.pipeline.judge", str(folder), str(least), str(tolerance)]
    environment = {name: value for name, value in os.environ.items() if name != IN_COMPONENT}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return list(json.loads(done.stdout))


def judge(compared: ProductionComparison, least: float, tolerance: float) -> list[str]:
    """The gate's reasons."""
    reasons = load_step("step4_pipeline").gate(compared.new, compared.production, least, tolerance)
    return [str(reason) for reason in reasons]


if __name__ == "__main__":
    found = judge(read_comparison(Path(sys.argv[1])), float(sys.argv[2]), float(sys.argv[3]))
    sys.stdout.write(json.dumps(found))
