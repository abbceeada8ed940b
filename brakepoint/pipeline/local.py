"""Runs the pipeline on this machine: each component in its own process, with any S3 store or the kit's."""

import contextlib
import io
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from brakepoint.course import find_step
from brakepoint.errors import UserError
from brakepoint.pipeline.comparison import COMPARISON_FILE, ProductionComparison, read_comparison
from brakepoint.pipeline.fingerprints import STEPS
from brakepoint.steps import SOURCE_VARIABLE, SOURCES
from brakepoint.store import Connection, object_store

ROOT_DIR = Path("runs/pipeline")
LOG_NAME = "log.txt"
GATE = "quality-gate"
NEWS = {
    "started": re.compile(r"Executing task .*?'([\w-]+)'"),
    "reused": re.compile(r"Task ([\w-]+) cache hit"),
    "done": re.compile(r"Task .*?'([\w-]+)'.*? finished with status .*?SUCCESS"),
    "failed": re.compile(r"Task .*?'([\w-]+)'.*? finished with status .*?FAILURE"),
}
"""Patterns for what kfp's log says about a task, with colour codes in between."""
TellTask = Callable[[str, str], None]


@dataclass(frozen=True)
class PipelineOutcome:
    """How a run ended.

    Attributes:
        compared: Comparison of the models, if the run got that far.
        folder: Folder with the comparison and its plots, if the run got that far.
        refused: Why the gate rejected the model; empty if it did not.
    """

    compared: ProductionComparison | None
    folder: Path | None
    refused: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[Path, ...]:
        """The plots, as PNG files."""
        return tuple(sorted(self.folder.glob("*.png"))) if self.folder else ()


def run(step: ModuleType, tell: TellTask, root: Path = ROOT_DIR, **parameters: float) -> PipelineOutcome:
    """Runs the pipeline; reuses results whose inputs have not changed since an earlier run.

    Args:
        step: The module of step 4.
        tell: Called with `started`, `reused`, `done` or `failed`, and the task.
        root: Receives the artefacts, the cache and the log.
        parameters: Parameters of the pipeline.

    Raises:
        UserError: The step's exercises are not done, or a component failed; the message contains the last
        line of its output.
    """
    from kfp import local

    root.mkdir(parents=True, exist_ok=True)
    known = set(root.rglob(COMPARISON_FILE))
    runner = local.SubprocessRunner(use_venv=False)
    local.init(runner, pipeline_root=str(root), enable_caching=True)
    with (
        object_store() as store,
        _environment(store, step),
        (root / LOG_NAME).open("w", encoding="utf-8") as log,
    ):
        listener = _Listener(log, tell)
        try:
            with contextlib.redirect_stdout(listener), _heard(listener), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Task .*have no effect in the current local runner")
                step.training_pipeline()(**parameters)
        except RuntimeError as error:
            outcome = _outcome(root, known)
            reasons = _reasons(step, outcome.compared, parameters) if listener.failed == GATE else []
            if not reasons:
                raise _failure(listener, root / LOG_NAME) from error
            return replace(outcome, refused=tuple(reasons))
    return _outcome(root, known)


def _failure(listener: "_Listener", log: Path) -> UserError:
    """Why a run failed; for an unfinished exercise, there is a special message."""
    task, why = listener.failed, listener.last_line
    steps = {**STEPS, GATE: "step4_pipeline"}
    if why.startswith(NotImplementedError.__name__) and task in steps:
        number = find_step(steps[task]).number
        return UserError("pipeline.error.not_written", task=task, step=steps[task], number=number)
    return UserError("pipeline.error.failed", task=task or "–", why=why, log=log)


def _reasons(
    step: ModuleType, compared: ProductionComparison | None, parameters: dict[str, float]
) -> list[str]:
    if compared is None:
        return []
    limits = parameters["least"], parameters["tolerance"]
    with contextlib.suppress(Exception):  # The component failed with the same exception, which is reported.
        return list(step.gate(compared.new, compared.production, *limits))
    return []


def _outcome(root: Path, known: set[Path]) -> PipelineOutcome:
    fresh = set(root.rglob(COMPARISON_FILE)) - known
    if not fresh:
        return PipelineOutcome(None, None)
    folder = max(fresh, key=lambda path: path.stat().st_mtime).parent
    return PipelineOutcome(read_comparison(folder), folder)


@contextmanager
def _environment(store: Connection, step: ModuleType) -> Iterator[None]:
    """Gives the components the source of the steps, and the store as a data connection does on a cluster."""
    names = {
        "AWS_S3_ENDPOINT": store.endpoint,
        "AWS_S3_BUCKET": store.bucket,
        "AWS_ACCESS_KEY_ID": store.access_key,
        "AWS_SECRET_ACCESS_KEY": store.secret_key,
    }
    source = step.__name__.partition(".")[0]
    if source in SOURCES:
        names[SOURCE_VARIABLE] = source
    before = dict(os.environ)
    os.environ.update(names)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _heard(listener: "_Listener") -> Iterator[None]:
    """Passes kfp's log messages to the listener, too: only they show that a result comes from the cache."""
    root, handler = logging.getLogger(), logging.StreamHandler(listener)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


class _Listener(io.StringIO):
    """Writes kfp's output to a file, and reports what happens to the tasks.

    Attributes:
        failed: The task that failed.
        last_line: Last line of a component's output before the failure.
    """

    def __init__(self, log: io.TextIOBase, tell: TellTask) -> None:
        super().__init__()
        self._log, self._tell, self._begun = log, tell, ""
        self._screen = sys.stdout
        self.failed, self.last_line = "", ""

    def write(self, words: str) -> int:
        """Processes output line by line."""
        self._log.write(words)
        self._log.flush()
        *lines, self._begun = (self._begun + words).split("\n")
        for line in lines:
            self._hear(line.strip())
        return len(words)

    def _hear(self, line: str) -> None:
        for what, pattern in NEWS.items():
            found = pattern.search(line)
            if found:
                self.failed = found[1] if what == "failed" else self.failed
                with contextlib.redirect_stdout(self._screen):
                    self._tell(what, found[1])
                return
        if line and not self.failed:
            self.last_line = line
