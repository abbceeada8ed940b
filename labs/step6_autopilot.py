"""Step 6, the autopilot: from the detections to the orders for the train.

`step` is called at every tick of the control loop and is pure: it reads no clock, prints nothing and keeps no
state except the memory that it returns. At each tick it

1. watches the frames and the train's state, and brakes when one of them cannot be trusted (`watch`);
2. estimates each sign's position along the track, so that several sightings count as one sign (`look`);
3. decides, the danger first (`drive`).
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from brakepoint.locomotive import braking_distance_cm, slowing_distance_cm
from brakepoint.messages import Detection, Detections, Light, Order, OrderKind, Reason, SignClass, TrainState
from brakepoint.plates import CLOSE_CM, must_show, plates_only
from brakepoint.rules import (
    AT_REST_CM_S,
    BESIDE_TRACK_CM,
    CONTROL_RATE_HZ,
    DANGER_WAIT_S,
    FULL_SPEED_CM_S,
    LOW_SPEED_CM_S,
    LOW_SPEED_STRETCH_CM,
    PLATE_CENTRE_CM,
    PLATE_HEIGHT_CM,
    SPEED_TOLERANCE,
    STOP_ZONE_CM,
)
from brakepoint.truth import CameraModel

CAMERA = CameraModel()

CONFIDENCE_MIN = 0.7
"""Detections that are less sure than this are ignored."""
SEEN_TIMES, SEEN_FRAMES = 3, 8
"""A sign is confirmed by this many sightings in this many frames: a single false alarm has no effect."""
DISTANCE_ERROR = 0.2
"""Relative error of a distance computed from a box."""
HEIGHT_ERROR_CM = 3.0
"""Signs are on posts: anything that seems higher or lower by more than this is something else in the room."""
SAME_PLACE_CM = 8.0
"""Two sightings closer together than this plus the error of their distance belong to the same sign."""
BEND_RADIUS_CM = 110.0
"""A distant sign beside a curved track seems to be away from it.

Three quarters of the bend of the widest curve are allowed for: enough for our own signs, too little for those
of a neighbouring track.
"""
UNSEEN_CM = 15.0
"""A sign that is not seen over this distance, where it must be visible, was something else, far away."""

STOP_BEFORE_CM = 12.0
"""Where to stop before a danger: inside the stop zone, with room for error on both sides."""
SLOW_FROM_CM = (
    slowing_distance_cm(FULL_SPEED_CM_S, LOW_SPEED_CM_S, LOW_SPEED_CM_S * SPEED_TOLERANCE) + STOP_BEFORE_CM
) / (1 - DISTANCE_ERROR)
"""Where the approach at low speed begins: early enough even if the sign is nearer than it seems."""
PASSED_CM = 10.0
"""The train can no longer stop for a danger this far behind."""
STRETCH_MARGIN_CM = 5.0
"""The low-speed stretch is extended by this, since the sign's place is an estimate."""
WAIT_MARGIN_S = 0.2
"""The wait is extended by this, since the train reports its stop late."""

FRAME_AGE_MAX_S = 0.3
STATE_AGE_MAX_S = 0.5
"""The train must not drive on older frames or older states."""
FROZEN_S = 0.15
"""A picture that stays identical to the bit for this long while the train moves is from a frozen camera."""
GOOD_FRAMES = 5
"""After a fault, and at the start, the train drives once this many new frames in a row were good."""


@dataclass(frozen=True)
class Sign:
    """A sign as the autopilot remembers it.

    Attributes:
        sign_class: Its class.
        position_cm: Its position along the track: the mean of all estimates, with more weight on near ones.
        weight: The sum of the weights in that mean.
        lateral_cm: Its distance to the right of the line of travel, in which the newest sighting counts half.
        beside: Whether the sign is beside this track.
        frames: The last frames in which it was seen, by number.
        confirmed: Whether it is confirmed.
        heeded: Whether the train has begun to slow for it.
        done: Whether the train has stopped for it.
        unseen_from_cm: Position of the train when the sign was first missed after its last sighting, if it
            was.
    """

    sign_class: SignClass
    position_cm: float
    weight: float
    lateral_cm: float
    beside: bool
    frames: tuple[int, ...] = ()
    confirmed: bool = False
    heeded: bool = False
    done: bool = False
    unseen_from_cm: float | None = None


