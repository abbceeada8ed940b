"""Runs the gate of step 4 on a model: `python -m brakepoint.pipeline.judge FOLDER LEAST TOLERANCE`.

Inside a component, kfp does not support pipelines, so a module that builds a pipeline cannot be imported
there. Therefore the gate runs in a separate process.
"""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

from brakepoint.pipeline.comparison import ProductionComparison, read_comparison
from brakepoint.steps import load_step

IN_COMPONENT = "_KFP_RUNTIME"
"""Variable that kfp sets inside a component."""


def ask(folder: Path, least: float, tolerance: float) -> list[str]:
    """The gate's reasons for rejecting a model, computed in another process.

    Args:
        folder: Folder of the comparison.
        least: See `gate` of step 4.
        tolerance: See `gate` of step 4.

    Raises:
        NotImplementedError: The gate is not written yet.
        RuntimeError: The gate failed; the message is the last line of its traceback.
    """
    command = [sys.executable, "-m", "brakepoint.pipeline.judge", str(folder), str(least), str(tolerance)]
    environment = {name: value for name, value in os.environ.items() if name != IN_COMPONENT}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    sys.stderr.write(done.stderr)
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        raise NotImplementedError if why == NotImplementedError.__name__ else RuntimeError(why)
    return list(json.loads(done.stdout))


def judge(compared: ProductionComparison, least: float, tolerance: float) -> list[str]:
    """The gate's reasons for rejecting the new model; empty if the gate accepts it."""
    reasons = load_step("step4_pipeline").gate(compared.new, compared.production, least, tolerance)
    return [str(reason) for reason in reasons]


def main() -> None:
    """Prints the reasons as JSON, for the folder and limits on the command line."""
    with redirect_stdout(sys.stderr):  # An attendee's gate may print; only the reasons belong in the answer.
        found = judge(read_comparison(Path(sys.argv[1])), float(sys.argv[2]), float(sys.argv[3]))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
