"""The checks of step 2: on sprites of a few pixels, so that each says exactly what is wrong."""

from typing import Any

import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis import Label, Materials, Picture, Placed, Sprite
from brakepoint.workshop.checks.answers import kind, numbers, replaced
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
SIDE_PX = 10
BACKGROUND, PLASTIC = 100.0, 200.0
CLOSE = 1.5
"""Brightness may differ by rounding."""
PLANS = 3000


def check_blend(lab: Lab) -> None:
    """In the pixels of an edge both the sign and what is behind it are seen, each by its share."""
    alpha = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]], np.float32)
    colour = np.repeat((alpha * PLASTIC)[..., None], 3, axis=2)
    image = np.full((3, 9, 3), BACKGROUND, np.uint8)
    lab.composite(image, Sprite(colour, alpha, alpha, (0, 0, 5, 1), DANGER), 2, 1)
    found, premultiplied = image[1, 2:7, 0].astype(float), alpha[0] * PLASTIC
    expected = BACKGROUND * (1 - alpha[0]) + premultiplied
    mistakes = {
        "unchanged": np.full(5, BACKGROUND),
        "pasted": premultiplied,
        "added": BACKGROUND + premultiplied,
        "twice": BACKGROUND * (1 - alpha[0]) + premultiplied * alpha[0],
        "inverted": BACKGROUND * alpha[0] + premultiplied,
    }
    if np.abs(found - expected).max() > CLOSE:
        names = [
            name for name, wrong in mistakes.items() if np.abs(found - wrong.clip(0, 255)).max() <= CLOSE
        ]
        either = np.minimum(np.abs(found - BACKGROUND), np.abs(found - premultiplied)).max() <= CLOSE
        mistake = names[0] if names else "hard" if either else "other"
        raise Wrong(f"step2.blend.{mistake}", found=round(found[2]), expected=round(expected[2]))


def check_box(lab: Lab) -> None:
    """The box holds what is visible of the plate, where it is in the picture."""
    for left, top in ((100, 50), (-5, 33)):
        placed = Placed(_sign_on_post(), left, top)
        placed.visible[:, :7] = 0
        answer = lab.tight_box(placed)
        found = numbers(answer, 4)
        if found is None:
            raise Wrong("step2.box.type", found=kind(answer))
        expected = (left + 7, top + 4, left + 15, top + 17)
        mistakes = {
            "not_moved": (7, 4, 15, 17),
            "moved_across": (top + 7, left + 4, top + 15, left + 17),
            "off_by_one": (left + 7, top + 4, left + 14, top + 16),
            "axes_swapped": (left + 4, top + 7, left + 17, top + 15),
            "sides_swapped": (top + 4, left + 7, top + 17, left + 15),
            "size": (left + 7, top + 4, 8, 13),
            "post": (left + 3, top + 4, left + 15, top + 30),
            "sprite": (left, top, left + 20, top + 30),
            "hidden_part": (left + 3, top + 4, left + 15, top + 17),
        }
        if np.abs(np.subtract(found, expected)).max() > 0.01:
            names = (n for n, wrong in mistakes.items() if np.abs(np.subtract(found, wrong)).max() <= 0.01)
            shown = {"found": _pretty(found), "expected": _pretty(expected)}
            raise Wrong(f"step2.box.{next(names, 'other')}", **shown)


def check_hidden(lab: Lab) -> None:
    """No sign to be found is hidden so far that nobody could find it; distractors may be."""
    whole, cut, gone = _placed(DANGER), _placed(DANGER, visible_columns=3), _placed(LIMIT, visible_columns=0)
    cover, corner = _placed(LIMIT, left=3), _placed(LIMIT, left=8)
    decoy, cut_decoy = _placed(None), _placed(None, visible_columns=3)
    if lab.hides_too_much(whole, []):
        raise Wrong("step2.hidden.inverted" if not lab.hides_too_much(cut, []) else "step2.hidden.strict")
    if not lab.hides_too_much(cut, []):
        what = "pixels" if lab.hides_too_much(gone, []) else "new"
        raise Wrong(f"step2.hidden.{what}", percent=30)
    if not lab.hides_too_much(cover, [whole]):
        raise Wrong("step2.hidden.behind", percent=30)
    if not lab.hides_too_much(cover, [_placed(DANGER, left=40), whole]):
        raise Wrong("step2.hidden.first_only")
    if lab.hides_too_much(cut_decoy, []) or lab.hides_too_much(cover, [decoy]):
        raise Wrong("step2.hidden.distractor")
    if lab.hides_too_much(corner, [whole]):
        raise Wrong("step2.hidden.strict")


def check_labels(lab: Lab) -> None:
    """Signs to be found get a label, each with its class and its place, and nothing else does."""
    placed = [
        _placed(LIMIT, 20),
        _placed(None, 50),
        _placed(None, 70),
        _placed(DANGER, 90),
        _placed(LIMIT, 5),
    ]
    answer = lab.labels_of(list(placed))
    if not isinstance(answer, list | tuple):
        raise Wrong("step2.labels.type", found=kind(answer))
    for label in answer:
        if not isinstance(label, Label):
            raise Wrong("step2.labels.type", found=f"{kind(answer)}[{kind(label)}, …]")
    signs = [sign for sign in placed if sign.sprite.sign_class is not None]
    if any(label.sign_class is None for label in answer) or len(answer) > len(signs):
        raise Wrong("step2.labels.distractor", found=len(answer), expected=len(signs))
    if len(answer) < len(signs):
        raise Wrong("step2.labels.lost", found=len(answer), expected=len(signs))
    if [label.sign_class for label in answer] != [sign.sprite.sign_class for sign in signs]:
        raise Wrong("step2.labels.sign_class")
    for label, sign in zip(answer, signs, strict=True):
        if tuple(label.box) == sign.sprite.box:
            raise Wrong("step2.labels.not_moved", found=_pretty(label.box))
        if tuple(label.box) != lab.tight_box(sign):
            raise Wrong("step2.labels.box", found=_pretty(label.box), expected=_pretty(lab.tight_box(sign)))


