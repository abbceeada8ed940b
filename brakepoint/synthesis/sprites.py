"""Draws one sign as a camera sees it: plate, post and foot in perspective, with gloss and shade.

A sprite is drawn larger than needed and shrunk, so that edges are as soft as through a lens. Coordinates
of the sign are cm about the plate's centre: x right, y up, z towards the viewer.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from brakepoint.messages import SignClass
from brakepoint.synthesis.cutouts import Cutout
from brakepoint.synthesis.plates import PrintedPlate

THICKNESS_CM = 0.32
POST_RADIUS_CM = 0.17
POST_LENGTH_CM = 3.6
CLIP_CM = (0.24, 0.3)
"""Half the width and half the height of the clip that holds a plate and encloses its post."""
FOOT_CM = (1.0, 0.32)
"""Half the foot's side, and its height."""
DAYLIGHT = 225.0
"""Brightest channel of a plate in daylight."""
INK_SHINE = 400.0
"""Brightness of black ink per unit of sheen beyond the value that drowns the print."""
DARKEST, DARKEST_BACK = 20.0, 100.0
"""Rendered plates darker than this are not fully brightened: those of target signs, and all others."""
POST_COLOUR = np.array([24.0, 24.0, 26.0])
FOOT_COLOUR = np.array([120.0, 122.0, 122.0])


@dataclass(frozen=True)
class Pose:
    """The pose of a sign before the camera.

    Attributes:
        height_px: Height of the plate in the picture, as if the plate faced the camera.
        yaw_deg: Rotation about the post; 0 faces the camera, beyond 90 the back is visible.
        pitch_deg: Angle by which the camera looks down on the sign.
        roll_deg: Sideways tilt.
        distance_cm: Distance, which determines the strength of the perspective.
    """

    height_px: float
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    distance_cm: float = 40.0


@dataclass(frozen=True)
class Look:
    """The light on a sign.

    Attributes:
        gain: Brightness, 1 as printed.
        tint: Factors for blue, green and red.
        gloss: Strength of the glare, from 0 for none to 1 for white.
        wash: How far a sheen over the whole plate drowns the print, from 0 to 1; beyond 1, the ink shines
            more than the plate, as when seen from the side.
        gloss_deg: Direction from which the glare comes.
        shade: How much darker one side is, from 0 for not at all to 1.
        variant: Number of the plate's print, 0 to 4; 3 is the original.
        blur_px: Standard deviation of the lens blur.
        back: Lightness of the back, as a share of the colour of the plastic.
    """

    gain: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gloss: float = 0.0
    wash: float = 0.0
    gloss_deg: float = 0.0
    shade: float = 0.0
    variant: int = 3
    blur_px: float = 0.0
    back: float = 0.9


@dataclass(frozen=True)
class Sprite:
    """A drawn sign, ready to be placed on a picture.

    Attributes:
        colour: `(h, w, 3)` float32, blue-green-red 0 to 255, already multiplied by alpha.
        alpha: `(h, w)` float32, 0 to 1: the whole sign.
        plate: `(h, w)` float32, 0 to 1: only the plate, before any blur.
        box: `(left, top, right, bottom)` of the plate in the sprite's pixels, with subpixel accuracy.
        sign_class: The sign's class for a detector; None for a distractor or a back.
    """

    colour: np.ndarray
    alpha: np.ndarray
    plate: np.ndarray
    box: tuple[float, float, float, float]
    sign_class: SignClass | None


