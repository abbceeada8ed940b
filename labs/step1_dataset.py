"""Step 1: from a bucket of labelled pictures to a dataset for training a detector.

The pictures and their Label Studio export are in a bucket. We list and download them, and verify that they
arrive complete and undamaged; turn Label Studio's rectangles into YOLO labels; and split the pictures by
scene, so that the detector is evaluated on places that it has never seen.
"""

import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from brakepoint.errors import UserError
from brakepoint.labels.label_studio_export import Annotation, Rectangle, Task
from brakepoint.labels.signs import LEAST_SIDE
from brakepoint.messages import SignClass
from brakepoint.store.content import StoredObject, sha256

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def list_objects(client: "S3Client", bucket: str, prefix: str) -> list[StoredObject]:
    """Lists every object whose key starts with a prefix.

    Args:
        client: From boto3. One answer of `client.list_objects_v2` contains at most 1000 objects.
        bucket: Name of the bucket.
        prefix: For instance `stills/`.

    Returns:
        All objects; an empty list if there are none.
    """
    # TODO listing: every object under the prefix must be in the returned list once, as a
    # StoredObject(key, size), however many there are: S3 returns at most 1000 in one answer, and a
    # picture missing from the list is never trained on. If there are no objects, the list is empty.
    # À FAIRE listing : chaque objet sous le préfixe doit figurer une fois dans la liste renvoyée,
    # sous forme de StoredObject(clé, taille), quel que soit le nombre d’objets : S3 en donne 1000 au
    # plus par réponse, et une image absente de la liste ne servira jamais à l’apprentissage. S’il n’y
    # a aucun objet, la liste est vide.
    raise NotImplementedError  # replace this · à remplacer


def is_intact(path: Path, size_bytes: int, digest: str | None) -> bool:
    """Whether a file exists, has the right size and, if known, the right SHA-256 (see `sha256`)."""
    if not path.is_file() or path.stat().st_size != size_bytes:
        return False
    return digest is None or sha256(path) == digest


def download(client: "S3Client", bucket: str, item: StoredObject, digest: str | None, target: Path) -> None:
    """Downloads an object, so that `target` is complete and correct, or does not exist at all.

    Args:
        client: From boto3: `client.download_file(bucket, key, file_name)`.
        bucket: Name of the bucket.
        item: The object: its `key` and its `size_bytes`.
        digest: Its SHA-256, if known.
        target: The file to create; its folder exists.

    Raises:
        UserError: The download is damaged.
    """
    # TODO download: when the function returns, target must contain the object, complete and
    # undamaged. If the received data is damaged, raise UserError("store.error.damaged",
    # name=item.key), and target must not exist. At no moment, even if the power fails, may damaged or
    # unfinished data have the name target. Whether the object arrived intact or damaged, no other
    # file may be left in the folder of target. Half a picture would be noticed only days later, in
    # the middle of a training run.
    # À FAIRE download : au retour de la fonction, « target » doit contenir l’objet, entier et intact.
    # Si les données reçues sont abîmées, levez UserError("store.error.damaged", name=item.key), et
    # « target » ne doit pas exister. À aucun moment, même en cas de coupure de courant, des données
    # abîmées ou incomplètes ne doivent porter le nom « target ». Que l’objet soit arrivé intact ou
    # abîmé, aucun autre fichier ne doit rester dans le dossier de « target ». On ne remarquerait une
    # moitié d’image que des jours plus tard, en plein entraînement.
    raise NotImplementedError  # replace this · à remplacer


def top_left_and_size_px(rectangle: Rectangle) -> Box:
    """A rectangle in pixels, ignoring its rotation: `(x, y, width, height)`.

    Args:
        rectangle: Its `value` contains percentages of `original_width` and `original_height` (pixels).
    """
    # TODO percent: return (x, y, width, height) of the rectangle in pixels. Label Studio writes all
    # four numbers as percentages of the picture, which is seldom square; the picture's size in pixels
    # is noted beside them. A wrong box teaches the detector to look beside the sign.
    # À FAIRE percent : renvoyer (x, y, largeur, hauteur) pour le rectangle, en pixels. Label Studio
    # écrit ces quatre nombres en pourcentage de l’image, rarement carrée, et note à côté la taille de
    # l’image en pixels. Un cadre faux apprend au détecteur à regarder à côté du panneau.
    raise NotImplementedError  # replace this · à remplacer


def corners(box: Box, rotation_deg: float) -> list[Point]:
    """The four corners, in pixels, of a rectangle rotated clockwise about its top left corner.

    A corner at `(right, down)` from the top left one is, after a rotation by `a`, at `(right * cos a - down *
    sin a, right * sin a + down * cos a)` from that corner.

    Args:
        box: `(x, y, width, height)` in pixels.
        rotation_deg: Degrees; `math.cos` and `math.sin` expect radians.
    """
    x, y, width, height = box
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    offsets = ((0, 0), (width, 0), (width, height), (0, height))
    return [(x + right * cos - down * sin, y + right * sin + down * cos) for right, down in offsets]


