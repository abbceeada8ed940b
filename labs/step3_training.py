"""Step 3: train a detector on the pictures of step 2, evaluate it, and export it for the train.

The network learns from crops at the scale of the frames that it will process: a sign has the same width in
pixels in both. The pictures already differ in light, blur, noise and pose, so ultralytics' own augmentation
is nearly switched off.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brakepoint.training import (
    CROP_PX,
    compute_in_bfloat16,
    export_onnx,
    fall_every_step,
    open_model,
    stop_when,
    strip_checkpoint,
    unfinished,
    use_all_cores,
    watched,
    write_data_file,
)
from brakepoint.worlds import World

ROAD_SHARE = 0.25
"""Share of road pictures among all pictures: a model trained only on new things forgets the old ones."""
PRECISION_LEAST = 0.9
"""Minimum share of correct detections, or the train would stop for nothing."""
FORGETTING_MOST = 0.05
"""Largest acceptable loss of mAP50 on roads, 0 to 1, for a gain on the track."""

AUGMENTATION = {
    "mosaic": 0.0,
    "scale": 0.15,
    "translate": 0.05,
    "fliplr": 0.0,
    "hsv_h": 0.01,
    "hsv_s": 0.2,
    "hsv_v": 0.2,
    "erasing": 0.0,
}


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run.

    Attributes:
        epochs: How many times each crop is used.
        batch: Crops per step.
        learning_rate: Learning rate of the first steps, which falls to a fiftieth along a cosine.
        seed: Seed for the order of the crops and the initial weights.
        patience: Training ends early after this many epochs without a better mAP on the validation pictures.
    """

    epochs: int = 3
    batch: int = 16
    learning_rate: float = 2e-3
    seed: int = 0
    patience: int = 3


def road_pictures(track_pictures: int) -> int:
    """How many pictures of roads to add to those of the track.

    Args:
        track_pictures: Number of pictures of the track.

    Returns:
        The number that makes them the share `ROAD_SHARE` of **all** pictures, rounded to an integer.
    """
    # TODO mix: return how many pictures of roads to add to the track_pictures pictures of the track,
    # rounded to the nearest whole number, so that roads make up the share ROAD_SHARE of the whole
    # mix. With fewer road pictures, the model forgets the roads; with more, it has too little time
    # for the track.
    # À FAIRE mix : renvoyer le nombre d’images de routes à ajouter aux track_pictures images de la
    # voie, arrondi à l’entier le plus proche, pour que les routes représentent une part ROAD_SHARE de
    # tout le mélange. Avec moins d’images de routes, le modèle oublie les routes ; avec davantage, il
    # n’a plus assez de temps pour la voie.
    raise NotImplementedError  # replace this · à remplacer


def should_stop(scores: list[float], patience: int) -> bool:
    """Whether training should end early, because it has made no progress for a while.

    Args:
        scores: The model's score after each epoch so far (higher is better), in order.
        patience: Number of epochs without a new best score that ends training, at least 1.

    Returns:
        True once `patience` epochs have passed since the best one. An equal score is not a new best.
    """
    # TODO stop: return True once at least patience epochs have followed the best one, and False
    # before that; an epoch that only equals the best score is not a new best. One bad epoch is often
    # due to chance, and a training run that stops there throws away a half-trained model; one that
    # never stops costs hours in which nothing is learnt.
    # À FAIRE stop : renvoyer True dès qu’au moins « patience » époques ont suivi la meilleure, et
    # False avant ; égaler le meilleur score n’est pas le battre. Une mauvaise époque est souvent due
    # au hasard, et s’arrêter là, c’est jeter un modèle à moitié entraîné ; ne jamais s’arrêter, c’est
    # payer des heures où le modèle n’apprend plus rien.
    return False  # replace this · à remplacer


