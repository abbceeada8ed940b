"""Which signs count in which world."""

from typing import Any

import numpy as np
import pytest

from brakepoint.messages import SignClass
from brakepoint.scenery.artwork import ROAD_PLATES
from brakepoint.synthesis import Materials, backgrounds, materials, scene, streets
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, Cutout, load_cutouts
from brakepoint.synthesis.plates import PrintedPlate, plates
from brakepoint.synthesis.scene import Choice, random_drawn
from brakepoint.synthesis.sprites import Look, Pose, Sprite, draw_cutout, draw_sign
from brakepoint.worlds import World

SUPPLIES: dict[str, tuple[Any, ...]] = {
    "drawn": tuple(plates().values()),
    "rendered": load_cutouts(SHIPPED_CUTOUTS),
}


@pytest.mark.parametrize("supply", SUPPLIES)
def test_on_the_track_yellow_triangles_count_and_white_ones_do_not_appear(supply: str) -> None:
    choice = Materials()._choice(SUPPLIES[supply])
    assert {sign.kind for sign in choice.fronts} >= {"danger-train", "limit-30", "limit-50"}
    assert not any(sign.kind.startswith("road-") for sign in (*choice.fronts, *choice.distractors))


@pytest.mark.parametrize("supply", SUPPLIES)
def test_on_a_road_white_triangles_count_and_yellow_ones_are_stickers_at_most(supply: str) -> None:
    choice = Materials(World.ROAD, stickers=True)._choice(SUPPLIES[supply])
    dangers = {sign.kind for sign in choice.fronts if sign.sign_class is SignClass.DANGER_AHEAD}
    assert dangers
    assert all(kind.startswith("road-") for kind in dangers)
    assert "danger-train" in {sign.kind for sign in choice.distractors}
    plain = Materials(World.ROAD)._choice(SUPPLIES[supply])
    assert "danger-train" not in {sign.kind for sign in (*plain.fronts, *plain.distractors)}


@pytest.mark.parametrize("world", World)
@pytest.mark.parametrize("cutouts", [(), SUPPLIES["rendered"]], ids=["drawn", "both"])
def test_a_distractor_has_no_class_and_a_sign_has_one(world: World, cutouts: tuple) -> None:
    supply = Materials(world, cutouts=cutouts)
    for number in range(30):
        rng = np.random.default_rng(number)
        assert supply.sign(rng, 120, 30, distractor=True).sign_class is None
        assert supply.sign(rng, 120, 30, distractor=False).sign_class is not None


@pytest.mark.parametrize(
    "rendered",
    [
        lambda sign: sign.sign_class is SignClass.SPEED_LIMIT,
        lambda sign: sign.sign_class is not None,
        lambda sign: sign.sign_class is None,
    ],
    ids=["one class", "no distractor", "distractors"],
)
def test_a_sign_that_a_folder_of_cutouts_lacks_is_drawn(rendered: Any) -> None:
    supply = Materials(cutouts=tuple(sign for sign in SUPPLIES["rendered"] if rendered(sign)))
    for number in range(30):
        rng = np.random.default_rng(number)
        assert supply.sign(rng, 120, 30, distractor=True).sign_class is None
        assert supply.sign(rng, 120, 30, distractor=False).sign_class is not None


