"""A step 4 that trains nothing and publishes: `publishing_pipeline.py MODEL FOLDER [HELD]` prints events.

With HELD, a file name, it creates that file in the middle of the publication and waits until killed.
"""

import sys
from pathlib import Path
from typing import Any

from kfp import dsl

from solutions.step4_pipeline import gate

__all__ = ["gate", "training_pipeline"]
component = dsl.component(base_image="python", install_kfp_package=False)


@component
def training(source: str, model: dsl.Output[dsl.Model], result: dsl.Output[dsl.Artifact]) -> None:
    import shutil
    from pathlib import Path

    from brakepoint.pipeline.comparison import COMPARISON_FILE, ProductionComparison
    from brakepoint.pipeline.stages import MODEL_FILE

    for artefact in (model, result):
        Path(artefact.path).mkdir()
    shutil.copy2(source, Path(model.path) / MODEL_FILE)
    model.metadata.update(data="d", code="c")
    found = ProductionComparison(new={"track": 0.9, "road": 0.9})
    (Path(result.path) / COMPARISON_FILE).write_text(found.model_dump_json(), encoding="utf-8")


@component
def publish(held: str, model: dsl.Input[dsl.Model], result: dsl.Input[dsl.Artifact]) -> None:
    import signal
    from pathlib import Path
    from typing import Any

    from brakepoint.pipeline import stages
    from brakepoint.registry.bucket import Registry

    def stay(self: Registry, key: str, content: Any) -> None:
        Path(held).touch()
        signal.pause()

    if held:
        registry: Any = Registry
        registry._write = stay  # The model is already there; its record is not.
    stages.publish(model, result)


def build(source: str, held: str) -> None:
    made = training(source=source)
    published = publish(held=held, model=made.outputs["model"], result=made.outputs["result"])
    published.set_caching_options(False)


def training_pipeline():
    return dsl.pipeline(name="publishing")(build)


if __name__ == "__main__":
    from brakepoint.pipeline.local import run

    given: dict[str, Any] = {"source": sys.argv[1], "held": sys.argv[3] if len(sys.argv) > 3 else ""}
    run(
        sys.modules[__name__],
        lambda what, task: print(what, task, flush=True),  # noqa: T201
        Path(sys.argv[2]),
        **given,
    )