class _View:
    """Projects points of the sign into a sprite, and paints into the sprite."""

    def __init__(self, plate: PrintedPlate, pose: Pose, fine: int) -> None:
        self.fine = fine
        self.scale = pose.height_px * fine / plate.size_cm[1]
        self.distance = pose.distance_cm
        yaw, pitch, roll = np.radians([pose.yaw_deg, pose.pitch_deg, pose.roll_deg])
        cos, sin = np.cos, np.sin
        about_y = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
        about_z = np.array([[cos(roll), -sin(roll), 0], [sin(roll), cos(roll), 0], [0, 0, 1]])
        self.turn = about_z @ about_x @ about_y
        self.origin = np.zeros(2)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Returns pixels of the fine canvas, `(n, 2)` float32, for points in cm, `(n, 3)`."""
        turned = np.atleast_2d(points) @ self.turn.T
        shrink = self.scale * self.distance / (self.distance - turned[:, 2:])
        pixels: np.ndarray = turned[:, :2] * shrink * (1, -1) + self.origin
        return pixels.astype(np.float32)

    def hull(self, points: np.ndarray) -> np.ndarray:
        """Returns the convex outline of points as the camera sees it."""
        return cv2.convexHull(self.project(points))[:, 0]


def _at_depth(outline: np.ndarray, z: float) -> np.ndarray:
    return np.column_stack([outline, np.full(len(outline), z)])


def _fill(canvas: np.ndarray, polygon: np.ndarray, value: tuple[float, ...]) -> None:
    """Fills a convex polygon whose vertices are exact to a sixteenth of a pixel; pixel centres are at .5."""
    cv2.fillConvexPoly(canvas, np.round((polygon - 0.5) * 16).astype(np.int32), value, cv2.LINE_8, 4)


def draw_sign(plate: PrintedPlate, pose: Pose, look: Look) -> Sprite:
    """Draws a sign.

    Args:
        plate: The printed plate.
        pose: The sign's pose. The label is the plate's class if the front is visible, else None.
        look: The light on the sign.
    """
    fine = 4 if pose.height_px < 30 else 3 if pose.height_px < 60 else 2
    view = _View(plate, pose, fine)
    front = _at_depth(plate.outline, THICKNESS_CM / 2)
    back = _at_depth(plate.outline, -THICKNESS_CM / 2)
    post, foot, clip = _post(plate), _foot(plate), _clip()
    everything = view.project(np.vstack([front, back, post, foot]))
    low = np.floor(everything.min(0) / fine) * fine - 2 * fine
    size = np.ceil((everything.max(0) - low) / fine + 2).astype(int) * fine
    view.origin = -low

    canvas = np.zeros((size[1], size[0], 4), np.float32)
    mask = np.zeros((size[1], size[0]), np.uint8)
    facing = abs((pose.yaw_deg + 180) % 360 - 180) < 90
    plate_hull = view.hull(np.vstack([front, back]))
    _paint_foot(canvas, view, foot)
    if facing:
        _paint_post(canvas, view, post)
        _fill(canvas, view.hull(clip), (*(np.array(plate.edge) * 0.7), 255.0))
    _fill(canvas, plate_hull, (*(np.array(plate.edge) * 0.8), 255.0))
    _fill(mask, plate_hull, (255,))
    if facing:
        _paint_print(canvas, view, plate, look)
    else:
        _fill(canvas, view.hull(back), (*_back_colour(plate, look), 255.0))
        _paint_post(canvas, view, post)
        _fill(canvas, view.hull(clip), (*(0.8 * _back_colour(plate, look)), 255.0))
    _light(canvas, mask, look)
    return _shrunk(canvas, mask, plate_hull / fine, fine, look.blur_px, plate.sign_class if facing else None)


def draw_cutout(cutout: Cutout, height_px: float, roll_deg: float, look: Look) -> Sprite:
    """Draws a rendered sign: shrunk, rotated, and under a different light.

    Args:
        cutout: The rendered sign, whose light is first normalised to the light of a plate in daylight.
        height_px: Height of the sign's plate in the picture.
        roll_deg: Sideways tilt in addition to the cut-out's own tilt.
        look: The light on the sign; prints and backs stay as rendered.
    """
    fine = 4 if height_px < 30 else 2 if height_px < 60 else 1
    scale = height_px * fine / np.ptp(cutout.plate[:, 1])
    turn = cv2.getRotationMatrix2D((0, 0), roll_deg, 1)[:, :2]
    rows, columns = cutout.image.shape[:2]
    corners = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)]) * scale @ turn.T
    low = np.floor(corners.min(0) / fine) * fine - 2 * fine
    size = np.ceil((corners.max(0) - low) / fine + 2).astype(int) * fine
    shrunk = cv2.resize(_premultiplied(cutout), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    matrix = turn @ np.diag([scale * columns / shrunk.shape[1], scale * rows / shrunk.shape[0]])
    shift = matrix @ (0.5, 0.5) - 0.5 - low  # Pixel centres are at .5.
    canvas = cv2.warpAffine(shrunk, np.column_stack([matrix, shift]), size.tolist())
    hull = (cutout.plate * scale @ turn.T - low).astype(np.float32)
    mask = np.zeros((size[1], size[0]), np.uint8)
    _fill(mask, hull, (255,))
    _light(canvas, mask, look)
    return _shrunk(canvas, mask, hull / fine, fine, look.blur_px, cutout.sign_class)


def _premultiplied(cutout: Cutout) -> np.ndarray:
    """Colours times alpha, with the brightest tenth of the plate as bright as print in daylight.

    An unlit back, which is black compared with a lit plate, stays black.
    """
    image = cutout.image.astype(np.float32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cutout.plate.astype(np.int32), 1)
    bright = float(np.percentile(image[mask > 0, :3].max(axis=1), 90))
    gain = DAYLIGHT / max(bright, DARKEST if cutout.sign_class else DARKEST_BACK)
    image[..., :3] *= _same(gain * image[..., 3] / 255, 3)
    return image


def _back_colour(plate: PrintedPlate, look: Look) -> np.ndarray:
    """The colour of a back: from nearly black to the colour of the plate's plastic."""
    light = np.array(plate.edge) * look.back
    colour: np.ndarray = light * look.back + (1 - look.back) * light.mean()
    return colour


