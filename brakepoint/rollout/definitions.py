"""The parts of Tekton's `v1` that the kit's pipelines use; an unknown field is an error, never ignored."""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from brakepoint.delivery.rendering import Manifest
from brakepoint.errors import UserError
from brakepoint.validation import first_fault

Value = str | list[str]


class Part(BaseModel):
    """Base class of all parts."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Variable(Part):
    """A named value: a parameter or an environment variable."""

    name: str
    value: Value = ""


class ParameterSpec(Part):
    """A parameter that a task or a pipeline declares."""

    name: str
    type: Literal["string", "array"] = "string"
    description: str = ""
    default: Value | None = None


class WorkspaceSpec(Part):
    """A workspace that a task or a pipeline declares."""

    name: str
    description: str = ""
    optional: bool = False
    read_only: bool = False
    mount_path: str = ""


class ResultSpec(Part):
    """A result that a task writes."""

    name: str
    description: str = ""


class Mount(Part):
    """A volume of the task, mounted in a step."""

    name: str
    mount_path: str


class Step(Part):
    """One container of a task's pod."""

    name: str = ""
    image: str
    script: str = ""
    command: list[str] = []
    args: list[str] = []
    env: list[Variable] = []
    env_from: list[dict[str, Any]] = []
    working_dir: str = ""
    volume_mounts: list[Mount] = []
    security_context: dict[str, Any] = {}
    compute_resources: dict[str, Any] = {}


class Task(Part):
    """The `spec` of a Task."""

    description: str = ""
    params: list[ParameterSpec] = []
    workspaces: list[WorkspaceSpec] = []
    results: list[ResultSpec] = []
    steps: list[Step]
    volumes: list[dict[str, Any]] = []


class Condition(Part):
    """A condition for running a task."""

    input: str
    operator: Literal["in", "notin"]
    values: Value


class Matrix(Part):
    """Runs the task once for each combination."""

    params: list[Variable]


class Binding(Part):
    """Binds one of the pipeline's workspaces to a task."""

    name: str
    workspace: str = ""


class Reference(Part):
    """Refers to a task by name."""

    name: str
    kind: Literal["Task"] = "Task"


class Use(Part):
    """A task in a pipeline."""

    name: str
    task_ref: Reference
    params: list[Variable] = []
    workspaces: list[Binding] = []
    run_after: list[str] = []
    when: list[Condition] = []
    matrix: Matrix | None = None


class Pipeline(Part):
    """The `spec` of a Pipeline."""

    params: list[ParameterSpec] = []
    workspaces: list[WorkspaceSpec] = []
    tasks: list[Use]
    last: list[Use] = Field([], alias="finally")


Spec = TypeVar("Spec", bound=Part)


def read_pipeline(manifest: Manifest) -> Pipeline:
    """The `spec` of a Pipeline's manifest.

    Raises:
        UserError: The manifest contains something unsupported.
    """
    return _read(Pipeline, manifest)


def read_tasks(manifests: list[Manifest]) -> dict[str, Task]:
    """The `spec` of every Task among the manifests, by name.

    Raises:
        UserError: A Task contains something unsupported.
    """
    return {m["metadata"]["name"]: _read(Task, m) for m in manifests if m["kind"] == "Task"}


def _read(model: type[Spec], manifest: Manifest) -> Spec:
    try:
        return model.model_validate(manifest["spec"])
    except ValidationError as error:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        raise UserError("rollout.error.definition", name=name, why=first_fault(error)) from error
