"""The server of the page on which signs are shown to a model."""

import base64

import numpy as np
import pytest
from fastapi.testclient import TestClient
from shown_pictures import DANGER, jpeg

from brakepoint.look import SIGN_LOOKS
from brakepoint.messages import Detection, SignClass
from brakepoint.scenery.artwork import PLATES
from brakepoint.show.album import EXPORT_NAME, Album
from brakepoint.show.server import BODY_MAX_BYTES, make_app
from brakepoint.texts import catalogue, languages

LOCAL = "http://localhost:8002"
OWN = {"X-Brakepoint-Token": ""}


class OneSign:
    """A detector that finds a limit at the same place in each picture, a little beyond its edge."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def detect_image(self, image: np.ndarray, confidence: float | None = None) -> tuple[Detection, ...]:
        self.shapes.append(image.shape)
        return (Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.75, box=(16, 12, 70, 36)),)


@pytest.fixture
def album(tmp_path) -> Album:
    return Album(tmp_path / "my-signs")


@pytest.fixture
def detector() -> OneSign:
    return OneSign()


@pytest.fixture
def page(album, detector, tmp_path) -> TestClient:
    samples = [tmp_path / f"{number}.jpg" for number in range(2)]
    for number, sample in enumerate(samples):
        sample.write_bytes(jpeg(100 * number))
    return TestClient(make_app(detector, album, samples, model="m.onnx"), base_url=LOCAL)


def shown(**changes: object) -> dict[str, object]:
    return {"jpeg": base64.b64encode(jpeg()).decode(), "signs": [DANGER.model_dump(mode="json")], **changes}


def test_the_model_is_asked_about_the_picture_as_it_is(page, detector):
    said = page.post("/look", content=jpeg(), headers=OWN).json()

    assert detector.shapes == [(48, 64, 3)]
    assert said["signs"] == [{"sign_class": "SpeedLimit", "confidence": 0.75, "box": [0.25, 0.25, 1.0, 0.75]}]
    assert said["took_ms"] >= 0


def test_a_picture_is_only_looked_at_and_not_kept(page, album):
    page.post("/look", content=jpeg(), headers=OWN)

    assert not album.folder.exists()


def test_a_saved_picture_is_in_the_album_until_it_is_removed(page, album):
    answer = page.post("/album", json=shown(), headers=OWN)

    assert (answer.status_code, answer.json()) == (201, {"name": "shown_0001.jpg"})
    assert page.get("/album.json", headers=OWN).json() == {"names": ["shown_0001.jpg"]}
    assert page.get("/album/shown_0001.jpg", headers=OWN).content == jpeg()
    assert page.delete("/album/shown_0001.jpg", headers=OWN).status_code == 204
    assert page.delete("/album/shown_0001.jpg", headers=OWN).status_code == 404
    assert album.names == []


@pytest.mark.parametrize(
    "changes",
    [
        {"jpeg": base64.b64encode(b"GIF89a").decode()},
        {"jpeg": "§"},
        {"signs": [{"sign_class": "Cow", "box": [0, 0, 1, 1]}]},
        {"signs": [{"sign_class": "SpeedLimit", "box": [0, 0, 2, 1]}]},
        {"signs": [DANGER.model_dump(mode="json")] * 51},
        {"folder": "/etc"},
    ],
)
def test_what_cannot_be_kept_is_refused(page, album, changes):
    assert page.post("/album", json=shown(**changes), headers=OWN).status_code == 422
    assert album.names == []


def test_an_album_that_another_program_has_written_over_is_named_wherever_it_is_asked_for(page, album):
    page.post("/album", json=shown(), headers=OWN)
    (album.folder / EXPORT_NAME).write_text("{}")

    for method, path in (
        ("GET", "/album.json"),
        ("GET", "/album/shown_0001.jpg"),
        ("DELETE", "/album/shown_0001.jpg"),
    ):
        answer = page.request(method, path, headers=OWN)
        assert answer.status_code == 422
        assert answer.json()["detail"] == {
            lang: catalogue()["show.error.other_export"][lang].replace("{path}", EXPORT_NAME)
            for lang in languages()
        }


@pytest.mark.parametrize("path", ["/album", "/samples/0.jpg"])
def test_a_disk_that_fails_is_a_sentence_in_every_language(page, album, tmp_path, path):
    album.folder.write_text("a file where the folder should be")
    (tmp_path / "0.jpg").unlink()
    answer = page.request("POST" if path == "/album" else "GET", path, json=shown(), headers=OWN)

    assert answer.status_code == 500
    detail = answer.json()["detail"]
    assert "cannot read or write its files: " in detail["en"]
    assert "ne peut pas lire ou écrire ses fichiers : " in detail["fr"]


def test_fifty_signs_are_kept(page):
    signs = [DANGER.model_dump(mode="json")] * 50

    assert page.post("/album", json=shown(signs=signs), headers=OWN).status_code == 201


def test_a_page_from_elsewhere_can_neither_look_nor_keep(page, album):
    assert page.post("/look", content=jpeg()).status_code == 422
    assert page.post("/album", json=shown()).status_code == 422
    assert page.post("/look", content=jpeg(), headers=OWN | {"Host": "evil.example"}).status_code == 400
    assert album.names == []


def test_a_page_that_others_reach_asks_for_its_token(album, detector):
    page = TestClient(make_app(detector, album, [], "secret"), base_url=LOCAL)

    for given, status in (("wrong", 403), ("secret", 200)):
        headers = {"X-Brakepoint-Token": given}
        assert page.post("/look", content=jpeg(), headers=headers).status_code == status
        assert page.get("/album.json", headers=headers).status_code == status
    assert page.post("/album", json=shown(), headers=OWN).status_code == 403
    assert page.get("/album/shown_0001.jpg", headers=OWN).status_code == 403
    assert page.delete("/album/shown_0001.jpg", headers=OWN).status_code == 403


@pytest.mark.parametrize(("length", "status"), [(BODY_MAX_BYTES, 422), (BODY_MAX_BYTES + 1, 413)])
def test_a_body_is_as_long_as_a_picture_and_no_longer(page, length, status):
    assert page.post("/look", content=b"\0" * length, headers=OWN).status_code == status


def test_the_samples_go_round(page):
    found = [page.get(f"/samples/{number}.jpg").content for number in range(3)]

    assert found == [jpeg(0), jpeg(100), jpeg(0)]


def test_without_samples_there_is_none(album, detector):
    page = TestClient(make_app(detector, album, []), base_url=LOCAL)

    assert page.get("/samples/0.jpg").status_code == 404


def test_the_plates_to_print_have_their_true_size(page):
    plates = page.get("/texts.json").json()["plates"]

    assert ["limit-50", PLATES["limit-50"].width_cm, PLATES["limit-50"].height_cm] in plates
    assert not [kind for kind, *_ in plates if kind.startswith("road-")]
    words = page.get("/texts.json").json()["texts"]["fr"]
    assert {f"sign.kind.{kind}" for kind, *_ in plates} <= words.keys()
    assert all(page.get(f"/art/{kind}.svg").text.startswith("<svg") for kind, *_ in plates)
    assert page.get("/art/road-danger-bend.svg").status_code == 404


def test_the_page_has_its_texts_and_says_where_pictures_go(page, album):
    told = page.get("/texts.json").json()

    assert (told["folder"], told["model"], told["samples"]) == (str(album.folder), "m.onnx", 2)
    assert {"show.private", "sign.class.SpeedLimit"} <= told["texts"]["fr"].keys()


def test_the_page_draws_each_class_in_the_colour_that_it_has_everywhere(page):
    told = page.get("/texts.json").json()

    assert told["colours"] == {sign_class: SIGN_LOOKS[sign_class].colour for sign_class in told["classes"]}
