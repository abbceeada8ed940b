"""A pipeline is run according to its YAML: order, parameters, results, workspaces, and failures."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.errors import UserError
from brakepoint.rollout.definitions import Pipeline, Task, read_pipeline, read_tasks
from brakepoint.rollout.execution import Account, Done, Execution, Outcome, TaskRun
from brakepoint.rollout.order import in_order

FAILED, SUCCEEDED = Done(Outcome.FAILED, why="step"), Done(Outcome.SUCCEEDED)


def task(**spec: Any) -> Task:
    return Task.model_validate({"steps": [{"image": "i", "script": "true"}], **spec})


def use(name: str, *after: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "taskRef": {"name": said.pop("task", "plain")}, "runAfter": list(after), **said}


def pipeline(*uses: dict[str, Any], **spec: Any) -> Pipeline:
    return Pipeline.model_validate({"tasks": list(uses), **spec})


class Recorder:
    """Runs nothing: it records the requests, and returns the given answers."""

    def __init__(self, answers: Mapping[str, Done] | None = None) -> None:
        self.answers = answers or {}
        self.runs: list[TaskRun] = []

    def __call__(self, run: TaskRun) -> Done:
        self.runs.append(run)
        return self.answers.get(run.name, SUCCEEDED)

    @property
    def names(self) -> list[str]:
        return [run.name for run in self.runs]


def execute(
    made: Pipeline, runner: Recorder, tasks: Mapping[str, Task] | None = None, **said: Any
) -> list[Account]:
    workspaces = said.pop("workspaces", set())
    return Execution(made, {"plain": task(), **(tasks or {})}, said, workspaces, runner).run()


def outcomes(accounts: list[Account]) -> dict[str, Outcome]:
    return {account.name: account.done.outcome for account in accounts}


def test_a_task_runs_behind_those_that_it_waits_for() -> None:
    runner = Recorder()
    execute(pipeline(use("c", "b"), use("b", "a"), use("a")), runner)
    assert runner.names == ["a", "b", "c"]


def test_a_task_that_uses_a_result_waits_for_it() -> None:
    said = [{"name": "word", "value": "$(tasks.maker.results.word)"}]
    tasks = {
        "taker": task(params=[{"name": "word"}], steps=[{"image": "i", "script": "say $(params.word)"}]),
        "maker": task(results=[{"name": "word"}]),
    }
    runner = Recorder({"maker": Done(Outcome.SUCCEEDED, {"word": "hello"})})
    execute(pipeline(use("taker", task="taker", params=said), use("maker", task="maker")), runner, tasks)
    assert runner.names == ["maker", "taker"]
    assert runner.runs[1].spec.steps[0].script == "say hello"


@given(st.data())
def test_any_order_respects_who_waits_for_whom(data: st.DataObject) -> None:
    names = [f"t{number}" for number in range(data.draw(st.integers(1, 8)))]
    after = {
        name: data.draw(st.sets(st.sampled_from(names[:number]))) if number else set()
        for number, name in enumerate(names)
    }
    shuffled = data.draw(st.permutations(names))
    ordered = [
        one.name for one in in_order(pipeline(*(use(name, *sorted(after[name])) for name in shuffled)))
    ]
    assert sorted(ordered) == sorted(names)
    assert all(ordered.index(other) < ordered.index(name) for name in names for other in after[name])


def test_tasks_that_wait_for_each_other_are_named() -> None:
    with pytest.raises(UserError, match="a, b"):
        in_order(pipeline(use("a", "b"), use("b", "a"), use("c")))


def test_a_task_that_waits_for_nobody_known_is_named() -> None:
    with pytest.raises(UserError, match=r"a.*nobody"):
        in_order(pipeline(use("a", "nobody")))


def test_who_fails_ends_the_run_and_the_last_tasks_run_all_the_same() -> None:
    runner = Recorder({"b": FAILED})
    made = pipeline(use("a"), use("b", "a"), use("c", "b"), use("d"), **{"finally": [use("last")]})
    accounts = execute(made, runner)
    assert runner.names == ["a", "b", "last"]
    assert outcomes(accounts) == {
        "a": Outcome.SUCCEEDED,
        "b": Outcome.FAILED,
        "c": Outcome.NOT_REACHED,
        "d": Outcome.NOT_REACHED,
        "last": Outcome.SUCCEEDED,
    }


@pytest.mark.parametrize(("answer", "status"), [(SUCCEEDED, "Succeeded"), (FAILED, "Failed")])
def test_the_last_tasks_learn_how_it_ended(answer: Done, status: str) -> None:
    tasks = {"teller": task(params=[{"name": "one"}, {"name": "all"}], steps=[STEP])}
    params = [{"name": "one", "value": "$(tasks.a.status)"}, {"name": "all", "value": "$(tasks.status)"}]
    runner = Recorder({"a": answer})
    execute(pipeline(use("a"), **{"finally": [use("last", task="teller", params=params)]}), runner, tasks)
    assert runner.runs[-1].spec.steps[0].script == f"{status} {status}"


STEP = {"image": "i", "script": "$(params.one) $(params.all)"}


def test_a_task_whose_image_is_not_here_holds_nobody_up() -> None:
    runner = Recorder({"a": Done(Outcome.NOT_HERE, why="trivy")})
    assert outcomes(execute(pipeline(use("a"), use("b", "a")), runner)) == {
        "a": Outcome.NOT_HERE,
        "b": Outcome.SUCCEEDED,
    }


def test_who_promises_a_result_and_leaves_none_has_failed() -> None:
    accounts = execute(
        pipeline(use("a", task="maker"), use("b", "a")),
        Recorder(),
        {"maker": task(results=[{"name": "digest"}])},
    )
    assert outcomes(accounts) == {"a": Outcome.FAILED, "b": Outcome.NOT_REACHED}
    assert "digest" in accounts[0].done.why


@pytest.mark.parametrize(
    ("operator", "values", "ran"),
    [("in", ["x"], True), ("in", ["y"], False), ("notin", ["x"], False), ("notin", ["y"], True)],
)
def test_a_task_runs_when_it_is_wanted_and_who_comes_after_it_in_any_case(
    operator: str, values: list[str], ran: bool
) -> None:
    when = [{"input": "$(params.word)", "operator": operator, "values": values}]
    runner = Recorder()
    made = pipeline(use("a", when=when), use("b", "a"), use("c"), params=[{"name": "word"}])
    accounts = execute(made, runner, word="x")
    assert runner.names == (["a", "b", "c"] if ran else ["b", "c"])
    assert outcomes(accounts)["a"] is (Outcome.SUCCEEDED if ran else Outcome.SKIPPED)


def test_who_needs_the_result_of_a_skipped_task_is_skipped_and_who_comes_after_that_as_well() -> None:
    """Tekton passes over a `when` that is false, but over no other reason for skipping."""
    tasks = {
        "maker": task(results=[{"name": "word"}]),
        "reader": task(params=[{"name": "one"}], steps=[{"image": "i", "script": "$(params.one)"}]),
    }
    when = [{"input": "x", "operator": "in", "values": ["y"]}]
    reads = [{"name": "one", "value": "$(tasks.a.results.word)"}]
    made = pipeline(
        use("a", task="maker", when=when), use("b", task="reader", params=reads), use("c", "b"), use("d", "a")
    )
    runner = Recorder()
    accounts = execute(made, runner, tasks)
    assert runner.names == ["d"]
    assert [outcomes(accounts)[name] for name in "abc"] == [Outcome.SKIPPED] * 3


def test_a_matrix_runs_its_task_for_each_value_until_one_fails() -> None:
    matrix = {"params": [{"name": "word", "value": ["x", "y"]}]}
    tasks = {"each": task(params=[{"name": "word"}], steps=[{"image": "i", "script": "$(params.word)"}])}
    runner = Recorder()
    accounts = execute(pipeline(use("a", task="each", matrix=matrix), use("b", "a")), runner, tasks)
    assert [run.spec.steps[0].script for run in runner.runs] == ["x", "y", "true"]
    assert [account.name for account in accounts] == ["a 1/2", "a 2/2", "b"]
    stopped = Recorder({"a": FAILED})
    execute(pipeline(use("a", task="each", matrix=matrix), use("b", "a")), stopped, tasks)
    assert stopped.names == ["a"]


def test_a_parameter_has_the_runs_value_or_else_its_default() -> None:
    tasks = {"two": task(params=[{"name": "one"}, {"name": "all", "default": "own"}], steps=[STEP])}
    asked = [{"name": "one", "default": "pipeline's"}]
    said = [{"name": "one", "value": "$(params.one)"}]
    for given_, expected in (({}, "pipeline's own"), ({"one": "run's"}, "run's own")):
        runner = Recorder()
        execute(pipeline(use("a", task="two", params=said), params=asked), runner, tasks, **given_)
        assert runner.runs[0].spec.steps[0].script == expected


def test_a_list_becomes_arguments_each_of_its_own() -> None:
    step = {"image": "i", "script": "true", "args": ["first", "$(params.words[*])", "last"]}
    tasks = {"lists": task(params=[{"name": "words", "type": "array"}], steps=[step])}
    runner = Recorder()
    said = [{"name": "words", "value": ["a b", "$(params.word)"]}]
    execute(pipeline(use("a", task="lists", params=said), params=[{"name": "word"}]), runner, tasks, word="c")
    assert runner.runs[0].spec.steps[0].args == ["first", "a b", "c", "last"]


def test_what_is_the_shells_stays_the_shells() -> None:
    script = 'echo "$(cat /tmp/x)" > "$(results.digest.path)"; $(date)'
    tasks = {"shell": task(steps=[{"image": "i", "script": script}], results=[{"name": "digest"}])}
    runner = Recorder({"a": Done(Outcome.SUCCEEDED, {"digest": "d"})})
    execute(pipeline(use("a", task="shell")), runner, tasks)
    expected = 'echo "$(cat /tmp/x)" > "/tekton/results/digest"; $(date)'
    assert runner.runs[0].spec.steps[0].script == expected


def test_a_workspace_says_where_it_lies_and_whether_it_is_bound() -> None:
    words = "$(workspaces.w.path) $(workspaces.w.bound) $(workspaces.o.path) $(workspaces.o.bound)"
    asked = [{"name": "w"}, {"name": "o", "optional": True, "mountPath": "/o"}]
    tasks = {"places": task(workspaces=asked, steps=[{"image": "i", "script": words, "workingDir": words}])}
    whole = [{"name": "source"}, {"name": "other", "optional": True}]
    bound = [{"name": "w", "workspace": "source"}, {"name": "o", "workspace": "other"}]
    for there, said in (
        ({"source"}, "/workspace/w true /o false"),
        ({"source", "other"}, "/workspace/w true /o true"),
    ):
        runner = Recorder()
        execute(
            pipeline(use("a", task="places", workspaces=bound), workspaces=whole),
            runner,
            tasks,
            workspaces=there,
        )
        step = runner.runs[0].spec.steps[0]
        assert (step.script, step.working_dir) == (said, said)
        assert runner.runs[0].workspaces == {
            name: place for name, place in {"w": "source", "o": "other"}.items() if place in there
        }


Wrong = Callable[[], tuple[Pipeline, dict[str, Task], dict[str, Any]]]


@pytest.mark.parametrize(
    ("made", "tasks", "said", "named"),
    [
        (pipeline(use("a", task="nothing")), {}, {}, "nothing"),
        (pipeline(use("a"), params=[{"name": "image"}]), {}, {}, "image"),
        (pipeline(use("a")), {}, {"image": "x"}, "image"),
        (pipeline(use("a"), params=[{"name": "image"}]), {}, {"image": ["x"]}, "image"),
        (pipeline(use("a"), params=[{"name": "image", "type": "array"}]), {}, {"image": "x"}, "image"),
        (pipeline(use("a"), workspaces=[{"name": "source"}]), {}, {}, "source"),
        (pipeline(use("a", task="w")), {"w": task(workspaces=[{"name": "source"}])}, {}, "source"),
        (
            pipeline(use("a", task="p", params=[{"name": "x", "value": "$(params.nobody)"}])),
            {"p": task(params=[{"name": "x"}])},
            {},
            "nobody",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_and_nothing_runs(
    made: Pipeline, tasks: dict[str, Task], said: dict[str, Any], named: str
) -> None:
    runner = Recorder()
    with pytest.raises(UserError, match=named):
        execute(made, runner, tasks, **said)
    assert runner.runs == []


def test_a_field_that_is_not_known_here_is_refused_and_not_ignored() -> None:
    meta = {"kind": "Task", "metadata": {"name": "build"}}
    spec = {"steps": [{"image": "i", "onError": "continue"}]}
    with pytest.raises(UserError, match=r"Task build.*onError"):
        read_tasks([{**meta, "spec": spec}])
    with pytest.raises(UserError, match=r"Pipeline .*retries"):
        twice = {"name": "a", "taskRef": {"name": "b"}, "retries": 2}
        read_pipeline({"kind": "Pipeline", "metadata": {"name": "p"}, "spec": {"tasks": [twice]}})


def test_who_looks_on_hears_of_each_task_that_starts_and_ends() -> None:
    news: list[Any] = []
    made = pipeline(use("a"), use("b", "a"))
    Execution(made, {"plain": task()}, {}, set(), Recorder({"a": FAILED}), news.append).run()
    assert [one if isinstance(one, str) else (one.name, one.done.outcome) for one in news] == [
        "a",
        ("a", Outcome.FAILED),
        ("b", Outcome.NOT_REACHED),
    ]
