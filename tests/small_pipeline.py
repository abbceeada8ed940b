"""A short step 4 without training, for testing runs."""

from kfp import dsl

from solutions.step4_pipeline import gate

__all__ = ["gate", "training_pipeline"]
component = dsl.component(base_image="python", install_kfp_package=False)


@component
def dataset(seed: int, stills: dsl.Output[dsl.Dataset]) -> None:
    import os
    from pathlib import Path

    if seed < 0:
        raise NotImplementedError
    Path(stills.path).write_text(os.environ.get("BRAKEPOINT_STEPS", ""), encoding="utf-8")


@component
def comparison(new: float, stills: dsl.Input[dsl.Dataset], result: dsl.Output[dsl.Artifact]) -> None:
    from pathlib import Path

    from brakepoint.pipeline.comparison import COMPARISON_FILE, ProductionComparison

    if new < 0:
        raise ValueError("the model is upside down")
    Path(result.path).mkdir()
    found = ProductionComparison(
        new={"track": new, "road": 0.9}, production={"track": 0.8, "road": 0.9}, version=1
    )
    (Path(result.path) / COMPARISON_FILE).write_text(found.model_dump_json(), encoding="utf-8")


@component
def quality_gate(least: float, tolerance: float, result: dsl.Input[dsl.Artifact]) -> None:
    from brakepoint.pipeline import stages

    stages.gate(least, tolerance, result)


def build(seed: int, new: float, least: float, tolerance: float) -> None:
    made = dataset(seed=seed)
    compared = comparison(new=new, stills=made.outputs["stills"]).set_caching_options(False)
    quality_gate(least=least, tolerance=tolerance, result=compared.outputs["result"]).set_caching_options(
        False
    )


def training_pipeline():
    return dsl.pipeline(name="small")(build)