@dataclass(frozen=True)
class Memory:
    """Everything that the autopilot remembers from one step to the next.

    Attributes:
        frame_count: Distinct frames so far.
        last_frame: The newest of them.
        frozen_s: How long the picture has been the same although the train moved.
        good_frames: New pictures in a row since the last fault.
        fault: Why the train must not drive; initially because nothing has been seen yet.
        signs: The signs near the train.
        stopping: Whether the train is braking or at rest for a danger.
        rest_since: Since when it has been at rest.
    """

    frame_count: int = 0
    last_frame: Detections | None = None
    frozen_s: float = 0.0
    good_frames: int = 0
    fault: Reason | None = Reason.STARTING
    signs: tuple[Sign, ...] = ()
    stopping: bool = False
    rest_since: float | None = None


def step(
    memory: Memory | None, detections: Detections | None, train_state: TrainState | None, now: float
) -> tuple[Memory, Order]:
    """Decides what the train should do.

    Args:
        memory: The memory that the previous step returned; None at the start.
        detections: Those of the newest frame, which may be the same as before; None if there is none.
        train_state: The newest state; None if there is none.
        now: Seconds, by the clock that stamped the frames and states.

    Returns:
        The memory for the next step, and the order.
    """
    memory = memory or Memory()
    is_new = detections is not None and detections != memory.last_frame
    memory = watch(memory, detections if is_new else None, train_state, now)
    if detections is not None and is_new and train_state is not None:
        memory = look(memory, detections, train_state)
    if memory.fault is not None or train_state is None:
        return memory, Order(kind=OrderKind.BRAKE, reason=memory.fault or Reason.NO_TRAIN_STATE, at=now)
    return drive(memory, train_state, now)


# 1. Watch: can frames and state be trusted? ----------------------------------------------------------------


def watch(memory: Memory, frame: Detections | None, state: TrainState | None, now: float) -> Memory:
    """Records the frame if it is new, and the current fault, if any."""
    if frame is not None:
        memory = count_frame(memory, frame, moving=state is not None and state.speed_cm_s > AT_REST_CM_S)
    fault = find_fault(memory, state, now)
    # TODO exam: return the memory with the fault that keeps the train braked. A fault found now
    # counts, whatever came before, and sets good_frames to 0: good frames before a fault prove
    # nothing. If no fault is found now, the one in memory lasts until memory has counted GOOD_FRAMES
    # good frames in a row, and then fault is None. Without this wait, a train whose camera stutters
    # would jerk forward at every picture.
    # À FAIRE exam : renvoyer la mémoire avec la panne (fault) qui maintient le train freiné. Une
    # panne constatée maintenant compte, quoi qu’il y ait eu avant, et remet good_frames à 0 : de
    # bonnes images avant une panne ne prouvent rien. Si aucune panne n’est constatée maintenant,
    # celle de la mémoire dure jusqu’à ce que la mémoire ait compté GOOD_FRAMES bonnes images de
    # suite ; fault vaut alors None. Sans cette attente, un train dont la caméra hoquette repartirait
    # par à-coups à chaque image.
    return replace(memory, fault=fault)  # replace this · à remplacer


def count_frame(memory: Memory, frame: Detections, moving: bool) -> Memory:
    """Counts a new frame as good or as identical to the one before."""
    last = memory.last_frame
    memory = replace(memory, frame_count=memory.frame_count + 1, last_frame=frame)
    if last is None or frame.picture_hash != last.picture_hash:
        return replace(memory, frozen_s=0.0, good_frames=memory.good_frames + 1)
    since_last_s = frame.captured_at - last.captured_at if moving else 0.0
    return replace(memory, frozen_s=memory.frozen_s + since_last_s, good_frames=0)


