"""A run that is killed while it publishes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import publishing_pipeline
import pytest
from onnx_models import NAMES, raw_output, save_constant_model

from brakepoint.registry.bucket import Registry
from brakepoint.registry.names import COPY_KEY
from brakepoint.store import Connection
from brakepoint.store.embedded import serve_s3

LOOK_EVERY_S, TIME_LIMIT_S = 0.2, 300
SCRIPT = str(Path(publishing_pipeline.__file__))


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Connection]:
    with serve_s3(tmp_path / "s3") as (endpoint, key, secret):
        variables = ("AWS_S3_ENDPOINT", "AWS_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        for name, value in zip(variables, (endpoint, "killed", key, secret), strict=True):
            monkeypatch.setenv(name, value)
        yield Connection(endpoint, "killed", key, secret)


def keys(store: Connection) -> set[str]:
    return {item["Key"] for item in store.client.list_objects_v2(Bucket="killed").get("Contents", ())}


def kill_once_it_is_there(process: subprocess.Popen, file: Path) -> None:
    """Kills a process with all its children, as soon as a file is there."""
    deadline = time.monotonic() + TIME_LIMIT_S
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    there = file.exists()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert there


def test_a_run_killed_while_it_publishes_leaves_no_model_and_the_next_one_resumes(store, tmp_path) -> None:
    model = save_constant_model(tmp_path / "model.onnx", raw_output(), names=NAMES)
    command = [sys.executable, SCRIPT, str(model), str(tmp_path / "runs")]
    held = tmp_path / "held"

    kill_once_it_is_there(subprocess.Popen([*command, str(held)], start_new_session=True), held)

    registry = Registry(store)
    assert registry.versions() == []
    assert registry.production().number is None
    assert COPY_KEY not in keys(store)

    again = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=TIME_LIMIT_S)

    assert again.stdout.splitlines() == ["reused training", "started publish", "done publish"]
    assert [version.number for version in registry.versions()] == [1]
    assert registry.production().number == 1
    folder = "models/track/"
    assert keys(store) == {
        f"{folder}1/model.onnx",
        f"{folder}1/version.json",
        f"{folder}production.json",
        COPY_KEY,
    }
