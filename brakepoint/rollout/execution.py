"""Runs a pipeline's tasks as Tekton does: a failing task ends the run, and `finally` tasks always run."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from brakepoint.errors import UserError
from brakepoint.rollout.definitions import ParameterSpec, Pipeline, Step, Task, Use, Value, Variable
from brakepoint.rollout.order import in_order, uses_results_of, waits_for
from brakepoint.rollout.variables import fill, fill_list, fill_value

RESULTS = "/tekton/results"


class Outcome(StrEnum):
    """How a task ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    """The task's `when` condition is false, or the task cannot run without one that is skipped."""
    NOT_HERE = "not_here"
    """A task whose image is unavailable here counts as succeeded, and the table shows this."""
    NOT_REACHED = "not_reached"
    """A different task failed before this one started."""


@dataclass(frozen=True)
class TaskRun:
    """A task that is about to run, with all variables replaced.

    Attributes:
        name: The task's name in the pipeline.
        task: Name of the Task.
        spec: The Task's steps, with scripts, arguments and variables as they are executed.
        workspaces: The bound workspaces: name in the pipeline, by name in the task.
    """

    name: str
    task: str
    spec: Task
    workspaces: dict[str, str]

    def path(self, workspace: str) -> str:
        """Path of a workspace in each step."""
        return path_of(self.spec, workspace)


