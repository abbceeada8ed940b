"""Each exercise is explained once it has passed, and the figures of the explanations hold."""

import base64
import html
import json
import random
import textwrap
import tomllib
from importlib import import_module
from math import isclose
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import onnxruntime
import pytest
import yaml

from brakepoint.course import ROOT, course, find_step
from brakepoint.detector import Detector
from brakepoint.magic import as_html
from brakepoint.messages import Detection, SignClass
from brakepoint.mission.scoring import score_run
from brakepoint.models import SHIPPED_MODEL
from brakepoint.serving import BOXES, CLASSES, SCORES
from brakepoint.synthesis import Look, Materials, Pose, draw_sign
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.synthesis.plates import plates
from brakepoint.texts import catalogue, languages
from brakepoint.workshop import explanations
from brakepoint.workshop.checks.driving import drive, feed
from brakepoint.workshop.examination import examine
from brakepoint.workshop.explanations import MEASURED, RECORDED, explain, figures
from brakepoint.workshop.labs import filled, solved
from brakepoint.workshop.verdicts import Result, Verdict
from solutions import step1_dataset, step2_synthetic

EXERCISES = [(step, exercise) for step in course() for exercise in step.exercises]
WIDTH, LINES_MOST, PARAGRAPH_MOST = 100, 8, 3
WAYS = tomllib.loads((Path(__file__).parent / "other_ways.toml").read_text("utf-8"))["way"]
STILLS = sorted((ROOT / "dataset" / "stills" / "images").iterdir())


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize(("step", "exercise"), EXERCISES, ids=lambda value: getattr(value, "name", value))
def test_each_exercise_is_explained_in_a_few_lines_with_a_figure(step, exercise, lang):
    paragraphs = [textwrap.wrap(words, WIDTH) for words in explain(step, exercise, lang)]
    words = catalogue()[f"explain.{step.name}.{exercise}.cost"][lang]

    assert len(paragraphs) == 3
    assert all(1 <= len(lines) <= PARAGRAPH_MOST for lines in paragraphs)
    assert sum(map(len, paragraphs)) <= LINES_MOST
    assert any(f"{{{name}" in words for name in figures())


@pytest.mark.parametrize("step", course(), ids=lambda step: step.name)
def test_the_other_ways_that_are_named_are_right_too(step, tmp_path):
    ways = {way["exercise"]: way["code"] for way in WAYS if way["step"] == step.name}
    for part in step.parts:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).write_text(filled(step, {**solved(step), **ways}, part), "utf-8")
    verdicts = list(examine(step, tmp_path / step.lab.name))

    assert [(verdict.exercise, verdict.message) for verdict in verdicts] == [(e, "") for e in step.exercises]


def test_a_notebook_explains_what_has_just_passed_and_nothing_else():
    step = find_step("1")
    verdicts = tuple(Verdict(exercise=name, passed=True) for name in step.exercises[:2])
    card = as_html(step, Result(verdicts, explained=("download",)))

    assert html.escape(explain(step, "download")[0]) in card
    assert html.escape(explain(step, "listing")[0]) not in card


def test_no_figure_is_there_for_nothing():
    words = "".join(said["en"] for key, said in catalogue().items() if key.startswith("explain."))
    used_to_derive = {"track_before", "track_after"}

    assert {name for name in figures() if f"{{{name}" not in words} == used_to_derive