def find_fault(memory: Memory, state: TrainState | None, now: float) -> Reason | None:
    """The first current reason not to drive.

    The state was measured at `state.at`, the frame captured at `memory.last_frame.captured_at`, both in
    seconds.
    """
    # TODO failsafe: return the first of these reasons not to drive that applies, or None if none
    # does. Reason.NO_TRAIN_STATE: there is no train state, or it is older than STATE_AGE_MAX_S.
    # Reason.NO_FRAMES: there has been no frame, or the last is older than FRAME_AGE_MAX_S.
    # Reason.FROZEN_FRAMES: the picture has stayed the same for FROZEN_S or longer. A time in the
    # future means that a clock is wrong, and the same limit applies: refuse a state or a frame that
    # is further from now than its limit, before or after (|now − t| > limit). A state or a frame that
    # is exactly at its limit is still good. A train that drives by what was true a second ago drives
    # blind.
    # À FAIRE failsafe : renvoyer la première de ces raisons de ne pas rouler qui s’applique, et None
    # si aucune ne s’applique. Reason.NO_TRAIN_STATE : il n’y a pas d’état du train, ou il est plus
    # vieux que STATE_AGE_MAX_S. Reason.NO_FRAMES : il n’y a pas eu d’image, ou la dernière est plus
    # vieille que FRAME_AGE_MAX_S. Reason.FROZEN_FRAMES : l’image est restée la même pendant FROZEN_S
    # ou plus. Une heure située dans le futur trahit une horloge déréglée, et la même limite
    # s’applique : refusez un état ou une image dont l’écart avec l’instant présent dépasse la limite,
    # avant ou après (|now − t| > limite). Un état ou une image exactement à la limite reste valable.
    # Un train qui se fie à ce qui était vrai il y a une seconde roule à l’aveugle.
    return None  # replace this · à remplacer


# 2. Look: which signs are there, and where? ----------------------------------------------------------------


class Place(NamedTuple):
    """The estimated place of a detection: ahead of the train, to its right, and above the table."""

    ahead_cm: float
    lateral_cm: float
    height_cm: float


def look(memory: Memory, detections: Detections, state: TrainState) -> Memory:
    """Assigns all detections to places on the track, and forgets signs that no longer matter."""
    here_cm = state.position_cm + state.speed_cm_s * (detections.captured_at - state.at)
    detections = plates_only(detections, CAMERA)
    signs = memory.signs
    # TODO every: seen must contain every detection that is to be believed, and no other: those whose
    # confidence is at least CONFIDENCE_MIN, and whose height above the table is that of a sign on its
    # post. The first detection is not always the one that matters: two limits may follow one another,
    # and something round may hang on the wall.
    # À FAIRE every : seen doit contenir toutes les détections à retenir, et aucune autre : celles
    # dont la confiance vaut au moins CONFIDENCE_MIN, et dont la hauteur au-dessus de la table est
    # celle d’un panneau sur son poteau. La première détection n’est pas toujours celle qui compte :
    # deux limitations peuvent se suivre, et quelque chose de rond peut être accroché au mur.
    seen = detections.items[:1]  # replace this · à remplacer
    for item in seen:
        signs = sighted(signs, item, here_cm, memory.frame_count)
    for item in detections.items:
        if item not in seen and stands_on_its_post(locate(item)):
            signs = corrected(signs, item, here_cm)
    if not memory.stopping:
        signs = tuple(missed(sign, here_cm, memory.frame_count) for sign in signs)
    return replace(memory, signs=tuple(sign for sign in signs if worth_keeping(sign, here_cm, memory)))


