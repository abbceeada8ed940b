"""The images, built for real: small, for any uid, and what runs in them runs as in the checkout."""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from secret_scan import secrets_in

from brakepoint.delivery.containers import Container
from brakepoint.delivery.rendering import of_kind, render
from brakepoint.delivery.running import Launch, Pods, drive, entry_point
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.feeds import find_feed
from brakepoint.mission.records import Score
from brakepoint.mission.scoring import score_run
from brakepoint.sockets import free_port
from brakepoint.store import seed
from brakepoint.store.connection import Connection
from brakepoint.store.embedded import EMBEDDED_BUCKET, serve_s3
from brakepoint.truth import load_truth

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "images" / "locks"
NAMES = list(tomllib.loads((ROOT / "deploy" / "images" / "images.toml").read_text("utf-8")))
OVERLAY = ROOT / "deploy" / "overlays" / "stub"
FEED = "track-stop"
ANYBODY = "12345:0"
IN_IMAGE = """
set -e
mount --bind "$1" "$1"
mount --options remount,bind,ro "$1"
mount -t tmpfs tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
cd "$1"
root="$1" folder="$2"
shift 2
exec chroot --userspec=USER "$root" sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
""".replace("USER", ANYBODY)
"""Runs a command in an image's root file system, as a cluster would: any uid, group 0, only /tmp to write."""
FOR_TRAINING = ("cv2", "kfp", "boto3", "torch", "ultralytics", "onnxslim")
HOLDS = {
    "edge": ("cv2", "av", "onnxruntime", "paho.mqtt.client", "fastapi"),
    "serving": ("cv2", "av", "onnxruntime", "kserve"),
    "pipeline": FOR_TRAINING,
    "pipeline-cpu": FOR_TRAINING,
    "workbench": ("cv2", "av", "openvino", "jupyterlab", "torch", "boto3", "kfp", "kserve"),
}
APP = "/opt/brakepoint/app"
NOT_IN_A_SMALL_IMAGE = ("torch", "ultralytics", "jupyterlab", "openvino", "pip")
FOR_ARM64 = ("edge", "serving")
TRAINING = [name for name in NAMES if HOLDS[name] is FOR_TRAINING]
OTHERS_OWN = {".git-credentials", ".netrc", ".pypirc", ".env", "pip.conf", "id_rsa", "id_ed25519"}
"""What whoever built an image must not have left in it."""
READY_WITHIN_S, TRIES = 120.0, 3


