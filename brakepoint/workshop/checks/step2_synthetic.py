"""The checks of step 2, on sprites of a few pixels, so that each check can name the exact mistake."""

from functools import partial
from inspect import signature
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from brakepoint.synthesis import Label, Materials, Picture, Placed, Sprite
from brakepoint.synthesis.scene import LARGEST_PX, SMALLEST_PX
from brakepoint.workshop.checks.answers import kind, not_decisions, numbers, replaced
from brakepoint.workshop.checks.small_signs import (
    DANGER,
    FAINT,
    LIMIT,
    PLASTIC,
    half_hidden,
    large_sign,
    placed_sign,
    sign_on_post,
)
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

BACKGROUND = (100.0, 60.0, 140.0)
"""Its channels differ, blue-green-red, as those of `PLASTIC` do."""
CLOSE = 1.5
"""Tolerance of brightness, for rounding."""
PLANS = 4000
MANY = 4
"""A plan with this many signs shows whether all of them were meant to be distractors."""
EMPTY_OFF = 0.0265
"""Tolerance of the share of empty plans, four times its standard deviation for 2500 plans."""
SHARE_OFF = 0.05
COUNT_OFF = 0.03
"""Tolerance of the share of plans with a given number of signs, over five times its standard deviation."""
HEIGHT_OFF = 0.1
"""Relative tolerance of the quantiles of all heights: the standard deviation is about 0.01."""
OTHER_SHARE = 0.2


def check_blend(lab: Lab) -> None:
    """The pixels of an edge blend sign and background, each in proportion to its share."""
    alpha = np.array([[0.0, 0.25, 0.5, 0.75, 1.0], [1.0, 0.5, 0.0, 0.25, 0.75]], np.float32)
    shares = alpha[..., None]
    premultiplied = shares * np.array(PLASTIC, np.float32)
    rows, columns = np.mgrid[-1:3, -4:5]
    image = (BACKGROUND + (7 * rows + 5 * columns)[..., None]).astype(np.uint8)
    behind = image[1:3, 2:7].astype(float)
    sprite = Sprite(premultiplied.copy(), alpha.copy(), alpha.copy(), (0, 0, 5, 2), DANGER)
    lab.composite(image, sprite, 2, 1)
    found = image[1:3, 2:7].astype(float)
    expected = behind * (1 - shares) + premultiplied
    mistakes = {
        "unchanged": behind,
        "pasted": premultiplied,
        "added": behind + premultiplied,
        "twice": behind * (1 - shares) + premultiplied * shares,
        "inverted": behind * shares + premultiplied,
        "channels": expected[..., ::-1],
    }
    if np.abs(found - expected).max() > CLOSE:
        names = [
            name for name, wrong in mistakes.items() if np.abs(found - wrong.clip(0, 255)).max() <= CLOSE
        ]
        either = np.minimum(np.abs(found - behind), np.abs(found - premultiplied)).max() <= CLOSE
        mistake = names[0] if names else "hard" if either else "other"
        half = 0, 2, 0  # Half of this pixel is covered.
        raise Wrong(f"step2.blend.{mistake}", found=round(found[half]), expected=round(expected[half]))
    if not (np.array_equal(sprite.colour, premultiplied) and np.array_equal(sprite.alpha, alpha)):
        raise Wrong("step2.blend.changes")
    _check_cut_off(lab, sprite)


def _check_cut_off(lab: Lab, sprite: Sprite) -> None:
    """Of a sprite at the edge of the picture, only the part inside is blended."""
    image = np.full((4, 9, 3), BACKGROUND, np.uint8)
    expected = BACKGROUND * (1 - sprite.alpha[1:, 2:, None]) + sprite.colour[1:, 2:]
    try:
        lab.composite(image, sprite, -2, -1)
    except ValueError:
        raise Wrong("step2.blend.cut_off") from None
    if np.abs(image[:1, :3] - expected).max() > CLOSE:
        raise Wrong("step2.blend.cut_off")


def check_box(lab: Lab) -> None:
    """The box encloses the visible part of the plate, at its position in the picture."""
    for left, top in ((100, 50), (-5, 33)):
        placed = half_hidden(left, top)
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
        as_given = half_hidden(left, top)
        if (placed.left, placed.top) != (left, top) or not np.array_equal(placed.visible, as_given.visible):
            raise Wrong("step2.box.changes")