def locate(item: Detection) -> Place:
    """Computes the place of a sign from its box: the smaller the box, the more distant the sign."""
    # TODO distance: ahead_cm must be how far ahead the sign is, in cm, computed from the height of
    # its box in pixels; the width is less useful, since signs are often turned. Each class has its
    # own plate height (PLATE_HEIGHT_CM). The camera is of the simplest kind, a pinhole: an object
    # twice as far away looks half as high. Everything else that the autopilot does depends on this
    # number.
    # À FAIRE distance : ahead_cm doit être la distance du panneau, en cm, déduite de la hauteur de
    # son cadre en pixels ; la largeur est moins utile, car les panneaux sont souvent vus de biais.
    # Chaque classe a sa propre hauteur de plaque (PLATE_HEIGHT_CM). Le modèle de caméra est le plus
    # simple, le sténopé : ce qui est deux fois plus loin paraît deux fois moins haut. Tout ce que
    # fait ensuite le pilote repose sur ce nombre.
    ahead_cm = 1000.0  # replace this · à remplacer
    right = (item.centre_x_px - CAMERA.width_px / 2) / CAMERA.focal_px
    down = (item.centre_y_px - CAMERA.height_px / 2) / CAMERA.focal_px
    up = math.tan(math.radians(CAMERA.pitch_deg)) - down
    return Place(ahead_cm, ahead_cm * right, CAMERA.height_cm + ahead_cm * up)


def stands_on_its_post(place: Place) -> bool:
    """Whether a detection is at the height above the table that a sign has."""
    return abs(place.height_cm - PLATE_CENTRE_CM) <= HEIGHT_ERROR_CM


def sighted(signs: tuple[Sign, ...], item: Detection, here_cm: float, frame: int) -> tuple[Sign, ...]:
    """The signs after one more detection: one of them seen again, or a new one."""
    seen, distance_cm = placed(item, here_cm)
    known = find_same(signs, seen, distance_cm)
    if known is None:
        return (*signs, confirm(seen, frame))
    better = merge(known, seen, distance_cm)
    return tuple(confirm(better, frame) if sign is known else sign for sign in signs)


def corrected(signs: tuple[Sign, ...], item: Detection, here_cm: float) -> tuple[Sign, ...]:
    """The signs after a detection that is not sure enough to count: it only corrects where a known sign is.

    The last sure sighting of another track's sign may be from so far away that the sign could still be beside
    a bend of this track.
    """
    seen, distance_cm = placed(item, here_cm)
    known = find_same(signs, seen, distance_cm)
    if known is None:
        return signs
    better = replace(merge(known, seen, distance_cm), unseen_from_cm=known.unseen_from_cm)
    return tuple(better if sign is known else sign for sign in signs)


def placed(item: Detection, here_cm: float) -> tuple[Sign, float]:
    """A detection as a new sign, and its distance."""
    place = locate(item)
    sign = Sign(
        sign_class=item.sign_class,
        position_cm=here_cm + place.ahead_cm,
        weight=place.ahead_cm**-2,
        lateral_cm=place.lateral_cm,
        beside=is_beside(place.ahead_cm, place.lateral_cm),
    )
    return sign, place.ahead_cm


def is_beside(distance_cm: float, lateral_cm: float) -> bool:
    """Whether a sign belongs to this track."""
    return abs(lateral_cm) <= BESIDE_TRACK_CM + distance_cm**2 / (2 * BEND_RADIUS_CM)


def find_same(signs: tuple[Sign, ...], seen: Sign, distance_cm: float) -> Sign | None:
    """The remembered sign that matches, if any: of the same class, and within the error of the estimates."""
    near = [
        sign
        for sign in signs
        if sign.sign_class is seen.sign_class
        and abs(sign.position_cm - seen.position_cm) <= SAME_PLACE_CM + DISTANCE_ERROR * distance_cm
        and abs(sign.lateral_cm - seen.lateral_cm) <= SAME_PLACE_CM + DISTANCE_ERROR * distance_cm
    ]
    return min(near, key=lambda sign: abs(sign.position_cm - seen.position_cm), default=None)


