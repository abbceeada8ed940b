"""The training as a pipeline: the fixed parts behind step 4. Nothing here imports kfp before it is used."""

import importlib.util

from brakepoint.errors import UserError

PIPELINE_NAME = "brakepoint-training"


def require_pipeline() -> None:
    """Says what to install when the extra `pipeline` is not there.

    Raises:
        UserError: It is not.
    """
    missing = [name for name in ("kfp", "kfp.kubernetes") if _is_missing(name)]
    if missing:
        raise UserError("pipeline.error.packages", packages=", ".join(missing))


def _is_missing(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is None
    except ModuleNotFoundError:
        return True