def check_hidden(lab: Lab) -> None:
    """No target sign is so hidden that no one could find it; distractors may be."""
    hides_too_much = partial(_hides_too_much, lab)
    whole, cut, gone = (
        placed_sign(DANGER),
        placed_sign(DANGER, visible_columns=3),
        placed_sign(LIMIT, visible_columns=0),
    )
    cover, corner = placed_sign(LIMIT, left=3), placed_sign(LIMIT, left=5)
    decoy, cut_decoy = placed_sign(None), placed_sign(None, visible_columns=3)
    if found := not_decisions([hides_too_much(cut, []), hides_too_much(cover, [whole])]):
        raise Wrong("step2.hidden.type", found=found)
    if hides_too_much(whole, []):
        raise Wrong("step2.hidden.inverted" if not hides_too_much(cut, []) else "step2.hidden.strict")
    if not hides_too_much(cut, []):
        what = "pixels" if hides_too_much(gone, []) else "new"
        raise Wrong(f"step2.hidden.{what}", percent=30)
    if not hides_too_much(cover, [whole]):
        raise Wrong("step2.hidden.behind", percent=30)
    elsewhere = placed_sign(DANGER, left=40)
    if not all(hides_too_much(cover, behind) for behind in ([elsewhere, whole], [whole, elsewhere])):
        raise Wrong("step2.hidden.one_only")
    cut_limit, limit = placed_sign(LIMIT, visible_columns=3), placed_sign(LIMIT)
    if not (hides_too_much(cut_limit, []) and hides_too_much(cover, [limit])):
        raise Wrong("step2.hidden.one_class", name=str(LIMIT), percent=30)
    if not hides_too_much(placed_sign(None, left=3), [whole]):
        raise Wrong("step2.hidden.by_distractor", percent=30)
    if not hides_too_much(cover, [placed_sign(DANGER, visible_columns=5)]):
        raise Wrong("step2.hidden.of_the_rest", percent=30)
    if hides_too_much(cut_decoy, []) or hides_too_much(cover, [decoy]):
        raise Wrong("step2.hidden.distractor")
    for least, name in ((0.45, "strict"), (0.5, "exact")):
        with replaced(lab, VISIBLE_LEAST=least):
            half = hides_too_much(placed_sign(DANGER, visible_columns=5), [])
            if half or hides_too_much(corner, [whole]):
                raise Wrong(f"step2.hidden.{name}")
    faint = placed_sign(DANGER)
    faint.visible[:] = FAINT
    if not hides_too_much(faint, []):
        raise Wrong("step2.hidden.pixel_count", percent=round(100 * FAINT))
    on_post, large = Placed(sign_on_post(), 0, 0), Placed(large_sign(), 5, 30)
    on_post.visible[:, :10] = 0  # 65 of the plate's 156 pixels are still visible.
    if hides_too_much(on_post, []):
        raise Wrong("step2.hidden.post")
    if hides_too_much(large, [whole]):
        raise Wrong("step2.hidden.other_plate")
    if not hides_too_much(Placed(large_sign(), 0, 25), [whole]):
        raise Wrong("step2.hidden.behind", percent=0)


def _hides_too_much(lab: Lab, new: Placed, placed: list[Placed]) -> Any:
    """The attendee's answer, which must change nothing, because the new sign might not be placed."""
    given, before = list(placed), [sign.visible.copy() for sign in (new, *placed)]
    answer = lab.hides_too_much(new, given)
    after = [sign.visible for sign in (new, *placed)]
    if [*map(id, given)] != [*map(id, placed)] or not all(map(np.array_equal, before, after)):
        raise Wrong("step2.hidden.changes")
    return answer


