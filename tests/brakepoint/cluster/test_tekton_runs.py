"""Pods of pipelines: parameters, conditions, matrices and triggers, as Tekton's documentation has them."""

from typing import Any

import pytest
from left_out import unreadable

from brakepoint.cluster import tekton
from brakepoint.cluster.pods import Pod

IMAGES = "images"


def named(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": IMAGES}, "spec": spec}


TASK = named(
    "Task",
    "say",
    {
        "params": [{"name": "word"}, {"name": "words", "type": "array", "default": ["a", "b"]}],
        "workspaces": [{"name": "source"}, {"name": "keys", "optional": True, "mountPath": "/keys"}],
        "results": [{"name": "said"}],
        "stepTemplate": {"env": [{"name": "HOME", "value": "/home"}]},
        "steps": [
            {
                "name": "say",
                "image": "registry/$(params.word):1",
                "args": ["$(params.words[*])", "$(workspaces.source.path)", "$(workspaces.keys.bound)"],
                "computeResources": {"requests": {"cpu": "1"}},
            }
        ],
    },
)


def pipeline(**task: Any) -> dict[str, Any]:
    said = {
        "name": "first",
        "taskRef": {"name": "say"},
        "workspaces": [{"name": "source", "workspace": "all"}],
    }
    words = [{"name": "word", "value": "$(params.word)"}]
    spec = {
        "params": [{"name": "word", "default": "hello"}],
        "workspaces": [{"name": "all"}],
        "tasks": [{**said, "params": words, **task}],
    }
    return named("Pipeline", "pipeline", spec)


def run(**spec: Any) -> dict[str, Any]:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    workspaces = [{"name": "all", "volumeClaimTemplate": claim}]
    return named(
        "PipelineRun", "run", {"pipelineRef": {"name": "pipeline"}, "workspaces": workspaces, **spec}
    )


def pods(*manifests: dict[str, Any], **settings: Any) -> list[Pod]:
    return list(tekton.pods(list(tekton.uses([TASK, *manifests])), settings))


def image_of(pod: Pod) -> str:
    return str(pod.spec["containers"][0]["image"])


def test_parameters_are_the_run_s_or_else_the_pipeline_s() -> None:
    assert [image_of(pod) for pod in pods(pipeline(), run())] == ["registry/hello:1"]
    given = run(params=[{"name": "word", "value": "bye"}])
    assert [image_of(pod) for pod in pods(pipeline(), given)] == ["registry/bye:1"]


def test_arrays_paths_and_what_is_bound_are_put_in() -> None:
    (pod,) = pods(pipeline(), run())

    assert pod.spec["containers"][0]["args"] == ["a b", "/workspace/source", "false"]


def test_a_step_is_a_container_with_the_workspaces_and_its_own_resources() -> None:
    (pod,) = pods(pipeline(), run())
    (container,) = pod.spec["containers"]

    assert (pod.name, pod.made_by, pod.namespace, pod.waits) == ("run/first", "TaskRun", IMAGES, True)
    assert container["name"] == "step-say"
    assert container["resources"] == {"requests": {"cpu": "1"}}
    assert container["env"] == [{"name": "HOME", "value": "/home"}]
    assert container["volumeMounts"] == [{"name": "ws-source", "mountPath": "/workspace/source"}]
    assert {"name": "ws-source", "persistentVolumeClaim": {"claimName": "run-all"}} in pod.spec["volumes"]


def test_a_run_makes_its_own_claim() -> None:
    (claim,) = tekton.claims([TASK, pipeline(), run()])

    assert claim["metadata"]["name"] == "run-all"
    assert claim["metadata"]["namespace"] == IMAGES
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"


def test_a_task_whose_condition_is_not_met_is_skipped() -> None:
    for operator, values, count in (
        ("in", ["hello"], 1),
        ("in", ["bye"], 0),
        ("notin", ["hello"], 0),
        ("notin", ["bye"], 1),
    ):
        when = [{"input": "$(params.word)", "operator": operator, "values": values}]
        assert len(pods(pipeline(when=when), run())) == count, (operator, values)


def test_a_condition_that_only_the_run_knows_counts_as_met() -> None:
    when = [{"input": "$(tasks.other.results.x)", "operator": "in", "values": ["yes"]}]

    assert len(pods(pipeline(when=when), run())) == 1


def test_a_matrix_makes_a_pod_for_each_combination() -> None:
    matrix = {"params": [{"name": "word", "value": ["x", "y"]}]}

    assert [image_of(pod) for pod in pods(pipeline(params=[], matrix=matrix), run())] == [
        "registry/x:1",
        "registry/y:1",
    ]


def test_account_and_node_are_the_task_s_own_before_the_run_s() -> None:
    said = run(
        taskRunTemplate={"serviceAccountName": "all", "podTemplate": {"securityContext": {"fsGroup": 1}}},
        taskRunSpecs=[
            {
                "pipelineTaskName": "first",
                "serviceAccountName": "own",
                "podTemplate": {"nodeSelector": {"kubernetes.io/arch": "arm64"}},
            }
        ],
    )
    (pod,) = pods(pipeline(), said)

    assert pod.account == "own"
    assert pod.spec["nodeSelector"] == {"kubernetes.io/arch": "arm64"}
    assert pod.spec["securityContext"] == {"fsGroup": 1}
    assert pod.annotations == {tekton.CHOSEN_NODE: "false"}


def test_who_says_no_account_has_the_platform_s() -> None:
    assert pods(pipeline(), run())[0].account == "default"
    assert pods(pipeline(), run(), **{"default-service-account": "pipeline"})[0].account == "pipeline"


def test_tekton_guards_its_own_containers_only_where_it_is_configured_to() -> None:
    def helpers(**settings: Any) -> list[Any]:
        return [
            one.get("securityContext")
            for one in pods(pipeline(), run(), **settings)[0].spec["initContainers"]
        ]

    assert helpers() == [None, None]
    assert helpers(**{"set-security-context": True}) == [tekton.GUARDED, tekton.GUARDED]


def template() -> dict[str, Any]:
    made = run(
        params=[{"name": "word", "value": "$(tt.params.word)"}],
        taskRunSpecs=[
            {
                "pipelineTaskName": "first",
                "podTemplate": {"nodeSelector": {"kubernetes.io/arch": "$(tt.params.node)"}},
            }
        ],
    )
    params = [{"name": "word"}, {"name": "node", "default": "arm64"}]
    return named("TriggerTemplate", "template", {"params": params, "resourcetemplates": [made]})


def test_every_trigger_makes_a_run_of_its_template_with_what_it_binds() -> None:
    def bound(word: str) -> dict[str, Any]:
        return {"bindings": [{"name": "word", "value": word}], "template": {"ref": "template"}}

    listener = named("EventListener", "listener", {"triggers": [{"name": "push", **bound("one")}]})
    trigger = named("Trigger", "seat", bound("two"))
    found = pods(pipeline(), template(), listener, trigger)

    assert {pod.name: image_of(pod) for pod in found} == {
        "run/push/first": "registry/one:1",
        "run/seat/first": "registry/two:1",
    }
    assert all(pod.spec["nodeSelector"] == {"kubernetes.io/arch": "arm64"} for pod in found)
    assert all(pod.annotations == {tekton.CHOSEN_NODE: "true"} for pod in found)


def misfits(*manifests: dict[str, Any]) -> list[str]:
    return [what for _, _, what in tekton.misfits([TASK, *manifests])]


def test_what_fits_is_not_named() -> None:
    assert misfits(pipeline(), run()) == []


def test_what_is_missing_or_unknown_is_named() -> None:
    assert misfits(run()) == ["Pipeline pipeline"]
    assert misfits(pipeline(taskRef={"name": "sing"}), run()) == ["Task sing"]
    assert misfits(pipeline(params=[]), run()) == ["params.word"]
    given = [{"name": "word", "value": "x"}, {"name": "tone", "value": "y"}]
    assert misfits(pipeline(params=given), run()) == ["params.tone"]
    assert misfits(pipeline(workspaces=[]), run()) == ["workspaces.source"]
    assert misfits(pipeline(runAfter=["zeroth"]), run()) == ["runAfter zeroth"]
    result = [{"name": "word", "value": "$(tasks.first.results.sung)"}]
    assert misfits(pipeline(params=result), run()) == ["tasks.first.results.sung"]
    assert misfits(pipeline(), run(workspaces=[])) == ["workspaces.all"]
    assert misfits(pipeline(), run(taskRunSpecs=[{"pipelineTaskName": "last"}])) == ["taskRunSpecs last"]


@pytest.mark.parametrize("number", range(3), ids=["a task", "a pipeline", "a run"])
def test_any_optional_part_may_be_left_out(number: int) -> None:
    """The API server accepts these manifests, so the rehearsal of what it admits must read them."""
    whole = [TASK, pipeline(), run()]

    def reading(rest: dict[str, Any]) -> list[Any]:
        manifests = [*whole[:number], rest, *whole[number + 1 :]]
        return [*tekton.pods(list(tekton.uses(manifests)), {}), *tekton.claims(manifests)]

    assert unreadable(whole[number], reading) == []