def _post(plate: PrintedPlate) -> np.ndarray:
    """Corner points of the post, from behind the plate down to the foot."""
    foot = -plate.size_cm[1] / 2 - POST_LENGTH_CM
    r = POST_RADIUS_CM
    return np.array([(x, y, z - 0.35) for x in (-r, r) for z in (-r, r) for y in (0.3, foot)])


def _clip() -> np.ndarray:
    """Corner points of the clip, from the back of the plate to behind the post."""
    half_width, half_height = CLIP_CM
    depths = (-THICKNESS_CM / 2, -0.35 - POST_RADIUS_CM - 0.05)
    return np.array(
        [(x, y, z) for x in (-half_width, half_width) for y in (-half_height, half_height) for z in depths]
    )


def _foot(plate: PrintedPlate) -> np.ndarray:
    """Corner points of the foot, the upper four first."""
    top = -plate.size_cm[1] / 2 - POST_LENGTH_CM
    half, height = FOOT_CM
    ring = [(half, half), (-half, half), (-half, -half), (half, -half)]
    return np.array([(x, y, z - 0.35) for y in (top, top - height) for x, z in ring])


def _paint_foot(canvas: np.ndarray, view: _View, foot: np.ndarray) -> None:
    _fill(canvas, view.hull(foot), (*(FOOT_COLOUR * 0.7), 255.0))
    _fill(canvas, view.hull(foot[:4]), (*(FOOT_COLOUR * 1.15), 255.0))


def _paint_post(canvas: np.ndarray, view: _View, post: np.ndarray) -> None:
    _fill(canvas, view.hull(post), (*POST_COLOUR, 255.0))
    shine = post[post[:, 0] < 0] * (0.35, 1, 1)
    _fill(canvas, view.hull(shine), (*(POST_COLOUR * 2.2), 255.0))
    collar = post * (1.6, 1, 1.6)
    collar[:, 1] = np.where(post[:, 1] > 0, post[:, 1].min() + 0.7, post[:, 1])
    _fill(canvas, view.hull(collar), (*(POST_COLOUR * 1.2), 255.0))


