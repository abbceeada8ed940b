"""The pipeline for a cluster: as YAML, and handed to OpenShift AI or any Kubeflow Pipelines."""

import os
import ssl
from pathlib import Path
from types import ModuleType
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from brakepoint.errors import UserError
from brakepoint.pipeline import PIPELINE_NAME

TOKEN_VARIABLE = "KFP_TOKEN"
TIMEOUT_S = 20
SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, and the certificate of the cluster's own services."""


def compile_to(step: ModuleType, path: Path) -> None:
    """Writes the pipeline as YAML, whole or not at all.

    Args:
        step: The module of step 4.
        path: Where to; ends with `.yaml`.

    Raises:
        UserError: The name has another ending.
    """
    from kfp import compiler

    if path.suffix not in (".yaml", ".yml"):
        raise UserError("pipeline.error.not_yaml", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part.yaml")
    compiler.Compiler().compile(step.training_pipeline(), str(part))
    part.replace(path)


def submit(step: ModuleType, host: str, folder: Path, **parameters: float) -> str:
    """Starts a run on a cluster.

    Args:
        step: The module of step 4.
        host: URL of the pipeline server.
        folder: Gets the YAML.
        parameters: Of the pipeline.

    Returns:
        The run's id.

    Raises:
        UserError: Nobody answers there as a pipeline server, or it refuses the token.
    """
    import kfp

    compile_to(step, folder / f"{PIPELINE_NAME}.yaml")
    token, certificate = _token(), _certificate()
    _must_answer(host, token, certificate)
    try:
        client = kfp.Client(host=host, existing_token=token, ssl_ca_cert=certificate)
        run = client.create_run_from_pipeline_package(
            str(folder / f"{PIPELINE_NAME}.yaml"), arguments=parameters, experiment_name=PIPELINE_NAME
        )
    except Exception as error:  # kfp passes on what its many libraries raise.
        raise UserError("pipeline.error.host", host=host, why=_first_line(error)) from error
    return str(run.run_id)


def _must_answer(host: str, token: str | None, certificate: str | None) -> None:
    """Asks for the server's health: kfp's client tries for half a minute and tells little."""
    request = Request(f"{host.rstrip('/')}/apis/v2beta1/healthz")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    trusted = ssl.create_default_context(cafile=certificate)
    try:
        with urlopen(request, timeout=TIMEOUT_S, context=trusted):
            return
    except HTTPError as error:
        if error.code in (401, 403):
            raise UserError("pipeline.error.token", host=host, variable=TOKEN_VARIABLE) from error
        raise UserError("pipeline.error.host", host=host, why=_first_line(error)) from error
    except (OSError, ValueError) as error:
        raise UserError("pipeline.error.host", host=host, why=_first_line(error)) from error


def _first_line(error: Exception) -> str:
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _certificate() -> str | None:
    """That of the cluster's own services, in a pod."""
    file = SERVICE_ACCOUNT_DIR / "service-ca.crt"
    return str(file) if file.is_file() else None


def _token() -> str | None:
    """From the environment, or else the pod's own."""
    file = SERVICE_ACCOUNT_DIR / "token"
    given = os.environ.get(TOKEN_VARIABLE)
    return given or (file.read_text(encoding="utf-8").strip() if file.is_file() else None)
