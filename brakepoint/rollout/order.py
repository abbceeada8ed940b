"""The order in which the tasks of a pipeline run. Pure."""

from brakepoint.errors import UserError
from brakepoint.rollout.definitions import Pipeline, Use
from brakepoint.rollout.variables import RESULT


def in_order(pipeline: Pipeline) -> list[Use]:
    """Sorts tasks after their dependencies; of the tasks that are ready, the first one listed comes first.

    Raises:
        UserError: A task depends on a missing task, or on itself.
    """
    waiting = {use.name: waits_for(use) for use in pipeline.tasks}
    by_name = {use.name: use for use in pipeline.tasks}
    for name, others in waiting.items():
        for other in sorted(others - waiting.keys()):
            raise UserError("rollout.error.waits", task=name, other=other)
    ordered: list[Use] = []
    while waiting:
        free = next((name for name, others in waiting.items() if not others & waiting.keys()), None)
        if free is None:
            raise UserError("rollout.error.cycle", tasks=", ".join(waiting))
        ordered.append(by_name[free])
        del waiting[free]
    return ordered


def waits_for(use: Use) -> set[str]:
    """The tasks that must end before a task starts: those that it names, and those whose results it uses."""
    return {*use.run_after, *uses_results_of(use)}


def uses_results_of(use: Use) -> set[str]:
    """The tasks without which a task cannot run."""
    given = [use.params, use.when, use.matrix.params if use.matrix else []]
    return set(RESULT.findall(str(given)))