def upright_box(points: Iterable[Point], width: int, height: int) -> Box:
    """The smallest upright box around some points: `(left, top, right, bottom)`, clipped at the edges.

    If all points are outside the picture, the box is a line along the edge, without any area.
    """
    xs, ys = zip(*points, strict=True)
    left, right = (min(max(x, 0.0), float(width)) for x in (min(xs), max(xs)))
    top, bottom = (min(max(y, 0.0), float(height)) for y in (min(ys), max(ys)))
    return left, top, right, bottom


def yolo_line(sign_class: SignClass, box: Box, width: int, height: int) -> str:
    """Writes a label in YOLO format: `class x y width height`.

    Args:
        sign_class: Its class id is its position in `SignClass`, from 0.
        box: `(left, top, right, bottom)` in pixels.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        The class id, then the box's **centre** and size as fractions of the picture (0 to 1), with six
        decimals, for instance `0 0.500000 0.250000 0.100000 0.200000`.
    """
    # TODO yolo: return “class x y width height”: the position of the class in SignClass, from 0, then
    # the centre and the size of the box as fractions of the picture, each of these four numbers with
    # exactly six decimals, however small it is. Training accepts any numbers: with a corner instead
    # of the centre, or with pixels instead of fractions, every box would be beside its sign, and
    # nothing would warn you.
    # À FAIRE yolo : renvoyer « classe x y largeur hauteur » : le rang de la classe dans SignClass, à
    # partir de 0, puis le centre et la taille du cadre en fractions de l’image, ces quatre nombres
    # avec exactement six décimales, si petits soient-ils. L’entraînement accepte n’importe quels
    # nombres : avec un coin au lieu du centre, ou des pixels au lieu de fractions, chaque cadre
    # serait à côté de son panneau, et rien ne vous préviendrait.
    raise NotImplementedError  # replace this · à remplacer


def annotation_that_counts(task: Task) -> Annotation | None:
    """The annotation that counts: of those that were not skipped, the one that was updated last.

    Args:
        task: Its `annotations` each have `was_cancelled` and `updated_at`.

    Returns:
        None if no one has answered: then we know nothing about the picture, not even that it is empty.
    """
    answers = [annotation for annotation in task.annotations if not annotation.was_cancelled]
    return max(answers, key=lambda annotation: annotation.updated_at, default=None)


def yolo_labels(task: Task) -> list[str] | None:
    """The YOLO lines of one picture; None if no one has labelled it.

    Raises:
        UserError: A rectangle has no area inside the picture.
    """
    annotation = annotation_that_counts(task)
    if annotation is None:
        return None
    lines = []
    for rectangle in annotation.result:
        points = corners(top_left_and_size_px(rectangle), rectangle.value.rotation)
        width, height = rectangle.original_width, rectangle.original_height
        left, top, right, bottom = box = upright_box(points, width, height)
        if (right - left) / width < LEAST_SIDE or (bottom - top) / height < LEAST_SIDE:
            raise UserError("error.label_outside", file=task.picture)
        lines.append(yolo_line(rectangle.sign_class, box, width, height))
    return lines


def scene_of(picture: str) -> str:
    """The scene that a picture shows: `still-0012` for `still-0012-3.jpg`, its third view.

    A picture without a hyphen in its name is its own scene.
    """
    return picture.rpartition("-")[0] or picture.rpartition(".")[0]


def split(pictures: list[str], validation_share: float, seed: int) -> tuple[list[str], list[str]]:
    """Splits pictures into those for training and those for validation.

    The views of one scene look almost alike. All of them go to the same side: otherwise the validation would
    test what was learnt by heart.

    Args:
        pictures: File names, of at least two scenes, in any order.
        validation_share: Approximate share of the **scenes** that goes to validation, at least one scene and
            not all.
        seed: The same seed gives the same split: `random.Random(seed)`.

    Returns:
        The pictures for training, and those for validation; each picture is in one of them.
    """
    # TODO split: return (training, validation). About validation_share of the scenes, at least one
    # and not all, go to validation with all their views; all other pictures go to training; leave the
    # given list as it is. The same seed must give the same split on any machine, at any time and for
    # any order of the pictures; with other seeds, other scenes must be chosen. There are always at
    # least two scenes. A scene on both sides would be an exam whose answers were learnt by heart.
    # À FAIRE split : renvoyer (apprentissage, validation). Environ validation_share des scènes, au
    # moins une et pas toutes, vont en validation avec toutes leurs vues, et toutes les autres images
    # vont en apprentissage ; la liste reçue reste telle quelle. La même graine (seed) doit donner le
    # même découpage, sur n’importe quelle machine, à n’importe quel moment et quel que soit l’ordre
    # des images ; avec d’autres graines, d’autres scènes doivent être tirées. Il y a toujours au
    # moins deux scènes. Une scène présente des deux côtés serait un examen dont les réponses ont été
    # apprises par cœur.
    raise NotImplementedError  # replace this · à remplacer