@dataclass(frozen=True)
class Image:
    """An image that was built, and its root file system."""

    built: dict[str, Any]

    def command(self, *words: str) -> list[str]:
        root, folder = self.built["root"], self.built["folder"]
        return ["unshare", "--mount", "sh", "-c", IN_IMAGE, "sh", root, folder, *words]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*words),
            env={**self.built["environment"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def launch(self, container: Container) -> tuple[list[str], dict[str, str]]:
        words = self.command(*self.built["entry_point"], *container.args)
        return words, {**self.built["environment"], **container.environment}


@cache
def build(name: str) -> Image:
    done = subprocess.run(
        [sys.executable, "deploy/images/build.py", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Image(json.loads(done.stdout))


@pytest.fixture(params=NAMES)
def image(request) -> Image:
    return build(request.param)


@pytest.fixture
def edge() -> Image:
    return build("edge")


def test_it_is_small_and_says_what_it_is(image: Image) -> None:
    built = image.built
    assert built["added_mb"] < built["most_mb"]
    assert built["labels"]["org.opencontainers.image.title"] == f"brakepoint-{built['name']}"
    assert built["labels"]["org.opencontainers.image.licenses"] == "AGPL-3.0-only"
    assert built["user"] == "1001"
    listed = json.loads((ROOT / built["bill_of_materials"]).read_text("utf-8"))["components"]
    locked = {line.partition("==")[0] for line in lock_of(built["name"]) if "==" in line}
    assert locked <= {component["name"] for component in listed}


def lock_of(name: str) -> list[str]:
    lines = (LOCKS / f"{name}.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and line[0].isalnum()]


def test_it_runs_as_anybody_and_writes_nothing_but_to_tmp(image: Image) -> None:
    assert image.run("sh", "-c", "echo $(id -u):$(id -g)").stdout.strip() == ANYBODY
    assert image.run("touch", "here").returncode != 0
    assert image.run("touch", "/tmp/there").returncode == 0


def test_what_it_is_for_can_be_imported_and_its_command_speaks(image: Image) -> None:
    done = image.run("python", "-c", f"import {', '.join(HOLDS[image.built['name']])}")
    assert done.returncode == 0, done.stderr
    # In a workspace, the kit in the current folder is used.
    said = image.run("env", "--chdir", APP, "python", "-m", "brakepoint", "--help")
    assert said.returncode == 0 and "mission" in said.stdout, said.stderr


@pytest.mark.parametrize("name", FOR_ARM64)
def test_a_small_image_has_nothing_that_it_does_not_need(name: str) -> None:
    wanted = f"[m for m in {NOT_IN_A_SMALL_IMAGE} if find_spec(m)]"
    done = build(name).run("python", "-c", f"from importlib.util import find_spec; print({wanted})")
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", FOR_ARM64)
def test_each_package_of_a_small_image_has_a_wheel_for_arm64(name: str, tmp_path: Path) -> None:
    platform = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.11")
    wheels = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    lock = ("--requirement", LOCKS / f"{name}.txt", "--target", tmp_path)
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [uv, "pip", "install", "--dry-run", *platform, *wheels, *lock],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_secret_is_in_it_or_in_how_it_was_made(image: Image, tmp_path: Path) -> None:
    root = Path(image.built["root"])
    app = root / APP.lstrip("/")
    made = tmp_path / "made.json"
    made.write_text(json.dumps([image.built["environment"], image.built["labels"], image.built["history"]]))
    texts = [
        str(path)
        for room in ("brakepoint", "labs", "solutions", "stubs", "hardware")
        for path in (app / room).rglob("*.*")
        if path.suffix in {".py", ".yaml", ".toml", ".json", ".js"}
    ]
    assert secrets_in(str(made), *texts) == {}
    left = {".git", "progress.json", "runs"}
    assert not [path for path in app.rglob("*") if path.name in left]
    written = [root / folder for folder in ("etc", "home", "opt", "projects", "root", "tmp")]
    assert not [path for folder in written for path in folder.rglob("*") if path.name in OTHERS_OWN]


@pytest.mark.parametrize("name", TRAINING)
def test_the_pipeline_of_step_4_runs_in_its_image_with_a_bucket_beside(name: str, bucket: Connection) -> None:
    done = build(name).run(
        *("env", "--chdir", "/tmp", "brakepoint", "pipeline", "run", "--epochs", "1", "--pictures", "10"),
        AWS_S3_ENDPOINT=bucket.endpoint,
        AWS_S3_BUCKET=bucket.bucket,
        AWS_ACCESS_KEY_ID=bucket.access_key,
        AWS_SECRET_ACCESS_KEY=bucket.secret_key,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = bucket.client.list_objects_v2(Bucket=bucket.bucket, Prefix="models/production/")
    assert {entry["Key"].rpartition("/")[2] for entry in kept["Contents"]} >= {"model.onnx"}
    assert bucket.secret_key not in done.stdout + done.stderr


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Connection]:
    with serve_s3(tmp_path / "s3") as (endpoint, access_key, secret_key):
        connection = Connection(endpoint, EMBEDDED_BUCKET, access_key, secret_key)
        seed(connection.client, connection.bucket)
        yield connection


def test_a_mission_in_the_image_is_that_of_the_checkout(edge: Image) -> None:
    mission = ("-m", "brakepoint", "mission", "--feed", FEED, "--json", "--out")
    here = subprocess.run(
        [sys.executable, *mission, "runs/images/mission", "--steps", "solutions"],
        cwd=ROOT,
        env={**os.environ, "BRAKEPOINT_RUNTIME": "onnxruntime"},
        capture_output=True,
        text=True,
        check=False,
    )
    there = edge.run("python", *mission, "/tmp/mission")
    reports = [json.loads(done.stdout)["missions"] for done in (here, there)]
    assert reports[0] == reports[1], there.stderr
    assert reports[0][0]["accomplished"]


def test_every_service_starts_in_it_and_together_they_drive_as_those_of_the_checkout(edge: Image) -> None:
    """In real time a busy machine may come too late for a frame, so the two get more than one try."""
    said: list[str] = []
    for _ in range(TRIES):
        here = driven(entry_point("solutions", str(SHIPPED_MODEL)), [])
        there = driven(edge.launch, said)
        if here == there and there[0]:
            break
    assert here == there, said
    assert there[0], said
    started = {line.partition(":")[0] for line in said}
    assert {m["metadata"]["name"] for m in of_kind(render(OVERLAY), "Deployment")} <= started


def driven(launch: Launch, said: list[str]) -> tuple[bool, float]:
    """Verdict and score of a live mission with every container of the overlay."""
    pods = Pods(render(OVERLAY), launch, lambda name, line: said.append(f"{name}: {line}"))
    run = drive(pods, lambda news: None)
    score: Score = score_run(run, load_truth(find_feed(pods.settings.feed).with_suffix(".json")))
    return score.accomplished, score.score


@pytest.fixture
def endpoint() -> Iterator[str]:
    rest, grpc = str(free_port()), str(free_port())
    image = build("serving")
    words = ("python", "-m", "brakepoint", "serve", "model.onnx", "--rest-port", rest, "--grpc-port", grpc)
    with subprocess.Popen(image.command(*words), env=image.built["environment"]) as process:
        yield f"http://127.0.0.1:{rest}"
        process.terminate()


def test_the_model_answers_from_the_image(endpoint: str) -> None:
    assert await_answer(lambda: urlopen(f"{endpoint}/v2/health/ready", timeout=5).status) == 200


def await_answer(ask: Callable[[], int]) -> int:
    until = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
