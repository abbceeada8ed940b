"""The checks of step 4: the gate is checked with examples, the other exercises on the compiled pipeline."""

import re
from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict
from kfp import dsl

from brakepoint.pipeline.fingerprints import CODE, code_fingerprint
from brakepoint.texts import catalogue, language, text
from brakepoint.workshop.checks.answers import kind, replaced
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

TASKS = {"dataset", "synthetic", "training", "comparison", "quality-gate", "publish"}
BEFORE = {"track": 0.8, "road": 0.9}
GATE_CASES = (
    ("first", {"track": 0.6, "road": 0.9}, None, 0.5, 0.0, 0),
    ("too_low", {"track": 0.4, "road": 0.9}, None, 0.5, 0.0, 1),
    ("least_is_for_the_track", {"track": 0.6, "road": 0.4}, None, 0.5, 0.0, 0),
    ("just_enough", {"track": 0.5, "road": 0.9}, None, 0.5, 0.0, 0),
    ("same", BEFORE, BEFORE, 0.5, 0.0, 0),
    ("improved", {"track": 0.9, "road": 0.9}, BEFORE, 0.5, 0.0, 0),
    ("track_worse", {"track": 0.7, "road": 0.9}, BEFORE, 0.5, 0.0, 1),
    ("road_forgotten", {"track": 0.9, "road": 0.7}, BEFORE, 0.5, 0.0, 1),
    ("other_world", {"track": 0.9, "road": 0.9, "night": 0.5}, BEFORE | {"night": 0.8}, 0.5, 0.0, 1),
    ("tolerance", {"track": 0.75, "road": 0.85}, BEFORE, 0.5, 0.1, 0),
    ("least_has_no_tolerance", {"track": 0.45, "road": 0.9}, None, 0.5, 0.1, 1),
    ("relative", {"track": 0.71, "road": 0.9}, BEFORE, 0.5, 0.1, 0),
    ("by_name", {"night": 0.5, "road": 0.9, "track": 0.8}, BEFORE, 0.5, 0.0, 0),
    ("rounded", {"track": 0.796, "road": 0.9}, BEFORE, 0.5, 0.0, 1),
    ("rounded", {"track": 0.496, "road": 0.9}, None, 0.5, 0.0, 1),
    ("every_reason", {"track": 0.4, "road": 0.4}, BEFORE, 0.5, 0.0, 3),
)
"""Name of the mistake, new and production scores, least, tolerance, and number of reasons."""
WIRES = {
    ("training", "stills"): ("dataset", "stills"),
    ("training", "track"): ("synthetic", "track"),
    ("comparison", "model"): ("training", "model"),
    ("comparison", "stills"): ("dataset", "stills"),
    ("comparison", "road"): ("synthetic", "road"),
    ("quality-gate", "result"): ("comparison", "result"),
    ("publish", "model"): ("training", "model"),
    ("publish", "result"): ("comparison", "result"),
}
"""The connections from outputs to inputs."""
RESULTS = {"stills", "painted", "trained", "compared", "passed", "published"}
"""The names of the tasks that the lines below the gap use."""
OTHER_SECRET = "secret-of-this-check"
"""What `S3_SECRET` is during the check, as in a room whose secret has another name."""
PARAMETERS = {
    ("synthetic", "pictures"),
    ("synthetic", "seed"),
    ("training", "epochs"),
    ("training", "seed"),
    ("quality-gate", "least"),
    ("quality-gate", "tolerance"),
}
"""The pipeline parameters of each task."""


def check_gate(lab: Lab) -> None:
    """A model is rejected for each of its defects, and for nothing else."""
    for name, new, production, least, tolerance, expected in GATE_CASES:
        given = None if production is None else dict(production)
        try:
            reasons = lab.gate(dict(new), given, least, tolerance)
        except (TypeError, AttributeError):
            if production is None:
                raise Wrong("step4.gate.no_production") from None
            raise
        except KeyError:
            if name == "by_name":
                raise Wrong("step4.gate.by_name") from None
            raise
        if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
            raise Wrong("step4.gate.type", found=type(reasons).__name__)
        if len(reasons) != expected:
            raise Wrong(f"step4.gate.{name}", found=len(reasons), expected=expected)
        if keys := [reason for reason in reasons if reason in catalogue() or not reason.strip()]:
            raise Wrong("step4.gate.key", found=keys[0])
        _check_sentences(reasons, _true_sentences(new, production or {}, least))


def _true_sentences(
    new: dict[str, float], production: dict[str, float], least: float
) -> dict[str, list[str]]:
    """The correct sentences of the kit about a model."""
    worse = [
        text("gate.worse", world=world, found=new[world], before=before)
        for world, before in production.items()
    ]
    return {"too_low": [text("gate.too_low", found=new["track"], least=least)], "worse": worse}


def _check_sentences(reasons: list[str], true: dict[str, list[str]]) -> None:
    """An attendee's own sentence may say anything; a sentence of the kit must have the right numbers."""
    for key, sentences in true.items():
        shape = re.sub(r"\\\{[^}]*\}", ".*", re.escape(catalogue()[f"gate.{key}"][language()]))
        for reason in reasons:
            if re.fullmatch(shape, reason) and reason not in sentences:
                raise Wrong(f"step4.gate.says_{key}", found=reason)


