"""Whatever a file written by a person contains, it is read completely or rejected in one sentence."""

import json
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from damage import damaged, texts, values
from hypothesis import given
from hypothesis import strategies as st
from soak_share import SHARE

from brakepoint.course import ROOT, read_course
from brakepoint.detector.metadata import (
    class_names,
    end_to_end_said,
    input_size_px,
    is_detection_head,
    stride_px,
)
from brakepoint.errors import UserError
from brakepoint.files import load_yaml
from brakepoint.messages import SignClass
from brakepoint.room.config import load_room
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.train_file import load_train
from brakepoint.truth import GroundTruth, load_truth

pytestmark = pytest.mark.readers
SCENARIO = yaml.safe_load(next(SCENARIOS_DIR.glob("*.yaml")).read_text())
ROOM = {
    "name": "room-1",
    "attendees": 3,
    "handles": ["ada", "bob"],
    "store": {"kind": "minio", "endpoint": "https://minio.example"},
    "quota": {"cpu": 2},
}
COURSE = (ROOT / "course.toml").read_text(encoding="utf-8")
TRUTH = json.loads((ROOT / "videos" / "track-stop.json").read_text(encoding="utf-8"))
TRUTH["frames"] = TRUTH["frames"][:3]
TRAIN = """# measured
[drive]
full_power = 80.5
low_power = 60
start_power = 20
volts = 7.5

[camera]
width_px = 1280
height_px = 720
focal_px = 900.0
pitch_deg = -1.5
"""
METADATA = {"names": "{0: 'SpeedLimit', 1: 'DangerAhead'}", "imgsz": "[480, 640]", "args": "{'nms': True}"}


