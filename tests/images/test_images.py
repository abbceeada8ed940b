"""The image of the services, built for real: small, for any uid, and it drives as the checkout does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from secret_scan import secrets_in

from brakepoint.delivery.containers import Container
from brakepoint.delivery.rendering import of_kind, render
from brakepoint.delivery.running import Pods, drive
from brakepoint.feeds import find_feed
from brakepoint.mission.scoring import score_run
from brakepoint.truth import load_truth

ROOT = Path(__file__).parents[2]
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
NOT_IN_AN_EDGE_IMAGE = ("torch", "ultralytics", "jupyterlab", "openvino", "pip")

Command = Callable[..., list[str]]


@pytest.fixture(scope="module")
def image() -> dict[str, Any]:
    built = subprocess.run(
        [sys.executable, "deploy/images/build.py", "build", "edge"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(built.stdout)


@pytest.fixture(scope="module")
def command(image) -> Command:
    def in_image(*words: str) -> list[str]:
        return ["unshare", "--mount", "sh", "-c", IN_IMAGE, "sh", image["root"], image["folder"], *words]

    return in_image


@pytest.fixture(scope="module")
def in_image(image, command) -> Callable[..., subprocess.CompletedProcess]:
    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            command(*words), env=image["environment"], capture_output=True, text=True, check=False
        )

    return run


def test_it_is_small_and_says_what_it_is(image) -> None:
    assert image["added_mb"] < image["most_mb"]
    assert image["labels"]["org.opencontainers.image.title"] == "brakepoint-edge"
    assert image["user"] == "1001"
    listed = json.loads((ROOT / image["bill_of_materials"]).read_text("utf-8"))["components"]
    assert {"numpy", "onnxruntime", "paho-mqtt"} <= {component["name"] for component in listed}


def test_it_runs_as_anybody_and_writes_nothing_but_to_tmp(in_image) -> None:
    assert in_image("sh", "-c", "echo $(id -u):$(id -g)").stdout.strip() == ANYBODY
    assert in_image("touch", "here").returncode != 0
    assert in_image("touch", "/tmp/there").returncode == 0


def test_it_holds_what_the_services_need_and_no_more(in_image) -> None:
    assert in_image("python", "-c", "import cv2, av, onnxruntime").stderr == ""
    code = f"from importlib.util import find_spec; print([m for m in {NOT_IN_AN_EDGE_IMAGE} if find_spec(m)])"
    assert in_image("python", "-c", code).stdout.strip() == "[]"


def test_no_secret_is_in_it(image) -> None:
    app = Path(image["root"]) / image["folder"].lstrip("/")
    texts = [
        str(path)
        for room in ("brakepoint", "labs", "solutions", "stubs")
        for path in (app / room).rglob("*.*")
        if path.suffix in {".py", ".yaml", ".toml", ".json", ".js"}
    ]
    assert secrets_in(*texts) == {}
    assert not [path for path in app.rglob("*") if path.name in {".git", ".env", "progress.json", "runs"}]


def test_a_mission_in_the_image_is_that_of_the_checkout(in_image) -> None:
    mission = ("-m", "brakepoint", "mission", "--feed", FEED, "--json", "--out")
    here = subprocess.run(
        [sys.executable, *mission, "runs/images/mission", "--steps", "solutions"],
        cwd=ROOT,
        env={**os.environ, "BRAKEPOINT_RUNTIME": "onnxruntime"},
        capture_output=True,
        text=True,
        check=False,
    )
    there = in_image("python", *mission, "/tmp/mission")
    reports = [json.loads(done.stdout)["missions"] for done in (here, there)]
    assert reports[0] == reports[1], there.stderr
    assert reports[0][0]["accomplished"]


def test_every_service_starts_in_it_and_together_they_drive(image, command) -> None:
    said: list[str] = []

    def launch(container: Container) -> tuple[list[str], dict[str, str]]:
        words = command(*image["entry_point"], *container.args)
        return words, {**image["environment"], **container.environment}

    manifests = render(OVERLAY)
    pods = Pods(manifests, launch, lambda name, line: said.append(f"{name}: {line}"))
    run = drive(pods, lambda news: None)

    assert score_run(run, load_truth(find_feed(pods.settings.feed).with_suffix(".json"))).accomplished, said
    started = {line.partition(":")[0] for line in said}
    assert {m["metadata"]["name"] for m in of_kind(manifests, "Deployment")} <= started