@dataclass(frozen=True)
class Done:
    """The outcome and results of a task.

    Attributes:
        outcome: How the task ended.
        results: Results by name.
        why: Which step failed and how, or which image is unavailable; empty otherwise.
    """

    outcome: Outcome
    results: dict[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Account:
    """A line in the summary of a run.

    Attributes:
        name: The task's name, with a number if a matrix runs the task several times.
        done: How the task ended.
        seconds: How long the task took.
    """

    name: str
    done: Done
    seconds: float = 0.0


class Runner(Protocol):
    """Executes the steps of a task in order."""

    def __call__(self, run: TaskRun) -> Done:
        """Runs the steps until one exits with a status other than 0."""
        ...


OnNews = Callable[[Account | str], None]
"""Called with the name of each task that starts, and the account of each task that ends."""


@dataclass
class Execution:
    """One run of a pipeline.

    Attributes:
        pipeline: The pipeline.
        tasks: The pipeline's tasks by name.
        params: The run's own parameters.
        workspaces: Names of the pipeline's workspaces that are bound.
        runner: Executes a task.
        tell: Called with the progress.
    """

    pipeline: Pipeline
    tasks: Mapping[str, Task]
    params: Mapping[str, Value]
    workspaces: set[str]
    runner: Runner
    tell: OnNews = lambda news: None
    _values: dict[str, Value] = field(default_factory=dict)
    _ended: dict[str, Outcome] = field(default_factory=dict)
    _unwanted: set[str] = field(default_factory=set)

    def run(self) -> list[Account]:
        """Runs everything and returns how each task ended.

        Raises:
            UserError: The definitions are inconsistent, in which case no task has run.
        """
        ordered = in_order(self.pipeline)
        for use in (*ordered, *self.pipeline.last):
            if use.task_ref.name not in self.tasks:
                raise UserError("rollout.error.no_task", task=use.task_ref.name)
        self._values = {
            f"params.{name}": value for name, value in given(self.pipeline.params, self.params).items()
        }
        missing = {w.name for w in self.pipeline.workspaces if not w.optional} - self.workspaces
        for name in sorted(missing):
            raise UserError("rollout.error.unbound", workspace=name)
        accounts: list[Account] = []
        for use in ordered:
            accounts += self._use(use)
        for use in self.pipeline.last:
            statuses = {f"tasks.{name}.status": _status(ended) for name, ended in self._ended.items()}
            self._values |= {**statuses, "tasks.status": _status_of_all(self._ended.values())}
            accounts += self._all_of(use)
        return accounts

    def _use(self, use: Use) -> list[Account]:
        if Outcome.FAILED in self._ended.values():
            return [self._end(use.name, Account(use.name, Done(Outcome.NOT_REACHED)))]
        if not self._may_run(use) or not self._is_wanted(use):
            return [self._end(use.name, Account(use.name, Done(Outcome.SKIPPED)))]
        return self._all_of(use)

    def _may_run(self, use: Use) -> bool:
        """Whether a task may run: it may follow a task whose condition is false, but not use its results."""
        skipped = {other for other in waits_for(use) if self._ended[other] is Outcome.SKIPPED}
        return skipped <= self._unwanted - uses_results_of(use)

    def _is_wanted(self, use: Use) -> bool:
        for condition in use.when:
            values = fill_value(condition.values, self._values)
            found = fill(condition.input, self._values) in ([values] if isinstance(values, str) else values)
            if found != (condition.operator == "in"):
                self._unwanted.add(use.name)
                return False
        return True

    def _all_of(self, use: Use) -> list[Account]:
        """Runs a task for each combination of its matrix; without a matrix, runs it once."""
        runs = list(self._runs(use))
        accounts = []
        for number, run in enumerate(runs, start=1):
            name = f"{use.name} {number}/{len(runs)}" if len(runs) > 1 else use.name
            self.tell(name)
            start = time.monotonic()
            account = Account(name, self._checked(run, self.runner(run)), time.monotonic() - start)
            accounts.append(self._end(use.name, account))
            if account.done.outcome is Outcome.FAILED:
                break
            if not use.matrix:
                results = account.done.results
                self._values |= {f"tasks.{use.name}.results.{key}": value for key, value in results.items()}
        return accounts

    @staticmethod
    def _checked(run: TaskRun, done: Done) -> Done:
        """Fails a task that has not written a declared result; Tekton fails only when the result is used."""
        missing = [result.name for result in run.spec.results if result.name not in done.results]
        if done.outcome is Outcome.SUCCEEDED and missing:
            return Done(Outcome.FAILED, done.results, f"results: {', '.join(missing)}")
        return done

    def _end(self, name: str, account: Account) -> Account:
        self._ended[name] = account.done.outcome
        self.tell(account)
        return account

    def _runs(self, use: Use) -> Iterator[TaskRun]:
        spec = self.tasks[use.task_ref.name]
        bound = {one.name: one.workspace or one.name for one in use.workspaces}
        bound = {name: whole for name, whole in bound.items() if whole in self.workspaces}
        for workspace in spec.workspaces:
            if not workspace.optional and workspace.name not in bound:
                raise UserError("rollout.error.unbound", workspace=f"{use.name}: {workspace.name}")
        said = {one.name: fill_value(one.value, self._values) for one in use.params}
        for choice in self._choices(use):
            values = {
                **{f"params.{name}": value for name, value in given(spec.params, said | choice).items()},
                **{f"results.{result.name}.path": f"{RESULTS}/{result.name}" for result in spec.results},
                **{f"workspaces.{w.name}.path": path_of(spec, w.name) for w in spec.workspaces},
                **{f"workspaces.{w.name}.bound": str(w.name in bound).lower() for w in spec.workspaces},
            }
            steps = [_filled(step, values) for step in spec.steps]
            yield TaskRun(use.name, use.task_ref.name, spec.model_copy(update={"steps": steps}), bound)

    def _choices(self, use: Use) -> Iterator[dict[str, Value]]:
        lists = [
            [(one.name, value) for value in fill_value(one.value, self._values)]
            for one in (use.matrix.params if use.matrix else [])
        ]
        return (dict(choice) for choice in itertools.product(*lists))


def given(asked: list[ParameterSpec], said: Mapping[str, Value]) -> dict[str, Value]:
    """The value of each declared parameter.

    Raises:
        UserError: A parameter has no value, an undeclared parameter is given, or a list is given for a
            string.
    """
    for name in sorted(said.keys() - {one.name for one in asked}):
        raise UserError("rollout.error.unknown_parameter", name=name)
    values: dict[str, Value] = {}
    for one in asked:
        value = said.get(one.name, one.default)
        if value is None:
            raise UserError("rollout.error.parameter", name=one.name)
        if isinstance(value, list) != (one.type == "array"):
            raise UserError("rollout.error.type", name=one.name, type=one.type)
        values[one.name] = value
    return values


def path_of(spec: Task, workspace: str) -> str:
    """Path of a workspace in the steps of a task."""
    said = next(one.mount_path for one in spec.workspaces if one.name == workspace)
    return said or f"/workspace/{workspace}"


def _filled(step: Step, values: Mapping[str, Value]) -> Step:
    environment = [Variable(name=one.name, value=fill(str(one.value), values)) for one in step.env]
    return step.model_copy(
        update={
            "image": fill(step.image, values),
            "script": fill(step.script, values),
            "command": fill_list(step.command, values),
            "args": fill_list(step.args, values),
            "env": environment,
            "working_dir": fill(step.working_dir, values),
            "env_from": [_filled_source(source, values) for source in step.env_from],
        }
    )


def _filled_source(source: dict[str, dict[str, object]], values: Mapping[str, Value]) -> dict[str, object]:
    return {
        kind: {key: fill(value, values) if isinstance(value, str) else value for key, value in said.items()}
        for kind, said in source.items()
    }


def _status(ended: Outcome) -> str:
    """A task's status in Tekton's words."""
    said = {Outcome.SUCCEEDED: "Succeeded", Outcome.NOT_HERE: "Succeeded", Outcome.FAILED: "Failed"}
    return said.get(ended, "None")


def _status_of_all(ended: Iterable[Outcome]) -> str:
    outcomes = set(ended)
    if Outcome.FAILED in outcomes:
        return "Failed"
    return "Completed" if Outcome.SKIPPED in outcomes else "Succeeded"