@pytest.mark.parametrize(("world", "stands_in_streets"), [(World.TRACK, False), (World.ROAD, True)])
def test_streets_are_behind_the_signs_of_roads_and_never_behind_those_of_the_track(
    world: World, stands_in_streets: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = np.full((480, 640, 3), 7, np.uint8)
    monkeypatch.setattr(backgrounds, "street", lambda *_: street)
    made = [Materials(world).background(np.random.default_rng(number)) for number in range(20)]

    assert any(picture is street for picture in made) is stands_in_streets
    assert not all(picture is street for picture in made)


def test_the_signs_of_roads_are_of_more_kinds_than_those_of_the_track() -> None:
    kinds = {
        world: {sign.kind for sign in Materials(world)._choice(plates().values()).fronts} for world in World
    }
    assert {"road-danger-priority", "road-limit-120"} <= kinds[World.ROAD]
    assert not kinds[World.TRACK] & set(ROAD_PLATES)


def test_every_look_alike_is_a_distractor_of_some_world() -> None:
    worlds = [Materials(world)._choice(supply) for world in World for supply in SUPPLIES.values()]
    assert set(scene.DECEIVERS) <= {sign.kind for choice in worlds for sign in choice.distractors}


@pytest.mark.parametrize(("world", "least"), [(World.TRACK, 1.0), (World.ROAD, 0.25)])
def test_signs_of_roads_may_be_lit_from_behind(
    world: World, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    lights: list[float] = []
    monkeypatch.setattr(materials, "random_drawn", lambda *given: lights.append(given[-1]))
    for number in range(200):
        Materials(world).sign(np.random.default_rng(number), 120, 30, distractor=False)

    assert min(lights) == pytest.approx(least, abs=0.03)
    assert lights.count(1.0) == pytest.approx(200 if world is World.TRACK else 150, abs=20)


def test_before_a_bright_sky_more_signs_are_lit_from_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    lights: dict[float, list[float]] = {120: [], 240: []}
    for brightness, seen in lights.items():
        monkeypatch.setattr(materials, "random_drawn", lambda *given, seen=seen: seen.append(given[-1]))
        for number in range(200):
            Materials(World.ROAD).sign(np.random.default_rng(number), brightness, 30, distractor=False)

    assert [seen.count(1.0) for seen in lights.values()] == pytest.approx([150, 80], abs=20)


@pytest.mark.parametrize("light", [1.0, 0.3])
def test_a_sign_lit_from_behind_is_darker(light: float, monkeypatch: pytest.MonkeyPatch) -> None:
    gains: list[float] = []
    monkeypatch.setattr(scene, "draw_sign", lambda plate, pose, look: gains.append(look.gain))
    for share in (1.0, light):
        front = Choice(tuple(plates().values()), ())
        random_drawn(np.random.default_rng(3), front, 110, 12, distractor=False, light=share)

    assert gains[1] == pytest.approx(gains[0] * light)


def test_most_signs_are_not_shiny() -> None:
    glosses = [scene._look(np.random.default_rng(number), 110, 30).gloss for number in range(300)]

    assert glosses.count(0.0) == pytest.approx(210, abs=30)
    assert max(glosses) < 0.9


def test_some_streets_are_in_the_dusk() -> None:
    brightness = [streets.street(np.random.default_rng(number), 120, 160).mean() for number in range(60)]
    assert 8 <= sum(mean < 45 for mean in brightness) <= 30


def test_some_skies_are_white_and_some_streets_have_the_fine_grain_of_leaves() -> None:
    skies = [streets._sky(np.random.default_rng(number), 240, 320) for number in range(60)]
    white = sum(sky.min(axis=2).mean() > 200 for sky in skies)
    made = [streets.street(np.random.default_rng(number), 240, 320) for number in range(60)]
    steps = [float(np.abs(np.diff(picture[:160].astype(int), axis=1)).mean()) for picture in made]

    assert 12 <= white <= 30
    assert min(steps) < 1 and max(steps) > 8


def test_leaves_are_between_the_top_of_a_forest_and_the_horizon_and_the_sky_shows_through() -> None:
    sky = np.full((240, 320, 3), 255, np.uint8)
    changed = []
    for number in range(40):
        image = sky.copy()
        streets._forest(np.random.default_rng(number), image, horizon=150)
        assert (image[150:] == 255).all()
        rows = np.flatnonzero((image != 255).any(axis=(1, 2)))
        changed.append(float((image[rows[0] : 150] != 255).any(axis=2).mean()))

    assert min(changed) > 0.1 and len({round(share, 2) for share in changed}) > 10


def plate_brightness(kind: str, light: float) -> float:
    """The brightness of a cut-out of one grey, drawn as printed."""
    plate = np.array([[4, 4], [36, 4], [20, 34]], np.float32)
    image = np.full((60, 40, 4), (light, light, light, 255), np.uint8)
    sign_class = None if kind.startswith("back") else SignClass.DANGER_AHEAD
    sprite = draw_cutout(Cutout(kind, sign_class, image, plate, 0, 0, 0, "dim"), 30, 0, Look(shade=0))
    return float((sprite.colour.max(axis=2) / np.maximum(sprite.alpha, 0.01))[sprite.plate > 0.9].mean())


def test_a_rendered_sign_in_the_dark_is_lit_up_and_a_black_back_stays_black() -> None:
    assert plate_brightness("danger-train", 25) > 200
    assert plate_brightness("back-triangle", 12) < 40
    assert plate_brightness("back-triangle", 150) > 200


def test_fronts_are_seen_from_the_front_and_backs_from_all_around_behind(monkeypatch) -> None:
    yaws: list[float] = []

    def draw(plate: PrintedPlate, pose: Pose, look: Look) -> Sprite:
        yaws.append(pose.yaw_deg % 360)
        return draw_sign(plate, pose, look)

    monkeypatch.setattr(scene, "draw_sign", draw)
    there, rng = tuple(plates().values()), np.random.default_rng(0)
    for distractor in [False] * 50 + [True] * 300:
        random_drawn(rng, Choice(there, there), 110, 12, distractor)
    backs = [yaw for yaw in yaws if 90 < yaw < 270]

    assert all(yaw < 90 or yaw > 270 for yaw in yaws[:50])
    assert 105 <= min(backs) < 150 and 210 < max(backs) <= 255