def merge(sign: Sign, seen: Sign, distance_cm: float) -> Sign:
    """Updates a remembered sign with a sighting: near ones weigh more; sideways, the newest counts half."""
    weight = sign.weight + seen.weight
    lateral_cm = (sign.lateral_cm + seen.lateral_cm) / 2
    return replace(
        sign,
        position_cm=(sign.position_cm * sign.weight + seen.position_cm * seen.weight) / weight,
        weight=weight,
        lateral_cm=lateral_cm,
        beside=is_beside(distance_cm, lateral_cm),
        unseen_from_cm=None,
    )


def confirm(sign: Sign, frame: int) -> Sign:
    """Debounces: a sign is confirmed if it was seen often enough recently."""
    # TODO debounce: return the sign as it is after this sighting. Its field frames is a tuple of
    # frame numbers, in ascending order and each once: the frames in which the sign was seen, out of
    # the last SEEN_FRAMES, this one included. The sign is confirmed as soon as there are SEEN_TIMES
    # of these numbers, and stays confirmed. One false alarm must not brake the train, and a sign that
    # is detected only now and then must not be lost.
    # À FAIRE debounce : renvoyer le panneau tel qu’il est après cette observation. Son champ frames
    # est un tuple de numéros d’images, dans l’ordre croissant et chacun une seule fois : ceux des
    # images où le panneau a été vu, parmi les SEEN_FRAMES dernières, image actuelle comprise. Le
    # panneau est confirmé (confirmed) dès qu’il y a SEEN_TIMES numéros, et il le reste
    # définitivement. Une fausse alerte ne doit pas faire freiner le train, et un panneau dont la
    # détection est intermittente ne doit pas être perdu.
    return replace(sign, frames=(frame,), confirmed=True)  # replace this · à remplacer


def missed(sign: Sign, here_cm: float, frame: int) -> Sign:
    """A sign after a frame: if it should have been seen and was not, it counts as missed from here on."""
    if frame in sign.frames or sign.unseen_from_cm is not None:
        return sign
    is_missed = must_show(sign.position_cm - here_cm, sign.lateral_cm, CAMERA)
    return replace(sign, unseen_from_cm=here_cm) if is_missed else sign


def worth_keeping(sign: Sign, here_cm: float, memory: Memory) -> bool:
    """Whether a sign still matters: confirmed, not missed for long, not long passed; or seen recently."""
    if not sign.confirmed:
        return max(sign.frames) > memory.frame_count - SEEN_FRAMES
    is_missed = sign.unseen_from_cm is not None and here_cm - sign.unseen_from_cm >= UNSEEN_CM
    is_lost = is_missed and sign.position_cm - here_cm >= CLOSE_CM and not memory.stopping
    return not is_lost and here_cm < sign.position_cm + LOW_SPEED_STRETCH_CM + STRETCH_MARGIN_CM


# 3. Drive: what follows from it? ---------------------------------------------------------------------------


def drive(memory: Memory, state: TrainState, now: float) -> tuple[Memory, Order]:
    """Responds to the signs, with priority for dangers."""
    memory = heed(memory, state.position_cm)
    # TODO priority: as soon as it is time to stop for the next danger, and not before, drive must
    # return the stop, whatever other signs there are: obeying a limit must not carry the train past a
    # danger. In all other cases the lines below decide; they need the next danger in the variable
    # danger, or None if there is none.
    # À FAIRE priority : dès qu’il est temps de s’arrêter pour le prochain danger, et pas avant, drive
    # doit renvoyer cet arrêt, quels que soient les autres panneaux : respecter une limitation ne doit
    # pas mener le train au-delà d’un danger. Dans tous les autres cas, les lignes qui suivent
    # décident ; la variable « danger » doit y contenir le prochain danger, ou None s’il n’y en a pas.
    danger = None  # replace this · à remplacer
    memory = replace(memory, stopping=False, rest_since=None)
    sign = danger or slowing_sign(memory, state.position_cm)
    if sign is None:
        return memory, Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now)
    if sign is danger:
        reason = Reason.DANGER_APPROACH
    elif sign.sign_class is SignClass.DANGER_AHEAD:
        reason = Reason.DANGER_PASSING
    else:
        reason = Reason.SPEED_LIMIT
    return memory, Order(kind=slow_down(sign, state), reason=reason, sign=sign.sign_class, at=now)


