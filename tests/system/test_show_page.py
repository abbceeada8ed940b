"""Signs are shown to a model in a real browser, whose camera plays a recording; and it learns from them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from accessibility import grave_faults
from playwright.sync_api import Page, Route, TimeoutError, expect, sync_playwright

from brakepoint.detector import Detector
from brakepoint.evaluation import examine, measure
from brakepoint.feeds import find_feed
from brakepoint.labels.folder import load_labels
from brakepoint.messages import SignClass
from brakepoint.models import BASE_MODEL
from brakepoint.show.album import Album, ShownSign
from brakepoint.show.server import make_app
from brakepoint.texts import text
from brakepoint.truth import VisibleSign, load_truth

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TAUGHT_BY, EXAMINED_ON = "track-stop-and-slowdown", "track-full"
PICTURES = 10
LEAST_PX, LABELLED_FROM_PX = 18, 8
"""Each picture has a sign so wide, and all that are so wide are labelled."""
CONFIDENCE = 0.5
HOLDING_BLOBS = """() => {
  const released = new Promise((done) => { window.release = done; });
  const toBlob = HTMLCanvasElement.prototype.toBlob;
  HTMLCanvasElement.prototype.toBlob = function (take, ...how) {
    toBlob.call(this, (blob) => released.then(() => take(blob)), ...how);
  };
}"""
COUNTING_CAMERAS = """() => {
  window.opened = 0;
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wish) => { opened += 1; return open(wish); };
}"""
Box = tuple[float, float, float, float]


def pictures(feed: str, first: int) -> list[tuple[bytes, list[ShownSign]]]:
    """Ten frames of a feed in which signs are close, spread over all such frames, and their signs."""
    truth = load_truth(find_feed(feed).with_suffix(".json"))
    with av.open(str(find_feed(feed))) as video:
        frames = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    close = [
        (frame, [sign for sign in known.signs if width(sign) >= LABELLED_FROM_PX and sign.sign_class])
        for frame, known in zip(frames, truth.frames, strict=True)
        if any(width(sign) >= LEAST_PX and sign.sign_class for sign in known.signs)
    ]
    chosen = close[first :: len(close) // PICTURES][:PICTURES]
    assert len(chosen) == PICTURES
    return [(encoded(frame), [shown(sign, frame) for sign in signs]) for frame, signs in chosen]


def width(sign: VisibleSign) -> float:
    return sign.box[2] - sign.box[0]


def encoded(frame: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", frame)[1].tobytes()


def shown(sign: VisibleSign, frame: np.ndarray) -> ShownSign:
    height, width = frame.shape[:2]
    sides = np.array(sign.box) / (width, height, width, height)
    assert sign.sign_class
    return ShownSign(sign_class=sign.sign_class, box=tuple(np.clip(sides, 0, 1)))


@pytest.fixture(scope="module")
def lesson() -> list[tuple[bytes, list[ShownSign]]]:
    return pictures(TAUGHT_BY, 0)


@pytest.fixture(scope="module")
def recording(tmp_path_factory, lesson) -> Path:
    """The recording that Chromium plays as its camera."""
    file = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    file.write_bytes(b"".join(picture for picture, _ in lesson))
    return file


@pytest.fixture
def album(tmp_path) -> Album:
    return Album(tmp_path / "my-signs")


@pytest.fixture(params=[BASE_MODEL])
def address(request, album, serve, tmp_path, lesson) -> str:
    sample = tmp_path / "sample.jpg"
    sample.write_bytes(lesson[0][0])
    return serve(
        make_app(Detector(request.param), album, [sample], model="base.onnx", commands=["one", "two"])
    )


@pytest.fixture
def page(recording, address) -> Iterator[Page]:
    executable = shutil.which("chromium")
    assert executable, "chromium is missing: make test-system installs it as root"
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={recording}",
    ]
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", *camera])
        page = browser.new_page(viewport=DESK, locale="en")
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        expect(page.locator("body[inert]")).to_have_count(0)
        yield page
        browser.close()
    assert complaints == []


def click(page: Page, x: float, y: float) -> None:
    around = page.locator("#picture").bounding_box()
    assert around
    page.mouse.click(around["x"] + x * around["width"], around["y"] + y * around["height"])


def draw(page: Page, sign: ShownSign) -> None:
    page.check(f"input[value={sign.sign_class}]")
    left, top, right, bottom = sign.box
    click(page, left, top)
    click(page, right, bottom)


def open_picture(page: Page, content: bytes) -> None:
    page.set_input_files("#file", {"name": "one.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(page.locator("#save")).to_be_enabled()
    expect(page.locator("#seen")).to_contain_text(" ms")
    while page.locator("#boxes li").count():
        page.locator("#boxes button").first.click()


def recall_of_dangers(model: Path, exam: Path) -> float:
    found = measure(examine(exam, Detector(model)), CONFIDENCE).per_class[SignClass.DANGER_AHEAD]
    assert found.truths >= 5
    assert found.recall is not None
    return found.recall


def kept(page: Page, count: int) -> None:
    expect(page.locator("#album li")).to_have_count(count)


def test_the_camera_is_started_frozen_labelled_and_resumed(page, album):
    page.click("#camera")
    expect(page.locator("#seen")).to_contain_text(" ms")
    expect(page.locator("#save")).to_be_disabled()
    page.keyboard.press("Space")
    expect(page.locator("#save")).to_be_enabled()
    before = page.locator("#boxes li").count()
    draw(page, ShownSign(sign_class=SignClass.SPEED_LIMIT, box=(0.7, 0.1, 0.8, 0.3)))
    expect(page.locator("#boxes li")).to_have_count(before + 1)
    page.keyboard.press("s")
    kept(page, 1)
    expect(page.locator("#save")).to_be_disabled()

    (picture,) = load_labels(album.folder)
    sign = picture.signs[-1]
    assert sign.sign_class is SignClass.SPEED_LIMIT
    assert np.allclose(sign.box, (0.7, 0.1, 0.8, 0.3), atol=0.003)


def test_nothing_can_be_clicked_in_vain_before_the_page_has_its_script(page):
    page.route("**/texts.json", lambda route: None)
    page.reload()

    with pytest.raises(TimeoutError):
        page.click("#camera", timeout=500)


def test_everything_can_be_done_by_keyboard(page, album):
    page.locator("#sample").press("Enter")
    expect(page.locator("#save")).to_be_enabled()
    while page.locator("#boxes li").count():
        page.locator("#boxes button").first.press("Enter")
    page.locator("#picture").focus()
    for key in ("Enter", "Shift+ArrowRight", "Shift+ArrowDown", "Enter", "k", "s"):
        page.keyboard.press(key)
    kept(page, 1)

    (picture,) = load_labels(album.folder)
    (sign,) = picture.signs
    assert sign.sign_class is SignClass.SPEED_LIMIT
    assert np.allclose(sign.box, (0.5, 0.5, 0.55, 0.55), atol=1e-6)


def test_a_saved_picture_can_be_taken_back(page, album, lesson):
    open_picture(page, lesson[0][0])
    page.click("#save")
    kept(page, 1)
    page.click("#album button")
    kept(page, 0)

    assert album.names == []


def test_a_picture_is_saved_once_and_with_the_boxes_that_it_had(page, album, lesson):
    open_picture(page, lesson[0][0])
    draw(page, ShownSign(sign_class=SignClass.SPEED_LIMIT, box=(0.7, 0.1, 0.8, 0.3)))
    page.evaluate(HOLDING_BLOBS)
    for _ in range(2):
        page.keyboard.press("s")
    page.click("#boxes button")
    page.evaluate("release()")
    kept(page, 1)
    expect(page.locator("#seen")).to_have_text("shown_0001.jpg is saved.")

    (picture,) = load_labels(album.folder)
    assert [sign.sign_class for sign in picture.signs] == [SignClass.SPEED_LIMIT]


def test_only_one_camera_is_opened_however_often_the_button_is_pressed(page):
    page.evaluate(COUNTING_CAMERAS)
    page.evaluate("[1, 2].forEach(() => document.getElementById('camera').click())")
    expect(page.locator("#freeze")).to_be_enabled()

    assert page.evaluate("opened") == 1


def test_arrow_keys_go_through_the_kinds_of_a_box(page, lesson):
    open_picture(page, lesson[0][0])
    draw(page, ShownSign(sign_class=SignClass.DANGER_AHEAD, box=(0.7, 0.1, 0.8, 0.3)))
    page.locator("#boxes select").focus()
    for kind in (SignClass.SPEED_LIMIT, SignClass.DANGER_AHEAD):
        page.keyboard.press("ArrowDown" if kind is SignClass.SPEED_LIMIT else "ArrowUp")
        expect(page.locator("#boxes select")).to_have_value(kind)
        expect(page.locator("#boxes select")).to_be_focused()


def test_the_box_that_the_keyboard_reaches_is_the_chosen_one_and_the_keyboard_stays_when_it_goes(
    page, lesson
):
    open_picture(page, lesson[0][0])
    for left in (0.1, 0.4, 0.7):
        draw(page, ShownSign(sign_class=SignClass.SPEED_LIMIT, box=(left, 0.1, left + 0.1, 0.3)))
    page.locator("#boxes button").first.focus()
    expect(page.locator("#boxes li").first).to_have_class("chosen")
    page.keyboard.press("Enter")

    expect(page.locator("#boxes li")).to_have_count(2)
    expect(page.locator("#boxes button").first).to_be_focused()


SECOND_CLICK = """(button) =>
  button.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 2 }))"""


def test_a_double_click_saves_once_and_removes_one(page, album, lesson):
    open_picture(page, lesson[0][0])
    page.click("#save")
    kept(page, 1)
    page.locator("#save").evaluate(SECOND_CLICK)
    open_picture(page, lesson[1][0])
    page.click("#save")
    kept(page, 2)
    page.locator("#album button").first.evaluate(SECOND_CLICK)
    for left in (0.1, 0.4):
        draw(page, ShownSign(sign_class=SignClass.SPEED_LIMIT, box=(left, 0.1, left + 0.1, 0.3)))
    page.click("#boxes button >> nth=0")
    page.locator("#boxes button").first.evaluate(SECOND_CLICK)

    expect(page.locator("#boxes li")).to_have_count(1)
    page.click("#save")
    kept(page, 3)
    assert len(album.names) == 3


def test_a_picture_that_another_page_has_removed_goes_without_a_word(page, album, lesson):
    open_picture(page, lesson[0][0])
    page.click("#save")
    kept(page, 1)
    assert page.context.browser
    other = page.context.browser.new_page()  # The browser itself complains of a 404, which is expected here.
    other.goto(page.url)
    kept(other, 1)
    album.remove("shown_0001.jpg")
    other.click("#album button")

    kept(other, 0)
    expect(other.locator("#trouble")).to_be_hidden()


def test_the_picture_that_was_chosen_last_stays(page, lesson):
    held: list[Route] = []
    page.route("**/samples/*", lambda route: held.append(route), times=1)
    with page.expect_request("**/samples/*"):
        page.click("#sample")
    open_picture(page, encoded(np.zeros((100, 640, 3), np.uint8)))
    with page.expect_response("**/samples/*") as answer:
        held.pop().continue_()
    answer.value.finished()
    page.evaluate("createImageBitmap(document.getElementById('picture'))")

    expect(page.locator("#save")).to_be_enabled()
    assert page.evaluate("document.getElementById('picture').height") == 100


def test_a_camera_that_is_left_leaves_its_last_picture_to_be_looked_at(page):
    page.click("#camera")
    expect(page.locator("#seen")).to_contain_text(" ms")
    held: list[Route] = []
    page.route("**/look", lambda route: held.append(route))
    with page.expect_request("**/look"):
        page.click("#camera")
    expect(page.locator("#camera")).to_have_text("Start the camera")

    expect(page.locator("#save")).to_be_disabled()


def test_all_that_the_page_has_said_is_said_again_in_the_other_language(page, lesson):
    open_picture(page, lesson[0][0])
    page.click("#save")
    kept(page, 1)
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"})
    expect(page.locator("#trouble")).to_contain_text("cannot read")
    page.get_by_role("button", name="Français").click()

    expect(page.locator("#seen")).to_have_text(text("show.saved", "fr", name="shown_0001.jpg"))
    expect(page.locator("#trouble")).to_have_text(text("show.no_picture", "fr"))


def test_a_file_that_is_not_a_picture_is_named(page):
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"})

    expect(page.locator("#trouble")).to_have_text("This browser cannot read that file as a picture.")


def test_what_went_wrong_stays_on_the_page_until_the_next_action(page):
    held: list[Route] = []
    page.route("**/album.json", lambda route: held.append(route))
    page.reload()
    expect(page.locator("body[inert]")).to_have_count(0)
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"})
    expect(page.locator("#trouble")).to_be_visible()

    with page.expect_response("**/album.json") as answer:
        held.pop().continue_()
    answer.value.finished()
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.locator("#trouble")).to_be_visible(timeout=1)

    page.click("#sample")
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.click("#sample")
    expect(page.locator("#seen")).to_contain_text(" ms")
    page.click("#save")
    kept(page, 1)

    assert grave_faults(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_plates_are_printed_in_their_true_size(page, address):
    page.goto(f"{address}print.html")
    first = page.locator("#plates img").first
    expect(first).to_be_visible()
    cm_px = 96 / 2.54

    assert first.evaluate("plate => plate.naturalWidth") > 0
    page.get_by_role("button", name="Français").click()
    expect(first).to_have_attribute("alt", text("sign.kind.danger-exclamation", "fr"))
    assert abs(page.locator(".ruler").evaluate("bar => bar.getBoundingClientRect().width") - 10 * cm_px) < 0.5


def test_ten_pictures_teach_the_base_model_a_sign_that_it_has_never_seen(page, album, lesson, tmp_path):
    for number, (picture, signs) in enumerate(lesson, 1):
        open_picture(page, picture)
        for sign in signs:
            draw(page, sign)
        page.keyboard.press("s")
        kept(page, number)
    taught = tmp_path / "taught"
    for arguments in (
        ["dataset", "--from", album.folder, "--out", tmp_path / "shown"],
        ["train", "--data", tmp_path / "shown/train", "--val", tmp_path / "shown/val", "--out", taught],
    ):
        longer = ["--epochs", "20"] if arguments[0] == "train" else []
        command = [sys.executable, "-m", "brakepoint", *map(str, arguments), "--steps", "solutions", *longer]
        subprocess.run(command, check=True)
    exam = Album(tmp_path / "exam")
    for picture, signs in pictures(EXAMINED_ON, 5):
        exam.add(picture, signs)

    assert recall_of_dangers(BASE_MODEL, exam.folder) == pytest.approx(1 / 9, abs=0.03)  # docs/*/show.md
    assert recall_of_dangers(taught / "model.onnx", exam.folder) >= 0.5
