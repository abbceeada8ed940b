"""Each incident three times: broken it fails, fixed it passes, and a wrong remedy fails."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import cycle, pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.incidents import probes
from brakepoint.incidents.causes import INCIDENTS, Break, Incident, find_incident
from brakepoint.incidents.memory import needed_mb
from brakepoint.incidents.probes import PROBES, Finding
from brakepoint.incidents.site import (
    Lens,
    Site,
    good_autopilot,
    good_model,
    healthy_site,
    name_of,
    old_autopilot,
    stale_model,
    swapped_model,
)
from brakepoint.incidents.wiring import Optics
from brakepoint.messages import Detection, Frame, SignClass
from brakepoint.truth import load_truth

GOOD_MODEL, GOOD_AUTOPILOT = name_of(good_model()), name_of(good_autopilot())


def setting(section: str, **values: object) -> Break:
    return lambda site: site.changed(section, **values)


def calibrated(**values: float) -> Break:
    def change(site: Site) -> Site:
        eye = site.eye.model_copy(update=values)
        return replace(site, train=site.train.model_copy(update={"camera": eye}))

    return change


MENDED: dict[str, Break] = {
    "camera_lags": setting("camera", buffers=1),
    "stale_model": setting("detector", model=GOOD_MODEL),
    "clock_off": setting("clocks", autopilot=0.0),
    "wrong_focal_length": calibrated(focal_px=460.0),
    "swapped_classes": setting("detector", model=GOOD_MODEL),
    "old_autopilot": lambda site: site.driven_by(GOOD_AUTOPILOT),
    "short_shutter": setting("camera", shutter_ms=16.0),
    "threshold_too_high": setting("detector", confidence=0.5),
    "upside_down": setting("camera", turned_deg=0),
    "camera_tilted": calibrated(pitch_deg=2.0),
    "broker_right": setting("rights", detector=("detections",)),
    "memory_limit": setting("detector", memory_mb=2048.0),
}
TEMPTING: dict[str, Break] = {
    "camera_lags": setting("clocks", capture=-0.4),
    "stale_model": setting("detector", model=name_of(swapped_model())),
    "clock_off": setting("clocks", controller=2.4),
    "wrong_focal_length": calibrated(height_cm=5.0),
    "swapped_classes": setting("detector", model=name_of(stale_model())),
    "old_autopilot": setting("detector", confidence=0.1),
    "short_shutter": setting("detector", confidence=0.05),
    "threshold_too_high": setting("detector", model=name_of(stale_model())),
    "upside_down": setting("detector", confidence=0.05),
    "camera_tilted": calibrated(height_cm=9.0),
    "broker_right": setting("rights", capture=("frame", "detections")),
    "memory_limit": setting("detector", memory_mb=110.0),
}

each_incident = pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)


@cache
def loaded(path: Path) -> Detector:
    return Detector(path)


def detector_of(path: Path, confidence: float) -> Detector:
    """A model, loaded once for all tests because loading takes time."""
    detector = loaded(path)
    detector.confidence = confidence
    return detector


@pytest.fixture(scope="module", autouse=True)
def models_loaded_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "Detector", detector_of)
        patch.setattr(probes, "needed_mb", cache(needed_mb))
        yield
    loaded.cache_clear()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return healthy_site(tmp_path_factory.mktemp("train"))


@pytest.fixture(scope="module")
def healthy(site: Site) -> Site:
    """The train as it is set up, after a check that it is healthy."""
    assert {name for name, probe in PROBES.items() if probe(site).well} == {"drives", "sees", "lives"}
    return site


@each_incident
def test_a_train_that_was_broken_is_not_healthy(incident: Incident, site: Site) -> None:
    assert not PROBES[incident.probe](incident.break_(site)).well


@each_incident
def test_a_train_that_was_fixed_is_healthy(incident: Incident, healthy: Site) -> None:
    assert MENDED[incident.name](incident.break_(healthy)) == healthy


@each_incident
def test_a_wrong_remedy_leaves_the_train_ill(incident: Incident, site: Site) -> None:
    assert not PROBES[incident.probe](TEMPTING[incident.name](incident.break_(site))).well


@each_incident
def test_a_broken_train_comes_back_from_its_files_as_it_was_saved(incident: Incident, tmp_path: Path) -> None:
    broken = incident.break_(healthy_site(tmp_path))
    broken.save()

    assert Site.load(tmp_path) == broken


def test_there_are_twelve_incidents_with_numbers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    assert [incident.number for incident in INCIDENTS] == list(range(1, 13))
    assert find_incident(12) is INCIDENTS[11]
    with pytest.raises(UserError, match="1 to 12"):
        find_incident(13)


def test_the_files_of_every_broken_train_have_the_same_names(tmp_path: Path) -> None:
    seen = set()
    for incident in INCIDENTS:
        incident.break_(healthy_site(tmp_path / str(incident.number))).save()
        folder = tmp_path / str(incident.number)
        seen.add(tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))))

    (names,) = seen
    assert len(names) == 7


def test_the_older_autopilot_does_not_say_what_it_lacks() -> None:
    lacking = old_autopilot().decode()

    assert lacking != good_autopilot().decode()
    assert "replace this" not in lacking
    assert "lab:" not in lacking


def test_swapped_classes_are_all_that_distinguishes_two_models() -> None:
    right, swapped = good_model(), swapped_model()

    assert len(right) == len(swapped)
    different = sum(one != other for one, other in zip(right, swapped, strict=True))
    assert 0 < different <= 36


def frame(number: int, level: int = 100) -> Frame:
    image = np.full((4, 4, 3), level, np.uint8)
    image[0, 0] = 200
    return Frame(number, float(number), 10.0 * number, image)


def test_a_camera_as_it_should_be_passes_pictures_on_as_they_are() -> None:
    passed = Optics(Lens()).pass_on(frame(1))

    assert (passed.frame_id, passed.captured_at, passed.position_cm) == (1, 1.0, 10.0)
    assert np.array_equal(passed.image, frame(1).image)


def test_waiting_pictures_come_late_and_with_a_stamp_of_the_moment() -> None:
    optics = Optics(Lens(buffers=3))

    passed = [optics.pass_on(frame(number)) for number in (1, 2, 3, 4)]

    assert [one.position_cm for one in passed] == [10.0, 10.0, 10.0, 20.0]
    assert [one.frame_id for one in passed] == [1, 2, 3, 4]
    assert [one.captured_at for one in passed] == [1.0, 2.0, 3.0, 4.0]


def test_half_the_shutter_time_is_half_the_light_and_more_is_never_too_much() -> None:
    assert Optics(Lens(shutter_ms=8.0)).pass_on(frame(1)).image[1, 1].tolist() == [50, 50, 50]
    assert Optics(Lens(shutter_ms=32.0)).pass_on(frame(1)).image[0, 0].tolist() == [255, 255, 255]


def test_a_turned_picture_has_its_first_corner_last() -> None:
    turned = Optics(Lens(turned_deg=180)).pass_on(frame(1)).image

    assert turned[3, 3].tolist() == [200, 200, 200]
    assert turned[0, 0].tolist() == [100, 100, 100]


def test_a_magnified_picture_keeps_its_size_and_its_middle() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[18:22, 28:32] = 255
    shown = Optics(Lens(), zoom=2.0).pass_on(Frame(1, 0.0, 0.0, image)).image

    assert shown.shape == image.shape
    rows, columns = np.nonzero(shown[..., 0] > 128)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (16, 23, 26, 33)


@pytest.mark.parametrize(
    "written",
    [
        "not toml [",
        "",
        f"feed = {'[' * 50_000}",
        'feed = "track-stop"\nautopilot = "../x"\n[detector]\nmodel = "m"\n',
    ],
)
def test_settings_that_cannot_be_are_refused_by_the_name_of_their_file(written: str, tmp_path: Path) -> None:
    healthy_site(tmp_path)
    (tmp_path / "site.toml").write_text(written)

    with pytest.raises(UserError, match=r"site\.toml"):
        Site.load(tmp_path)


def test_a_model_that_is_not_there_is_named_with_those_that_are(site: Site) -> None:
    with pytest.raises(UserError, match=f"nothing.*{GOOD_MODEL}"):
        _ = site.changed("detector", model="nothing").model


def test_an_autopilot_that_does_not_load_says_why(tmp_path: Path) -> None:
    site = healthy_site(tmp_path)
    (tmp_path / "autopilots" / "own.py").write_text("1 / 0\n")

    with pytest.raises(UserError, match=r"own\.py.*ZeroDivisionError"):
        _ = site.driven_by("own").step


def test_the_model_is_shown_near_signs_of_each_class_from_all_over_the_line() -> None:
    truth = load_truth(find_feed("track-full").with_suffix(".json"))
    shown = probes._telling_frames(truth)

    assert shown == sorted(set(shown))
    for sign_class in SignClass:
        having = [
            number
            for number in range(len(truth.frames))
            if any(sign.sign_class is sign_class for sign in probes._tall(truth, number))
        ]
        of_class = [number for number in shown if number in having]
        assert len(of_class) >= probes.PICTURES
        assert of_class[0] == having[0]
        gaps = [having.index(later) - having.index(before) for before, later in pairwise(of_class)]
        assert max(gaps) <= len(having) / probes.PICTURES


@pytest.mark.parametrize(
    ("accomplished", "points", "well"), [(True, 95.0, True), (True, 94.9, False), (False, 100.0, False)]
)
def test_a_train_drives_well_that_arrives_with_95_points(
    accomplished: bool, points: float, well: bool, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = SimpleNamespace(accomplished=accomplished, score=points)
    monkeypatch.setattr(probes, "run_mission", lambda *_: None)
    monkeypatch.setattr(probes, "score_run", lambda *_: score)

    assert probes.drives(site) == Finding("drives", well, {"score": points})


HALF_PX = probes.TALL_PX / 2
EDGES = [(-HALF_PX, 0.0), (HALF_PX, 0.0), (0.0, -HALF_PX), (0.0, HALF_PX)]
"""Where the middle of a detection is still in the sign's box."""