def choose_confidence(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Chooses the confidence threshold for detections.

    The lower the threshold, the more signs are found, and the more detections are wrong.

    Args:
        confidences: `(n,)` confidences of all detections, highest first.
        correct: `(n,)` whether each of them is right.

    Returns:
        The lowest of the confidences for which a share of at least `PRECISION_LEAST` of all detections
        with that confidence or more is right; 1.0 if there is none.
    """
    # TODO threshold: return the lowest value in confidences that fulfils this condition: of all
    # detections with at least this confidence, a share of at least PRECISION_LEAST is right. The
    # condition may fail at a higher confidence and hold again at a lower one. The answer is always a
    # number: 1.0 if the condition holds nowhere. An answer that is too high makes the train drive
    # past signs; one that is too low makes it brake for nothing.
    # À FAIRE threshold : renvoyer la plus basse valeur de « confidences » qui remplit cette
    # condition : parmi toutes les détections dont la confiance est au moins égale à cette valeur, la
    # proportion de détections justes est d’au moins PRECISION_LEAST. La condition peut être fausse à
    # une confiance plus haute et redevenir vraie plus bas. La réponse est toujours un nombre : 1.0 si
    # la condition n’est remplie nulle part. Une réponse trop élevée fait manquer des panneaux au
    # train ; une réponse trop basse le fait freiner pour rien.
    raise NotImplementedError  # replace this · à remplacer


def is_better(new: dict[World, float], base: dict[World, float]) -> bool:
    """Whether a new model may replace the base model.

    Args:
        new: Its mAP50 by world, 0 to 1: `new[World.TRACK]` and `new[World.ROAD]`.
        base: The same for the base model.

    Returns:
        True if the new model is better on the track, and at most `FORGETTING_MOST` worse on roads.
    """
    # TODO gate: return True if the new model may replace the base model, and otherwise False: on the
    # track the new model must be better, not merely as good, and on roads its mAP50 may have fallen
    # by at most FORGETTING_MOST, that value included. A mean of both scores would hide what was
    # forgotten.
    # À FAIRE gate : renvoyer True si le nouveau modèle peut prendre la place du modèle de base, et
    # False sinon : sur la voie, le nouveau modèle doit être meilleur, et pas seulement aussi bon ;
    # sur les routes, il peut avoir perdu au plus FORGETTING_MOST de mAP50, cette valeur comprise. Une
    # moyenne des deux scores cacherait ce qui a été oublié.
    raise NotImplementedError  # replace this · à remplacer


def train(
    datasets: list[Path],
    validation: list[Path],
    out_dir: Path,
    start: Path | None = None,
    recipe: Recipe | None = None,
) -> Path:
    """Trains a detector on crops. An interrupted run resumes after its last complete epoch.

    Args:
        datasets: Folders of crops, each with `images/` and `labels/`.
        validation: The same for validation; never part of `datasets`.
        out_dir: Receives the run: `weights/last.pt` and `curves.png` after every epoch, then `model.pt`.
        start: Checkpoint to start from; None starts from scratch.
        recipe: Settings of the run; the default if None.

    Returns:
        The stripped checkpoint of the last epoch, `out_dir/model.pt`.

    Raises:
        UserError: A dataset is empty, or the checkpoint is missing or broken, or knows other classes.
    """
    recipe = recipe or Recipe()
    data = write_data_file(datasets, validation, out_dir / "data.yaml")
    interrupted = unfinished(out_dir)
    model = open_model(interrupted or start)
    use_all_cores(model)
    compute_in_bfloat16(model)
    fall_every_step(model)
    stop_when(model, lambda scores: should_stop(scores, recipe.patience))
    with watched(model, out_dir):
        model.train(
            resume=interrupted is not None,
            data=str(data),
            imgsz=CROP_PX,
            epochs=recipe.epochs,
            batch=recipe.batch,
            nbs=recipe.batch,
            optimizer="AdamW",
            lr0=recipe.learning_rate,
            lrf=0.02,
            cos_lr=True,
            warmup_epochs=min(0.3, recipe.epochs / 10),
            weight_decay=0.01,
            seed=recipe.seed,
            patience=0,  # `should_stop` decides.
            amp=False,
            project=str(out_dir.parent.resolve()),
            name=out_dir.name,
            exist_ok=True,
            plots=False,
            **AUGMENTATION,
        )
    # The best epoch on a few stills is a matter of chance; the last one has the lowest learning rate.
    strip_checkpoint(out_dir / "weights" / "last.pt", out_dir / "model.pt")
    return out_dir / "model.pt"


def export(checkpoint: Path, target: Path) -> Path:
    """Exports a checkpoint to the ONNX file that the train runs."""
    return export_onnx(checkpoint, target)