def check_plan(lab: Lab) -> None:
    """Plans are drawn by the given chance alone, and hold as many signs and distractors as was agreed."""
    first = lab.plan_signs(np.random.default_rng(1))
    if not isinstance(first, list) or not all(isinstance(item, tuple) and len(item) == 2 for item in first):
        raise Wrong("step2.plan.type", found=kind(first))
    plans, again = ([lab.plan_signs(np.random.default_rng([7, n])) for n in range(PLANS)] for _ in range(2))
    if plans != again:
        raise Wrong("step2.plan.not_repeatable")
    if all(plan == plans[0] for plan in plans):
        raise Wrong("step2.plan.constant")
    counts = {len(plan) for plan in plans}
    if counts != set(range(1, lab.SIGNS_MOST + 1)):
        raise Wrong("step2.plan.count", found=f"{min(counts)}–{max(counts)}", most=lab.SIGNS_MOST)
    if any(plan != sorted(plan, key=lambda item: item[0]) for plan in plans):
        raise Wrong("step2.plan.order")
    many = [[distractor for _, distractor in plan] for plan in plans if len(plan) >= lab.SIGNS_MOST - 2]
    empty = sum(all(plan) for plan in many) / len(many)
    if empty < lab.EMPTY_SHARE / 2:
        raise Wrong("step2.plan.never_empty", percent=round(100 * lab.EMPTY_SHARE))
    if empty > 2 * lab.EMPTY_SHARE:
        raise Wrong("step2.plan.mostly_empty", found=round(100 * empty), percent=round(100 * lab.EMPTY_SHARE))
    others = [distractor for plan in many if not all(plan) for distractor in plan]
    share = sum(others) / len(others)
    if abs(share - lab.DISTRACTOR_SHARE) > 0.1:
        expected = round(100 * lab.DISTRACTOR_SHARE)
        raise Wrong("step2.plan.distractors", found=round(100 * share), expected=expected)


def check_picture(lab: Lab) -> None:
    """All signs of the plan are placed, then the camera sees signs and background alike."""
    plan, rng = [(20.0, False), (40.0, True), (60.0, False)], np.random.default_rng(3)
    events: list[str] = []
    shots: list[tuple[object, np.ndarray]] = []
    place_sign, photograph = lab.place_sign, lab.photograph

    def place(*what: Any, **named: Any) -> None:
        events.append("sign")
        place_sign(*what, **named)

    def camera(chance: Any, image: np.ndarray) -> np.ndarray:
        events.append("camera")
        shots.append((chance, photograph(chance, image)))
        return shots[-1][1]

    with replaced(lab, plan_signs=lambda chance: list(plan), place_sign=place, photograph=camera):
        picture = lab.paint_picture(rng, Materials())
    if not isinstance(picture, Picture):
        raise Wrong("step2.picture.type", found=kind(picture))
    if events.count("sign") < len(plan):
        raise Wrong("step2.picture.signs", found=events.count("sign"), expected=len(plan))
    if "camera" not in events:
        raise Wrong("step2.picture.no_camera")
    if events[-1] != "camera":
        raise Wrong("step2.picture.too_early")
    chance, shot = shots[-1]
    if chance is not rng:
        raise Wrong("step2.picture.other_chance")
    if picture.image.shape != shot.shape:
        raise Wrong("step2.picture.resized", found=_pretty(picture.image.shape[1::-1]))
    if not np.array_equal(picture.image, shot):
        mirrored = any(np.array_equal(picture.image, np.flip(shot, axis)) for axis in (0, 1))
        raise Wrong("step2.picture.mirrored" if mirrored else "step2.picture.changed")


def _sign_on_post() -> Sprite:
    """A sprite of 20 by 30 pixels: the plate lies in columns 3 to 14 and rows 4 to 16, its post below."""
    plate = np.zeros((30, 20), np.float32)
    plate[4:17, 3:15] = 1
    alpha = plate.copy()
    alpha[17:30, 8:10] = 1
    return Sprite(np.zeros((30, 20, 3), np.float32), alpha, plate, (3, 4, 15, 17), DANGER)


def _placed(sign_class: SignClass | None, left: int = 0, visible_columns: int = SIDE_PX) -> Placed:
    """A square sign, of which only the first columns may be visible."""
    full = np.ones((SIDE_PX, SIDE_PX), np.float32)
    sprite = Sprite(full[..., None] * PLASTIC, full, full, (0, 0, SIDE_PX, SIDE_PX), sign_class)
    placed = Placed(sprite, left, 30)
    placed.visible[:, visible_columns:] = 0
    return placed


def _pretty(box: Any) -> str:
    return "(" + ", ".join(f"{edge:.0f}" for edge in box) + ")"