def test_of_the_stills_that_are_cut_in_half_none_can_be_read():
    halves = [path.read_bytes()[: path.stat().st_size // 2] for path in STILLS]
    read = [cv2.imdecode(np.frombuffer(half, np.uint8), cv2.IMREAD_COLOR) for half in halves]

    assert (len(read), sum(picture is not None for picture in read)) == (
        MEASURED["stills"],
        MEASURED["half_read"],
    )


def test_a_split_by_picture_leaks_as_much_as_is_said():
    names = [path.name for path in STILLS]
    held_out = len(step1_dataset.split(names, 0.2, 0)[1])
    random.Random(0).shuffle(names)
    learnt = {step1_dataset.scene_of(name) for name in names[held_out:]}
    leaked = sum(step1_dataset.scene_of(name) in learnt for name in names[:held_out])

    assert (leaked, held_out) == (MEASURED["leaked"], MEASURED["held_out"])


def test_a_still_in_base64_is_as_large_as_is_said():
    sizes = [len(base64.b64encode(path.read_bytes())) for path in STILLS]

    assert round(np.mean(sizes) / 1000) == MEASURED["base64_kb"]


def test_a_label_with_the_corner_for_the_centre_overlaps_by_a_seventh():
    assert isclose(figures()["corner_iou"], 1 / 7)


def test_so_much_of_a_small_sign_is_edge():
    plate = draw_sign(plates()["danger-exclamation"], Pose(20, 0, pitch_deg=0, roll_deg=0), Look()).plate
    is_edge = (plate > 0.02) & (plate < 0.98)

    assert round(is_edge.sum() / (plate > 0.02).sum() * 100) == MEASURED["edge_percent"]


def test_so_many_labelled_signs_would_be_hidden(monkeypatch):
    shares: list[float] = []

    def labels(placed):
        shares.extend(
            sign.visible.sum() / sign.sprite.plate.sum()
            for sign in placed
            if sign.sprite.sign_class is not None
        )
        return ()

    monkeypatch.setattr(step2_synthetic, "labels_of", labels)
    monkeypatch.setattr(step2_synthetic, "hides_too_much", lambda new, placed: False)
    materials = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS))
    for seed in range(25):
        step2_synthetic.paint_picture(np.random.default_rng(seed), materials)
    hidden = sum(share < step2_synthetic.VISIBLE_LEAST for share in shares)

    assert (hidden, len(shares)) == (MEASURED["hidden"], MEASURED["labelled"])


