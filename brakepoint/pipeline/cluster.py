"""Writes the pipeline as YAML for a cluster, and submits it to OpenShift AI or any Kubeflow server."""

import os
import ssl
from pathlib import Path
from types import ModuleType
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import yaml

from brakepoint.errors import UserError
from brakepoint.files import whole_file
from brakepoint.pipeline import PIPELINE_NAME

TOKEN_VARIABLE = "KFP_TOKEN"
TIMEOUT_S = 20
SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Folder with a pod's token, its namespace, and the certificates of the cluster's own services."""
SERVER = "https://ds-pipeline-dspa.{namespace}.svc:8443"
"""URL of the server in deploy/openshift-ai/pipeline-server.yaml, from within pods."""
IMAGE_VARIABLE = "BRAKEPOINT_IMAGE"


def compile_to(step: ModuleType, path: Path) -> None:
    """Writes the pipeline as YAML, atomically.

    Args:
        step: The module of step 4.
        path: Path to write to; ends with `.yaml` or `.yml`.

    Raises:
        UserError: The path has a different suffix.
    """
    from kfp import compiler

    if path.suffix not in (".yaml", ".yml"):
        raise UserError("pipeline.error.not_yaml", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        compiler.Compiler().compile(step.training_pipeline(), str(part))


def submit(step: ModuleType, host: str, folder: Path, **parameters: float) -> str:
    """Starts a run on a cluster.

    Args:
        step: The module of step 4.
        host: URL of the pipeline server, for instance from `server_of_the_namespace`.
        folder: Receives the YAML.
        parameters: Parameters of the pipeline.

    Returns:
        The run's id.

    Raises:
        UserError: No pipeline server answers there, the server refuses the token, or no image is set.
    """
    import kfp

    path = folder / f"{PIPELINE_NAME}.yaml"
    compile_to(step, path)
    must_name_an_image(path)
    token, certificates = _token(), _certificates(folder)
    _must_answer(host, token, certificates)
    try:
        client = kfp.Client(host=host, existing_token=token, ssl_ca_cert=certificates)
        run = client.create_run_from_pipeline_package(
            str(path), arguments=parameters, experiment_name=PIPELINE_NAME
        )
    except Exception as error:  # kfp passes on whatever its many libraries raise.
        raise UserError("pipeline.error.host", host=host, why=_first_line(error)) from error
    return str(run.run_id)


def server_of_the_namespace() -> str:
    """URL of the pipeline server in this pod's namespace.

    Raises:
        UserError: This isn't a pod.
    """
    file = SERVICE_ACCOUNT_DIR / "namespace"
    if not file.is_file():
        raise UserError("pipeline.error.no_host")
    return SERVER.format(namespace=file.read_text(encoding="utf-8").strip())


def must_name_an_image(path: Path) -> None:
    """Rejects an image without a registry: a cluster would look for the image in the public one, in vain.

    Args:
        path: File from `compile_to`. Neither reading nor writing this file requires an image.

    Raises:
        UserError: One of the pipeline's images does not name a registry.
    """
    pipeline = next(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    for executor in pipeline["deploymentSpec"]["executors"].values():
        if "/" not in (image := executor["container"].get("image", "")):
            raise UserError("pipeline.error.no_image", image=image, variable=IMAGE_VARIABLE)


def _must_answer(host: str, token: str | None, certificates: str | None) -> None:
    """Checks the server's health: kfp's client retries for half a minute and explains little."""
    request = Request(f"{host.rstrip('/')}/apis/v2beta1/healthz")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    trusted = ssl.create_default_context(cafile=certificates)
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


def _certificates(folder: Path) -> str | None:
    """The certificates to trust: in a pod, the usual ones and those of the cluster's own services."""
    own = [
        file
        for file in (SERVICE_ACCOUNT_DIR / "service-ca.crt", SERVICE_ACCOUNT_DIR / "ca.crt")
        if file.is_file()
    ]
    if not own:
        return None
    import certifi  # Comes with kfp, which trusts these certificates, too.

    usual = Path(ssl.get_default_verify_paths().cafile or certifi.where())
    path = folder / "certificates.pem"
    path.write_text("\n".join(file.read_text(encoding="utf-8") for file in (usual, *own)), encoding="utf-8")
    return str(path)


def _token() -> str | None:
    """The token from the environment, or else the pod's own."""
    file = SERVICE_ACCOUNT_DIR / "token"
    given = os.environ.get(TOKEN_VARIABLE)
    return given or (file.read_text(encoding="utf-8").strip() if file.is_file() else None)