def sign_at(x_px: float, y_px: float, height_px: float = probes.TALL_PX) -> Detection:
    box = (x_px, y_px, x_px + height_px, y_px + height_px)
    return Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=box)


@pytest.mark.parametrize(("found", "wrong", "well"), [(8, 4, True), (7, 4, False), (8, 5, False)])
def test_a_model_sees_well_that_misses_2_signs_of_10_and_is_wrong_4_times(
    found: int, wrong: int, well: bool, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs = (sign_at(100, 100), sign_at(400, 100, probes.TALL_PX - 0.1))
    seen = iter(
        [
            *[sign_at(100 + x_px, 100 + y_px)] * (number < found),
            *[sign_at(100 + 2 * x_px, 200 + y_px)] * (number < wrong),
            sign_at(400, 100),
        ]
        for number, (x_px, y_px) in zip(range(10), cycle(EDGES), strict=False)
    )
    monkeypatch.setattr(probes, "load_truth", lambda _: SimpleNamespace(perfect_detections=lambda _: signs))
    monkeypatch.setattr(probes, "_pictures", lambda _: [(number, frame(0)) for number in range(10)])
    monkeypatch.setattr(
        probes, "Detector", lambda *_: SimpleNamespace(detect=lambda _: SimpleNamespace(items=next(seen)))
    )

    values: dict[str, float] = {"found": found, "there": 10, "wrong": wrong}
    assert probes.sees(site) == Finding("sees", well, values), "the low sign is neither missed nor wrong"


@pytest.mark.parametrize(("needed_mb", "well"), [(2048.0, True), (2048.1, False)])
def test_a_detector_lives_that_may_use_all_that_it_needs(
    needed_mb: float, well: bool, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "needed_mb", lambda _: needed_mb)

    assert probes.lives(site).well is well