def _paint_print(canvas: np.ndarray, view: _View, plate: PrintedPlate, look: Look) -> None:
    """Warps the print onto the plate's front, from the smallest sufficient pyramid level."""
    width, height = plate.size_cm
    levels = plate.prints[look.variant]
    wanted = width * view.scale * 1.2
    level = next((image for image in reversed(levels) if image.shape[1] >= wanted), levels[0])
    rows, columns = level.shape[:2]
    corners = np.array([(-width, height), (width, height), (width, -height), (-width, -height)]) / 2
    target = view.project(_at_depth(corners, THICKNESS_CM / 2)) - 0.5
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, target)
    warped = cv2.warpPerspective(level, matrix, canvas.shape[1::-1], flags=cv2.INTER_LINEAR)
    inside = _around(target)
    warped, front = warped[inside], canvas[inside]
    blue, green, red, alpha = cv2.split(warped)
    cover = alpha / 255
    sheen = np.array([*(min(1.25 * value, 250) for value in plate.edge), 255.0], np.float32)
    front *= _same(1 - cover, 4)
    drowned = min(look.wash, 1.0)
    front += warped * (1 - drowned) + _same(cover, 4) * sheen * drowned
    if look.wash > drowned:
        ink = cover - cv2.max(cv2.max(blue, green), red) / 255
        front[..., :3] += _same(INK_SHINE * (look.wash - drowned) * ink.clip(0), 3)


def _around(corners: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns around points, with a pixel of margin."""
    left, top = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0)
    right, bottom = np.ceil(corners.max(0)).astype(int) + 2
    return slice(top, bottom), slice(left, right)


def _same(plane: np.ndarray, channels: int) -> np.ndarray:
    """A plane repeated in every channel: multiplying by the result is much faster than broadcasting."""
    return cv2.merge([plane] * channels)


def _light(canvas: np.ndarray, mask: np.ndarray, look: Look) -> None:
    """Applies gain, tint and shade to everything, and glare to the plate."""
    rows, columns = mask.shape
    x, y = np.linspace(-1, 1, columns, dtype=np.float32), np.linspace(-1, 1, rows, dtype=np.float32)
    cos, sin = float(np.cos(np.radians(look.gloss_deg))), float(np.sin(np.radians(look.gloss_deg)))
    across = (x * cos)[None, :] + (y * sin)[:, None]
    gain = look.gain * (1 - look.shade * (0.5 + 0.5 * across))
    canvas *= cv2.merge([gain * tint for tint in look.tint] + [np.ones_like(gain)])
    if look.gloss > 0:
        plate_rows = np.flatnonzero(mask.any(1))
        centre = float(y[plate_rows[len(plate_rows) // 2]])
        glare = look.gloss * np.exp(-(((across - centre * sin) * 4 - 0.4) ** 2)) * (mask > 0)
        canvas[..., :3] += (255 - canvas[..., :3]).clip(0) * _same(glare, 3)


def _shrunk(
    canvas: np.ndarray,
    mask: np.ndarray,
    hull: np.ndarray,
    fine: int,
    blur_px: float,
    sign_class: SignClass | None,
) -> Sprite:
    """Scales a fine canvas down to the picture's pixels and blurs it."""
    size = (canvas.shape[1] // fine, canvas.shape[0] // fine)
    small = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    plate: np.ndarray = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    left, top = hull.min(0)
    right, bottom = hull.max(0)
    if blur_px > 0.2:
        pad = int(np.ceil(3 * blur_px))
        small = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
        small = cv2.GaussianBlur(small, (0, 0), blur_px)
        plate = cv2.copyMakeBorder(plate, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
        left, top, right, bottom = left + pad, top + pad, right + pad, bottom + pad
    box = (float(left), float(top), float(right), float(bottom))
    return Sprite(small[..., :3], small[..., 3] / 255, plate, box, sign_class)