def mistaken(gap: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The autopilot with a mistake in one gap."""
    step, name = find_step("6"), f"mistaken_{gap}"
    (folder / f"{name}.py").write_text(filled(step, {**solved(step), gap: code}), "utf-8")
    monkeypatch.syspath_prepend(folder)
    return import_module(name)


def test_a_train_that_knows_no_danger_scores_what_is_said(tmp_path, monkeypatch):
    lab = mistaken("priority", "danger = None", tmp_path, monkeypatch)
    score = score_run(drive(lab, "track-full"), feed("track-full")).score

    assert round(score) == MEASURED["no_danger_points"]


def test_with_the_fraction_upside_down_a_far_sign_seems_as_near_as_is_said(tmp_path, monkeypatch):
    upside_down = "ahead_cm = item.height_px * PLATE_HEIGHT_CM[item.sign_class] / CAMERA.focal_px"
    lab = mistaken("distance", upside_down, tmp_path, monkeypatch)
    height_px = lab.CAMERA.focal_px * lab.PLATE_HEIGHT_CM[SignClass.DANGER_AHEAD] / 100
    sign = Detection(sign_class=SignClass.DANGER_AHEAD, confidence=1, box=(0, 0, height_px, height_px))

    assert isclose(lab.locate(sign).ahead_cm, figures()["inverted_cm"])


def test_so_many_frames_of_the_longest_feed_show_two_signs_that_count():
    truth = json.loads((ROOT / "videos" / "track-full.json").read_text("utf-8"))
    counts = [sum(sign["sign_class"] is not None for sign in frame["signs"]) for frame in truth["frames"]]

    assert (sum(count > 1 for count in counts), len(counts)) == (
        MEASURED["two_signs"],
        MEASURED["full_frames"],
    )


def test_the_manifests_hold_what_is_said():
    deploy = ROOT / "deploy"
    files = [*(deploy / "base").glob("*.yaml"), *(deploy / "components" / "stub").glob("*.yaml")]
    documents = [each for file in files for each in yaml.safe_load_all(file.read_text("utf-8")) if each]
    pods = {
        each["metadata"]["name"]
        for each in documents
        if each.get("kind") == "Deployment" and each["spec"].get("selector")
    }
    (settings,) = [
        made
        for made in yaml.safe_load((deploy / "base/kustomization.yaml").read_text("utf-8"))[
            "configMapGenerator"
        ]
        if made["name"] == "brakepoint-settings"
    ]

    assert len(settings["literals"]) == MEASURED["base_settings"]
    assert len(pods - {"broker"}) == MEASURED["edge_pods"]
    assert len(pods - {"train"}) == MEASURED["other_pods"]


def test_the_delivery_has_so_many_tasks_and_commits_last():
    path = ROOT / "solutions" / "step7_delivery" / "pipeline" / "pipeline.yaml"
    tasks = [task["name"] for task in yaml.safe_load(path.read_text("utf-8"))["spec"]["tasks"]]

    assert (len(tasks), tasks[-1]) == (MEASURED["delivery_tasks"], "commit")
    assert sum(task.startswith("build-") for task in tasks) == MEASURED["architectures"]


def test_the_training_pipeline_is_as_long_as_is_said():
    lines = find_step("4").solution.read_text("utf-8")

    assert "for task in (compared, passed, published):\n        task.set_caching_options(False)" in lines
    assert lines.count("@component\n") - MEASURED["cached"] == MEASURED["after_training"]


def test_the_network_takes_as_many_numbers_as_is_said():
    assert Detector(SHIPPED_MODEL).input_size_px == (800, 608)
    assert onnxruntime.InferenceSession(SHIPPED_MODEL).get_inputs()[0].shape[1] == 3
    assert explanations.TENSOR_NUMBERS == 3 * 608 * 800
    assert figures()["orders"] == 3 * 2 == len({BOXES, SCORES, CLASSES}) * 2


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("brakepoint/models/README.md", "| {flat_map50} | flat drawings"),
        ("brakepoint/models/README.md", "| {photographed_map50} | signs drawn in perspective, lit"),
        ("brakepoint/models/README.md", "271,000 crops in 40 minutes"),
        ("brakepoint/models/README.md", "--start runs/third/run/model.pt --epochs 4"),
        ("brakepoint/models/README.md", "each training run took less than {training_minutes}"),
        ("brakepoint/models/README.md", "{track_before} (0.09, 0.99) | {track_after} (0.98, 0.97)"),
        ("brakepoint/models/README.md", "`--least-px 12`) | {road_before} ("),
        ("docs/en/decisions.md", "finds {found_at_07} % of the danger signs of at least 20 px"),
        ("docs/en/decisions.md", "of the limits, with {false_alarms} false alarms in {photographs} pictures"),
        (
            "docs/en/decisions.md",
            "At 0.6 it would find as many, but raise {false_alarms_at_06} false alarms.",
        ),
    ],
)
def test_what_was_recorded_stands_where_it_was_recorded(file, said):
    written = " ".join((ROOT / file).read_text("utf-8").split())

    assert said.format(**RECORDED) in written


def test_figures_that_follow_from_constants_are_those_of_the_kit():
    shown = {name: round(float(figures()[name]), 2) for name in ("too_far_cm", "blind_cm", "hops_a_second")}

    assert shown == {"too_far_cm": 8.83, "blind_cm": 15.0, "hops_a_second": 7.5}
    assert [
        figures()[name] for name in ("roads_too_few", "roads_right", "share_too_low", "road_percent")
    ] == [
        75,
        100,
        20,
        25,
    ]
    assert [figures()[name] for name in ("beyond_page", "empty_pictures", "distractor_percent")] == [
        1500,
        200,
        54,
    ]
    assert round(figures()["road_unnoticed"], 2) == 0.48