def check_secret(lab: Lab) -> None:
    """The bucket's keys come from the Secret."""
    written_out = lab.S3_SECRET
    with replaced(lab, S3_SECRET=OTHER_SECRET):
        container, platform = _task_with(lab.with_store)
    secrets = platform.get("secretAsEnv", [])
    if not secrets:
        raise Wrong("step4.secret.missing")
    for secret in secrets:
        name = secret.get("secretName") or secret["secretNameParameter"]["runtimeValue"]["constant"]
        if name == written_out:
            raise Wrong("step4.secret.literal", found=name)
        if name != OTHER_SECRET:
            raise Wrong("step4.secret.name", found=name, expected=written_out)
        if secret.get("optional"):
            raise Wrong("step4.secret.optional")
    if plain := [
        variable["name"] for variable in container.get("env", ()) if variable["name"] in lab.S3_KEYS
    ]:
        raise Wrong("step4.secret.plain", variable=plain[0])
    pairs = {pair["secretKey"]: pair["envVar"] for secret in secrets for pair in secret["keyToEnv"]}
    for key in lab.S3_KEYS:
        if pairs.get(key) != key:
            raise Wrong("step4.secret.keys", variable=key)


def check_gpu(lab: Lab) -> None:
    """One GPU is requested, and the taint of its nodes is tolerated."""
    container, platform = _task_with(lab.with_gpu)
    accelerator = container.get("resources", {}).get("accelerator", {})
    if accelerator.get("resourceType") != lab.GPU:
        raise Wrong("step4.gpu.missing", expected=lab.GPU)
    if accelerator.get("resourceCount") != "1":
        raise Wrong("step4.gpu.count", found=accelerator.get("resourceCount", "0"))
    tolerations = platform.get("tolerations", [])
    fitting = [one for one in tolerations if one.get("key") == lab.GPU and one.get("operator") == "Exists"]
    if not fitting:
        raise Wrong("step4.gpu.toleration", expected=lab.GPU)
    if not any(one.get("effect", "") in ("", "NoSchedule") for one in fitting):
        raise Wrong("step4.gpu.effect", found=fitting[0]["effect"])
    for name, argument in (("value", "value"), ("tolerationSeconds", "toleration_seconds")):
        if any(one.get(name) for one in fitting):
            raise Wrong("step4.gpu.invalid", argument=argument)


def check_wiring(lab: Lab) -> None:
    """Every task gets its inputs, and nothing is published without passing the gate."""
    try:
        spec = MessageToDict(lab.training_pipeline().pipeline_spec)
    except UnboundLocalError as error:
        name = error.args[0].split("'")[1]
        raise Wrong(f"step4.wiring.{'name' if name in RESULTS else 'shadowed'}", name=name) from None
    except KeyError as error:
        name = error.args[0] if isinstance(error.args[0], str) else kind(error.args[0])
        raise Wrong("step4.wiring.no_such_name", name=name, stages=", ".join(CODE)) from None
    tasks = spec["root"]["dag"]["tasks"]
    if missing := sorted(TASKS - set(tasks)):
        raise Wrong("step4.wiring.tasks", missing=", ".join(missing))
    if extra := sorted(set(tasks) - TASKS):
        raise Wrong("step4.wiring.twice", name=extra[0].rpartition("-")[0])
    for (task, name), (source, output) in WIRES.items():
        wire = tasks[task]["inputs"]["artifacts"][name]["taskOutputArtifact"]
        if (wire["producerTask"], wire["outputArtifactKey"]) != (source, output):
            raise Wrong("step4.wiring.wrong_wire", task=task, input=name, source=source, output=output)
    for task, name in sorted(PARAMETERS):
        if tasks[task]["inputs"]["parameters"][name].get("componentInputParameter") != name:
            raise Wrong("step4.wiring.parameter", task=task, name=name)
    for stage in CODE:
        value = tasks[stage]["inputs"]["parameters"]["code"].get("runtimeValue", {}).get("constant")
        if value != code_fingerprint(stage):
            raise Wrong("step4.wiring.code", task=stage)
    if "quality-gate" not in tasks["publish"]["dependentTasks"]:
        raise Wrong("step4.wiring.not_gated")


def _task_with(change: Callable[[Any], None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The compiled form of a modified task: its container, and its Kubernetes-specific part."""

    @dsl.component(base_image="python", install_kfp_package=False)
    def nothing() -> None:
        pass

    @dsl.pipeline(name="one-task")
    def one_task() -> None:
        change(nothing())

    spec, platform = MessageToDict(one_task.pipeline_spec), MessageToDict(one_task.platform_spec)
    container = spec["deploymentSpec"]["executors"]["exec-nothing"]["container"]
    kubernetes = platform.get("platforms", {}).get("kubernetes", {})
    return container, kubernetes.get("deploymentSpec", {}).get("executors", {}).get("exec-nothing", {})
