"""Checks an attendee's file in a separate process, with a time limit."""

import subprocess
import sys
import tempfile
from pathlib import Path

from brakepoint.course import ROOT, Step
from brakepoint.workshop.examination import FINISHED, USED_UP
from brakepoint.workshop.verdicts import Result, Verdict

TIME_LIMIT_S = 60.0
"""A check takes a few seconds of processor time; this limit leaves room for slow machines."""
PATIENCE = 5.0
"""How many times the limit a check may take by the clock: a busy machine gives it little processor time."""
PRINTED_LINES = 20


def examination(step: Step, lab: Path, verdicts: Path, time_limit_s: float = TIME_LIMIT_S) -> list[str]:
    """The arguments with which Python examines a lab, and writes the verdicts into a file."""
    return ["-m", "brakepoint.workshop.examination", step.name, str(lab), str(verdicts), str(time_limit_s)]


def check(step: Step, path: Path | None = None, time_limit_s: float = TIME_LIMIT_S) -> Result:
    """Checks one step.

    Args:
        step: The step.
        path: The file; by default the attendee's file in `labs/`.
        time_limit_s: The attendee's code is assumed to run for ever after this much processor time.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verdicts"
        try:
            process = subprocess.run(
                [sys.executable, *examination(step, path or step.lab, file, time_limit_s)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE * time_limit_s,
                start_new_session=True,  # On Ctrl-C, this process ends the check.
            )
            printed, seconds = process.stdout, time_limit_s
            fate = "check.too_long" if process.returncode == USED_UP else "check.died"
        except subprocess.TimeoutExpired as late:
            printed = (late.stdout or b"").decode(errors="replace") if late.stdout else ""
            fate, seconds = "check.waited", PATIENCE * time_limit_s
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    verdicts = [Verdict.model_validate_json(line) for line in lines if line != FINISHED]
    if FINISHED not in lines:
        running = step.exercises[len(verdicts)] if len(verdicts) < len(step.exercises) else ""
        verdicts.append(Verdict(exercise=running, key=fate, values={"seconds": round(seconds)}))
    failed = {verdict.exercise for verdict in verdicts if not verdict.passed}
    verdicts = [verdict for verdict in verdicts if not (verdict.passed and verdict.exercise in failed)]
    return Result(tuple(verdicts), "\n".join(printed.splitlines()[-PRINTED_LINES:]))
