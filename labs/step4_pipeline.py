"""Step 4: steps 1 to 3 as one pipeline, which runs both here and on a cluster.

    dataset ──┐
              ├─▶ training ──▶ comparison ──▶ gate ──▶ publish
    synthetic ┘

Each box is a component: it runs in its own container, passes artefacts on, and is skipped if neither its
inputs nor its code have changed. The bodies are short, because Kubeflow sends their source to the cluster:
longer code belongs in the package, and the package's fingerprint in the inputs.
"""

import os

from kfp import dsl, kubernetes

from brakepoint.pipeline import PIPELINE_NAME
from brakepoint.pipeline.fingerprints import code_fingerprint
from brakepoint.texts import text

IMAGE = os.environ.get("BRAKEPOINT_IMAGE", "brakepoint-python-training:latest")
"""Image with the kit and the extras mission, workshop, train and pipeline."""
S3_SECRET = os.environ.get("BRAKEPOINT_S3_SECRET", "aws-connection-brakepoint")
"""The data connection's secret, as named by OpenShift AI."""
S3_KEYS = ("AWS_S3_ENDPOINT", "AWS_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
GPU = "nvidia.com/gpu"
HAS_GPU = os.environ.get("BRAKEPOINT_GPUS") != "0"
"""A room without GPUs sets BRAKEPOINT_GPUS to 0: a task that requests a GPU would never start there."""


def gate(
    new: dict[str, float], production: dict[str, float] | None, least: float, tolerance: float
) -> list[str]:
    """Returns the reasons why a model must not be published.

    Args:
        new: Its mAP50 by world (`track`, `road`), 0 to 1.
        production: The same for the model in production; None if there is none yet.
        least: Minimum mAP50 on the track.
        tolerance: How much worse than production the model may be in each world: the road counts, too;
            otherwise the next training run would forget what the base model knew.

    Returns:
        A reason for each problem; empty if the model may be published. A score that just reaches its limit is
        good enough. `text("gate.too_low", found=…, least=…)` and `text("gate.worse", world=…, found=…,
        before=…)` write the reasons.
    """
    # TODO gate: return a list of all reasons why the model must not be published, each a readable
    # sentence; the list is empty if the model may be published. A score below least on the track is
    # one reason. A score that is lower than that of the model in production by more than tolerance is
    # another, once for each world in which that model was measured. A score that just reaches its
    # limit is good enough, and the very first model has nothing to be compared with. The list must be
    # complete: each fault that is found only after the first one is fixed costs another training run.
    # À FAIRE gate : renvoyer la liste de toutes les raisons de ne pas publier le modèle, chacune sous
    # forme de phrase lisible ; la liste est vide si le modèle peut être publié. Un score inférieur à
    # « least » sur la voie est une raison. Un score inférieur de plus de « tolerance » à celui du
    # modèle en production en est une autre, une fois pour chaque monde où ce modèle a été mesuré. Un
    # score qui atteint juste sa limite suffit, et le tout premier modèle n’a pas de point de
    # comparaison. La liste doit être complète : chaque défaut découvert seulement une fois le premier
    # corrigé coûte un entraînement de plus.
    raise NotImplementedError  # replace this · à remplacer


component = dsl.component(base_image=IMAGE, install_kfp_package=False)


@component
def dataset(code: str, stills: dsl.Output[dsl.Dataset]) -> None:
    """Step 1."""
    from brakepoint.pipeline import stages

    stages.dataset(stills)


@component
def synthetic(
    code: str, pictures: int, seed: int, track: dsl.Output[dsl.Dataset], road: dsl.Output[dsl.Dataset]
) -> None:
    """Step 2."""
    from brakepoint.pipeline import stages

    stages.synthetic(pictures, seed, track, road)


@component
def training(
    code: str,
    epochs: int,
    seed: int,
    stills: dsl.Input[dsl.Dataset],
    track: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
) -> None:
    """Step 3."""
    from brakepoint.pipeline import stages

    stages.training(epochs, seed, stills, track, model)


@component
def comparison(
    model: dsl.Input[dsl.Model],
    stills: dsl.Input[dsl.Dataset],
    road: dsl.Input[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    result: dsl.Output[dsl.Artifact],
) -> None:
    """Compares the new model with the one in production."""
    from brakepoint.pipeline import stages

    stages.comparison(model, stills, road, metrics, report, result)


@component
def quality_gate(least: float, tolerance: float, result: dsl.Input[dsl.Artifact]) -> None:
    """Fails, and so ends the pipeline, if the model must not be published."""
    from brakepoint.pipeline import stages

    stages.gate(least, tolerance, result)


@component
def publish(model: dsl.Input[dsl.Model], result: dsl.Input[dsl.Artifact]) -> int:
    """Adds the model to the registry and puts it into production."""
    from brakepoint.pipeline import stages

    return stages.publish(model, result).number


def with_store(task: dsl.PipelineTask) -> None:
    """Gives a task access to the bucket: each of `S3_KEYS` as an environment variable, from the secret.

    The pipeline contains none of the secret's content, only its name, `S3_SECRET`, and the names of its keys.
    The functions of kfp-kubernetes modify a task accordingly: `help(kubernetes)` lists them.
    """
    # TODO secret: when the task runs, it must find each of S3_KEYS in an environment variable of the
    # same name, taken from the cluster's secret S3_SECRET. The pipeline itself must contain none of
    # their values: its YAML is copied, emailed and committed to git.
    # À FAIRE secret : quand la tâche tourne, elle doit trouver chacune des clés de S3_KEYS dans une
    # variable d’environnement du même nom, prise dans le secret S3_SECRET du cluster. Le pipeline
    # lui-même ne doit contenir aucune de leurs valeurs : son YAML se copie, s’envoie et finit dans
    # git.
    raise NotImplementedError  # replace this · à remplacer


def with_gpu(task: dsl.PipelineTask) -> None:
    """Requests one GPU, and allows nodes that are reserved for GPU work (by a taint named `GPU`).

    This changes nothing on this machine. A task has methods for its requests, `help(dsl.PipelineTask)`; a
    function of `kubernetes` (kfp-kubernetes) sets the taint that it tolerates.
    """
    # TODO gpu: the task must ask for one accelerator of the type GPU (the constant), and must be
    # allowed on nodes with the taint GPU and the effect NoSchedule, whatever the value of the taint.
    # Such a taint keeps the nodes with a GPU free: a training run that asks for a GPU but does not
    # tolerate the taint waits for ever.
    # À FAIRE gpu : la tâche doit demander un accélérateur du type « GPU » (la constante), et être
    # admise sur les nœuds qui portent le taint « GPU » d’effet NoSchedule, quelle que soit la valeur
    # du taint. Un tel taint garde libres les nœuds à GPU : un entraînement qui demande un GPU sans
    # tolérer le taint attend indéfiniment.
    raise NotImplementedError  # replace this · à remplacer


def limit(task: dsl.PipelineTask, cpu: str, memory: str) -> None:
    """Limits the resources of a task, so that it does not disturb others on its node."""
    task.set_cpu_request(cpu).set_cpu_limit(cpu).set_memory_request(memory).set_memory_limit(memory)


def build(
    epochs: int = 3, pictures: int = 1000, seed: int = 0, least: float = 0.5, tolerance: float = 0.01
) -> None:
    """From the bucket of labelled stills to a model in production.

    A component is called only with keyword arguments. Its artefacts are in the `outputs` of the call's
    result, by the name of the parameter: after `stills = dataset(…)`, that is `stills.outputs["stills"]`. The
    parameter `code` is a fingerprint: `code_fingerprint(stage)` takes `"dataset"`, `"synthetic"` or
    `"training"`.

    Args:
        epochs: How many times each crop is used.
        pictures: Number of synthetic pictures for training.
        seed: Seed of pictures and training.
        least: Minimum mAP50 on the track.
        tolerance: How much worse than production is still acceptable.
    """
    # TODO wiring: wire the six components shown in the drawing at the top of the file: call each
    # once, with what the components before it produced and with the parameters of build, and name the
    # results stills, painted, trained, compared, passed and published. The comparison takes the
    # stills of the track and the painted road pictures. The first three components also take the
    # fingerprint of their own code, in the parameter code; otherwise the cache would reuse what old
    # code produced. And whatever happens, a refused model must not be published.
    # À FAIRE wiring : relier les six composants du dessin en tête de fichier : appeler chacun une
    # fois, avec ce que les précédents ont produit et avec les paramètres de « build », et nommer les
    # résultats stills, painted, trained, compared, passed et published. La comparaison reçoit les
    # images de la voie et les images peintes des routes. Les trois premiers composants reçoivent
    # aussi, dans le paramètre « code », l’empreinte de leur propre code ; sinon le cache resservirait
    # ce que l’ancien code a produit. Et quoi qu’il arrive, un modèle refusé ne doit pas être publié.
    raise NotImplementedError  # replace this · à remplacer
    for task in (compared, passed, published):
        task.set_caching_options(False)  # The production model isn't among their inputs.
    for task in (stills, compared, published):
        with_store(task)
    for task in (stills, painted, compared, passed, published):
        limit(task, cpu="2", memory="4Gi")
    limit(trained, cpu="4", memory="12Gi")
    if HAS_GPU:
        with_gpu(trained)
    kubernetes.empty_dir_mount(trained, "shm", "/dev/shm", medium="Memory", size_limit="2Gi")


def training_pipeline() -> dsl.base_component.BaseComponent:
    """The pipeline, built with the fingerprints of the current code."""
    return dsl.pipeline(name=PIPELINE_NAME)(build)