def read(reader: Callable[[Path], Any], content: str) -> Any:
    """What a reader makes of a file; None if it refused it, in one line that can be printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(content.encode("utf-8", "replace"))
        try:
            return reader(path)
        except UserError as error:
            assert "\n" not in str(error) and str(error).strip()
            return None


@SHARE
@given(damaged(SCENARIO).map(yaml.safe_dump) | values.map(yaml.safe_dump) | texts)
def test_any_scenario_is_refused_or_whole(content: str) -> None:
    scenario = read(load_scenario, content)

    if scenario is not None:
        written = yaml.safe_load(content)
        assert (len(scenario.signs), len(scenario.track)) == (
            len(written.get("signs", [])),
            len(written["track"]),
        )


@SHARE
@given(damaged(ROOM).map(yaml.safe_dump) | values.map(yaml.safe_dump) | texts)
def test_any_room_is_refused_or_whole(content: str) -> None:
    room = read(load_room, content)

    if room is not None:
        assert len(room.everybody) == room.attendees >= len(room.handles[: room.attendees])
        assert list(room.handles) == (yaml.safe_load(content).get("handles") or [])


def as_toml(content: str) -> dict[str, Any]:
    """A text as TOML, as Python reads it back from a file."""
    return tomllib.loads(content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


@st.composite
def scratched(draw: st.DrawFn, content: str) -> str:
    """A text with one piece replaced."""
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(start + 40, len(content))))
    return content[:start] + draw(st.text(max_size=10)) + content[end:]


@SHARE
@given(scratched(COURSE))
def test_any_course_is_refused_or_whole(content: str) -> None:
    steps = read(read_course, content)

    assert steps is None or len(steps) == len(as_toml(content)["step"])


@SHARE
@given(texts)
def test_any_text_is_not_a_course(content: str) -> None:
    assert read(read_course, content) is None


@SHARE
@given(scratched(TRAIN) | texts)
def test_any_train_is_refused_or_whole(content: str) -> None:
    train = read(load_train, content)

    if train is not None:
        for name, section in as_toml(content).items():
            assert section.items() <= getattr(train, name).model_dump().items()


def test_a_truth_is_read_with_a_byte_order_mark_and_refused_with_the_place_of_its_fault(
    tmp_path: Path,
) -> None:
    whole = json.dumps(TRUTH)

    assert read(load_truth, "\ufeff" + whole) == GroundTruth.model_validate(TRUTH)
    file = tmp_path / "a.json"
    file.write_text(json.dumps(TRUTH | {"spacing_cm": -1}))
    with pytest.raises(UserError, match=r"spacing_cm.*0\..*restore"):
        load_truth(file)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("seed",), -1, "seed: "),
        (("feed",), "a\u001b[2Jb", "feed: "),
        (("camera", "focal_px"), float("nan"), "focal_px: "),
        (("camera", "pitch_deg"), 90, "pitch_deg: "),
        (("spacing_cm",), float("inf"), "spacing_cm: "),
        (("spacing_cm",), 1e-320, "#2 .* 2.0 cm"),
        (("signs", 0, "at_cm"), float("nan"), "at_cm: "),
        (("frames", 2, "position_cm"), -4.0, "#3 .* -4.0 cm"),
        (("frames", 0, "signs", 0, "box"), [9, 0, 9, 9], "box: "),
    ],
)
def test_a_truth_that_no_feed_can_have_is_refused(
    tmp_path: Path, place: tuple[Any, ...], value: object, said: str
) -> None:
    content = json.loads(json.dumps(TRUTH))
    part = content
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    (tmp_path / "a.json").write_text(json.dumps(content))

    with pytest.raises(UserError, match=rf"a\.json .*{said}"):
        load_truth(tmp_path / "a.json")


def test_a_folder_in_place_of_a_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=str(tmp_path)):
        load_truth(tmp_path)


@pytest.mark.parametrize("reader", [load_train, load_scenario, load_room])
def test_a_file_in_another_encoding_is_refused_with_what_to_do(
    tmp_path: Path, reader: Callable[[Path], Any]
) -> None:
    (tmp_path / "file").write_text("name: a", encoding="utf-16")

    with pytest.raises(UserError, match=r"file .*UTF-8\. Save it"):
        reader(tmp_path / "file")


@pytest.mark.parametrize("reader", [load_train, read_course])
def test_brackets_without_end_are_refused(tmp_path: Path, reader: Callable[[Path], Any]) -> None:
    (tmp_path / "file").write_text("a = " + "[" * 5000)

    with pytest.raises(UserError):
        reader(tmp_path / "file")


@SHARE
@given(damaged(TRUTH).map(json.dumps) | values.map(json.dumps) | texts)
def test_any_ground_truth_is_refused_or_whole(content: str) -> None:
    truth = read(load_truth, content)

    assert truth is None or len(truth.frames) == len(json.loads(content)["frames"])


literals = (
    texts
    | values.map(repr)
    | damaged([{0: "SpeedLimit", 1: "DangerAhead"}]).map(lambda each: repr(each[0] if each else each))
)


@SHARE
@given(
    st.dictionaries(
        st.sampled_from(["names", "imgsz", "args", "end2end", "stride", "head", "task"]), literals
    ),
    st.lists(st.none() | st.integers(-2, 900), max_size=5),
)
def test_any_metadata_of_a_model_is_refused_or_whole(
    metadata: dict[str, str], shape: list[int | None]
) -> None:
    metadata = METADATA | metadata
    end_to_end_said(metadata)
    is_detection_head(metadata)
    assert 32 <= stride_px(metadata) <= 256
    try:
        assert sorted(class_names(metadata, Path("model.onnx"))) == sorted(SignClass)
        assert min(input_size_px(shape, "float32", metadata, Path("model.onnx"))) > 0
    except UserError as error:
        assert "model.onnx" in str(error)


@pytest.mark.parametrize(
    "written", ["(" * 5000, "-" * 100_000 + "1", "{[]: 1}", "1" * 5000, "\0", "{0: 1, **{}}"]
)
def test_metadata_that_is_not_a_literal_is_refused(written: str) -> None:
    with pytest.raises(UserError):
        class_names({"names": written}, Path("model.onnx"))
    assert end_to_end_said({"args": written, "end2end": written}) is None


@pytest.mark.parametrize(
    "content",
    [
        "a: 1\na: 2",
        "{a: 1, a: 1}",
        "- {a: {b: 1, b: 2}}",
        "[" * 600,
        "2026-13-45",
        "&x [*x, {? *x : 1}]",
        "!!python/name:os.system",
        "\x00",
    ],
)
def test_yaml_that_would_lose_something_is_refused(content: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(content)


def test_yaml_says_what_it_says() -> None:
    assert load_yaml("a: &x {b: [1, two]}\nc: *x\nd: {<<: *x, e: 3.5}") == {
        "a": {"b": [1, "two"]},
        "c": {"b": [1, "two"]},
        "d": {"b": [1, "two"], "e": 3.5},
    }


@pytest.mark.parametrize("doubled", ["number = 1", 'name = "step1_dataset"'])
def test_a_course_with_one_step_twice_is_refused(tmp_path: Path, doubled: str) -> None:
    first, second = ('number = 1\nname = "step1_dataset"', 'number = 2\nname = "step2_other"')
    kind = doubled.split()[0]
    second = "\n".join(doubled if line.startswith(kind) else line for line in second.splitlines())
    rest = 'minutes = 5\nexercises = ["x"]\ncore_minutes = 5\ncore = ["x"]\n'
    steps = "".join(f"[[step]]\n{each}\n{rest}" for each in (first, second))
    (tmp_path / "course.toml").write_text(f"set_up_minutes = 1\n{steps}")

    with pytest.raises(UserError, match="× 2"):
        read_course(tmp_path / "course.toml")


@pytest.mark.parametrize("reader", [load_truth, load_train, read_course])
@pytest.mark.parametrize("begins", ["", "a = "])
def test_brackets_a_hundred_thousand_deep_are_refused(reader: Callable[[Path], Any], begins: str) -> None:
    assert read(reader, begins + 100_000 * "[") is None