def check_labels(lab: Lab) -> None:
    """Target signs get a label with their class and position, and nothing else gets one."""
    placed = [
        placed_sign(LIMIT, 20),
        placed_sign(None, 50),
        placed_sign(None, 70),
        placed_sign(DANGER, 90, visible_columns=5),
        placed_sign(LIMIT, 5),
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
    boxes = [numbers(label.box, 4) for label in answer]
    wanted = [(sign.sprite.sign_class, tuple(lab.tight_box(sign))) for sign in signs]
    given = [(label.sign_class, box) for label, box in zip(answer, boxes, strict=True)]
    if given != wanted and all(pair in given for pair in wanted):
        raise Wrong("step2.labels.order")
    if any(label.sign_class is not sign.sprite.sign_class for label, sign in zip(answer, signs, strict=True)):
        raise Wrong("step2.labels.sign_class")
    for label, sign in zip(answer, signs, strict=True):
        if numbers(label.box, 4) is None:
            raise Wrong("step2.labels.box", found=kind(label.box), expected=_pretty(lab.tight_box(sign)))
        if tuple(label.box) == sign.sprite.box:
            raise Wrong("step2.labels.not_moved", found=_pretty(label.box))
        if tuple(label.box) != tuple(lab.tight_box(sign)):
            raise Wrong("step2.labels.box", found=_pretty(label.box), expected=_pretty(lab.tight_box(sign)))


def check_plan(lab: Lab) -> None:
    """Plans depend only on the given random source, with the specified numbers of signs and distractors."""
    first = lab.plan_signs(np.random.default_rng(1))
    if not isinstance(first, list) or not all(
        isinstance(item, tuple | list) and len(item) == 2 for item in first
    ):
        raise Wrong("step2.plan.type", found=kind(first))
    for height_px, _ in first:
        if isinstance(height_px, bool) or not isinstance(height_px, float | int | np.number):
            raise Wrong("step2.plan.height", found=kind(height_px))
    plans, again = ([lab.plan_signs(np.random.default_rng([7, n])) for n in range(PLANS)] for _ in range(2))
    if not all([first, *plans]):
        raise Wrong("step2.plan.none", most=lab.SIGNS_MOST)
    if plans != again:
        raise Wrong("step2.plan.not_repeatable")
    if all(plan == plans[0] for plan in plans):
        raise Wrong("step2.plan.constant")
    counts = {len(plan) for plan in plans}
    if counts != set(range(1, lab.SIGNS_MOST + 1)):
        raise Wrong("step2.plan.count", found=f"{min(counts)}–{max(counts)}", most=lab.SIGNS_MOST)
    for count in sorted(counts):
        share = sum(len(plan) == count for plan in plans) / PLANS
        if abs(share - 1 / lab.SIGNS_MOST) > COUNT_OFF:
            values = {"count": count, "most": lab.SIGNS_MOST, "expected": round(100 / lab.SIGNS_MOST)}
            raise Wrong("step2.plan.unequal", found=round(100 * share), **values)
    if any(plan != sorted(plan, key=lambda item: item[0]) for plan in plans):
        raise Wrong("step2.plan.order")
    _check_heights(plans)
    many = [plan for plan in map(_distractors, plans) if len(plan) >= MANY]
    empty = sum(map(all, many)) / len(many)
    if empty > 2 * lab.EMPTY_SHARE + EMPTY_OFF:
        _wrongly_empty(lab, "mostly", empty)
    _check_distractors(lab, _share_of_distractors(plans))
    _check_independent(lab, plans)
    alone = [distractor for [(_, distractor)] in filter(lambda plan: len(plan) == 1, plans)]
    if sum(alone) / len(alone) < lab.DISTRACTOR_SHARE / 2:
        raise Wrong("step2.plan.redrawn")
    by_chance = sum(lab.DISTRACTOR_SHARE ** len(plan) for plan in many) / len(many)
    off = empty - (lab.EMPTY_SHARE + (1 - lab.EMPTY_SHARE) * by_chance)
    if abs(off) > EMPTY_OFF:
        _wrongly_empty(lab, "never" if off < 0 else "mostly", empty)
    with replaced(lab, DISTRACTOR_SHARE=OTHER_SHARE):
        share = _share_of_distractors([lab.plan_signs(np.random.default_rng([8, n])) for n in range(PLANS)])
        if share > 0.5 + SHARE_OFF:  # A share written as a number, 0.5, is right, too.
            _check_distractors(lab, share)


def _check_heights(plans: list[list[tuple[float, bool]]]) -> None:
    """The heights are drawn one by one, and distributed as `random_height` draws them."""
    heights = [[height_px for height_px, _ in plan] for plan in plans]
    if all(len(set(one)) == 1 for one in heights):
        raise Wrong("step2.plan.one_height")
    shares = (0.1, 0.5, 0.9)
    for share, found in zip(shares, np.quantile(np.concatenate(heights), shares), strict=True):
        expected = SMALLEST_PX * (LARGEST_PX / SMALLEST_PX) ** share
        if abs(found / expected - 1) > HEIGHT_OFF:
            values = {"percent": round(100 * share), "found": round(found), "expected": round(expected)}
            raise Wrong("step2.plan.other_heights", **values)


def _check_distractors(lab: Lab, share: float) -> None:
    if abs(share - lab.DISTRACTOR_SHARE) > SHARE_OFF:
        expected = round(100 * lab.DISTRACTOR_SHARE)
        raise Wrong("step2.plan.distractors", found=round(100 * share), expected=expected)


def _check_independent(lab: Lab, plans: list[list[tuple[float, bool]]]) -> None:
    """Neighbours in a plan are of the same kind as often as chance alone would make them."""
    mixed = [plan for plan in map(_distractors, plans) if len(plan) >= 6 and not all(plan)]
    alike = [bool(one) == bool(other) for plan in mixed for one, other in pairwise(plan)]
    found, expected = sum(alike) / len(alike), lab.DISTRACTOR_SHARE**2 + (1 - lab.DISTRACTOR_SHARE) ** 2
    if abs(found - expected) > SHARE_OFF:
        raise Wrong("step2.plan.dependent", found=round(100 * found), expected=round(100 * expected))


def _wrongly_empty(lab: Lab, how: str, empty: float) -> NoReturn:
    values = {"found": round(100 * empty), "percent": round(100 * lab.EMPTY_SHARE)}
    raise Wrong(f"step2.plan.{how}_empty", **values)


def check_picture(lab: Lab) -> None:
    """All signs of the plan are placed before the camera's effects are applied to the whole picture."""
    plan, rng, materials = [(20.0, False), (40.0, True), (60.0, False)], np.random.default_rng(3), Materials()
    events: list[str] = []
    shots: list[np.ndarray] = []
    place_sign, photograph = lab.place_sign, lab.photograph
    chances: list[object] = []
    placed: list[tuple[float, object]] = []
    calls: list[dict[str, Any]] = []
    before: list[np.ndarray] = []
    standing: list[Placed] = []

    def plan_signs(rng: Any) -> list[tuple[float, bool]]:
        events.append("plan")
        chances.append(rng)
        return list(plan)

    def place(*what: Any, **named: Any) -> None:
        given = signature(place_sign).bind(*what, **named).arguments
        events.append("sign")
        calls.append(given)
        chances.append(given["rng"])
        placed.append((given["height_px"], given["distractor"]))
        place_sign(*what, **named)
        standing[:] = given["placed"]

    def camera(rng: Any, image: np.ndarray) -> np.ndarray:
        events.append("camera")
        chances.append(rng)
        before.append(image.copy())
        shots.append(photograph(rng, image))
        return shots[-1]

    with replaced(lab, plan_signs=plan_signs, place_sign=place, photograph=camera):
        picture = lab.paint_picture(rng, materials)
    if not isinstance(picture, Picture):
        raise Wrong("step2.picture.type", found=kind(picture))
    if events.count("plan") > 1:
        raise Wrong("step2.picture.plans", found=events.count("plan"))
    if events.count("sign") < len(plan):
        raise Wrong("step2.picture.signs", found=events.count("sign"), expected=len(plan))
    if "camera" not in events:
        raise Wrong("step2.picture.no_camera")
    if events[-1] != "camera":
        raise Wrong("step2.picture.too_early")
    if events.count("camera") > 1:
        raise Wrong("step2.picture.too_often", found=events.count("camera"))
    if placed != plan:
        raise Wrong("step2.picture.other_plan")
    if any(chance is not rng for chance in chances):
        raise Wrong("step2.picture.other_chance")
    labels = list(lab.labels_of(standing))
    own = {
        "image": np.array_equal(before[-1], calls[-1]["image"]),
        "placed": list(picture.labels) == labels and all(c["placed"] is calls[0]["placed"] for c in calls),
        "materials": all(call["materials"] is materials for call in calls),
    }
    if others := [name for name, is_own in own.items() if not is_own]:
        raise Wrong("step2.picture.other_argument", name=others[0])
    shot = shots[-1]
    if picture.image.shape != shot.shape:
        raise Wrong("step2.picture.resized", found=_pretty(picture.image.shape[1::-1]))
    if np.array_equal(picture.image, before[-1]):
        raise Wrong("step2.picture.not_kept")
    if picture.image.dtype != shot.dtype or not np.array_equal(picture.image, shot):
        mirrored = any(np.array_equal(picture.image, np.flip(shot, axis)) for axis in (0, 1))
        raise Wrong("step2.picture.mirrored" if mirrored else "step2.picture.changed")


def _distractors(plan: list[tuple[float, bool]]) -> list[bool]:
    return [distractor for _, distractor in plan]


def _share_of_distractors(plans: list[list[tuple[float, bool]]]) -> float:
    """The share of distractors in plans that have many signs and are not meant to be empty."""
    signs = [sign for plan in map(_distractors, plans) if len(plan) >= 6 and not all(plan) for sign in plan]
    return sum(signs) / len(signs)


def _pretty(box: Any) -> str:
    return "(" + ", ".join(f"{edge:g}" for edge in box) + ")"