def heed(memory: Memory, here_cm: float) -> Memory:
    """Marks the signs for which the train slows, so that a fluctuating estimate changes nothing."""
    signs = tuple(
        replace(sign, heeded=sign.heeded or sign.position_cm - here_cm <= SLOW_FROM_CM)
        if sign.confirmed and sign.beside
        else sign
        for sign in memory.signs
    )
    return replace(memory, signs=signs)


def next_danger(memory: Memory, here_cm: float) -> Sign | None:
    """The nearest danger for which the train still has to stop."""
    dangers = (
        sign
        for sign in memory.signs
        if sign.sign_class is SignClass.DANGER_AHEAD
        and sign.heeded
        and sign.beside
        and not sign.done
        and here_cm < sign.position_cm + PASSED_CM
    )
    return min(dangers, key=lambda sign: sign.position_cm, default=None)


def slowing_sign(memory: Memory, here_cm: float) -> Sign | None:
    """The last sign whose low-speed stretch applies, or which is approached at low speed."""
    slowing = (
        sign
        for sign in memory.signs
        if sign.heeded
        and sign.beside
        and here_cm < sign.position_cm + LOW_SPEED_STRETCH_CM + STRETCH_MARGIN_CM
    )
    return max(slowing, key=lambda sign: sign.position_cm, default=None)


def slow_down(sign: Sign, state: TrainState) -> OrderKind:
    """Low speed for a sign, or the brake if it was seen so late that the motor alone would be too slow."""
    needed_cm = slowing_distance_cm(state.speed_cm_s, LOW_SPEED_CM_S, LOW_SPEED_CM_S * SPEED_TOLERANCE)
    too_late = needed_cm > max(sign.position_cm - state.position_cm, 0.0)
    return OrderKind.BRAKE if too_late else OrderKind.LOW_SPEED


def must_stop(danger: Sign, memory: Memory, state: TrainState) -> bool:
    """Whether the train must brake now to stop in time, or is already at rest in the right place."""
    # TODO braking: rest_cm must be how far before the danger, in cm, the train would come to rest if
    # it braked now: a negative number if the train would stop past the danger. A train does not stop
    # where it begins to brake. The lines below already include the margins: add none of your own.
    # À FAIRE braking : rest_cm doit être la distance, en cm, entre le danger et le point où le train
    # s’arrêterait s’il freinait à cet instant (négative si ce point est au-delà du danger). Un train
    # ne s’arrête pas là où il commence à freiner. Les marges sont déjà dans les lignes qui suivent :
    # n’en ajoutez pas.
    rest_cm = 1000.0  # replace this · à remplacer
    if memory.stopping:
        return rest_cm <= STOP_ZONE_CM - PASSED_CM  # Too far away after a correction: creep forward.
    return rest_cm <= STOP_BEFORE_CM + state.speed_cm_s / CONTROL_RATE_HZ  # One step later would be too late.


def stop(memory: Memory, danger: Sign, state: TrainState, now: float) -> tuple[Memory, Order]:
    """Brakes, and marks the danger as done once the train has rested long enough."""
    order = Order(
        kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, sign=danger.sign_class, light=Light.BLINK, at=now
    )
    if state.speed_cm_s > AT_REST_CM_S:
        return replace(memory, stopping=True, rest_since=None), order
    rest_since = memory.rest_since if memory.rest_since is not None else now
    done = now - rest_since >= DANGER_WAIT_S + WAIT_MARGIN_S
    signs = tuple(replace(sign, done=done) if sign is danger else sign for sign in memory.signs)
    return replace(memory, stopping=True, rest_since=rest_since, signs=signs), order
