"""The workspace fits two cores and 8 GB, hides its broker and its store, and has a command for each step."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from brakepoint.course import course
from brakepoint.room.accounts import Account
from brakepoint.room.config import Room
from brakepoint.room.manifests import secret_manifests
from brakepoint.sockets import free_port
from brakepoint.store import Connection, object_store
from brakepoint.texts import languages

ROOT = Path(__file__).parents[2]
DEVFILE = yaml.safe_load((ROOT / "devfile.yaml").read_text("utf-8"))
CONTAINERS = {c["name"]: c["container"] for c in DEVFILE["components"] if "container" in c}
COMMANDS = {command["id"]: command["exec"] for command in DEVFILE["commands"]}
ROOM = Room(name="spring", attendees=1)
NAME_LENGTH_MOST = 15
MEMORY_MI = {"Mi": 1, "Gi": 1024}


def cores(amount: str) -> float:
    return float(amount[:-1]) / 1000 if amount.endswith("m") else float(amount)


def memory_mi(amount: str) -> int:
    return int(amount[:-2]) * MEMORY_MI[amount[-2:]]


def test_it_is_of_the_current_schema() -> None:
    assert DEVFILE["schemaVersion"] == "2.3.0"


def test_all_containers_fit_the_workspace() -> None:
    assert sum(cores(container["cpuLimit"]) for container in CONTAINERS.values()) <= 2
    assert sum(memory_mi(container["memoryLimit"]) for container in CONTAINERS.values()) <= 8 * 1024


def test_endpoints_are_short_and_shown_only_where_a_person_looks() -> None:
    endpoints = {e["name"]: e for container in CONTAINERS.values() for e in container["endpoints"]}
    assert all(len(name) <= NAME_LENGTH_MOST for name in endpoints)
    assert all(endpoint["targetPort"] > 1024 for endpoint in endpoints.values())
    shown = {name for name, endpoint in endpoints.items() if endpoint["exposure"] != "none"}
    assert shown == {"monitor", "jupyter"}
    assert all(endpoints[name]["secure"] for name in shown)


def test_the_broker_listens_to_its_own_pod_alone() -> None:
    assert CONTAINERS["broker"]["command"] == ["mosquitto", "-p", "1883"]


def test_the_data_connection_of_a_room_is_not_outweighed() -> None:
    """A container's `env` outranks a Secret that is mounted as variables."""
    mounted = yaml.safe_load(secret_manifests(ROOM, "anna", Account.new(), "https://store"))["stringData"]
    said = {variable["name"] for variable in CONTAINERS["workbench"]["env"]}

    assert not said & mounted.keys()


@pytest.fixture
def store_beside(tmp_path, monkeypatch) -> Iterator[str]:
    """The store of the workspace, started as in the devfile except for its port and its folder."""
    address = f"127.0.0.1:{free_port()}"
    moved = {"127.0.0.1:9000": address, "/objects": str(tmp_path)}
    words = [moved.get(word, word) for word in CONTAINERS["store"]["args"]]
    rclone = Path(sys.executable).with_name("rclone")
    monkeypatch.setenv("BRAKEPOINT_STORE", f"http://{address}")
    with subprocess.Popen([rclone, *words], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("Starting s3 server" in line for line in process.stderr)
        yield f"http://{address}"
        process.terminate()


def test_who_has_no_data_connection_works_with_the_store_beside(store_beside, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)

    with object_store() as store:
        assert store.endpoint == store_beside
        assert store.client.get_object(Bucket=store.bucket, Key="SHA256SUMS")["ContentLength"] > 0
    assert (tmp_path / store.bucket / "SHA256SUMS").is_file()


def test_a_data_connection_outweighs_the_store_beside(monkeypatch) -> None:
    mounted = yaml.safe_load(secret_manifests(ROOM, "anna", Account.new(), "https://store"))["stringData"]
    for variable in [*CONTAINERS["workbench"]["env"], *({"name": n, "value": v} for n, v in mounted.items())]:
        monkeypatch.setenv(variable["name"], variable["value"])

    with object_store() as store:
        assert store == Connection.from_environment()
        assert store.endpoint == "https://store"


def test_the_store_beside_is_where_the_workspace_looks_for_it() -> None:
    (named,) = (v["value"] for v in CONTAINERS["workbench"]["env"] if v["name"] == "BRAKEPOINT_STORE")
    assert named == f"http://{CONTAINERS['store']['args'][3]}"


def test_images_are_variables() -> None:
    for container in CONTAINERS.values():
        (name,) = re.findall(r"^{{(\w+)}}$", container["image"])
        assert name in DEVFILE["variables"]


def test_what_happens_after_the_start_is_in_the_background_and_logged() -> None:
    assert list(DEVFILE["events"]) == ["postStart"]
    for name in DEVFILE["events"]["postStart"]:
        assert COMMANDS[name]["commandLine"].endswith("2>&1 &")


def test_each_kind_of_command_has_one_default() -> None:
    kinds = [command["group"] for command in COMMANDS.values() if "group" in command]
    defaults = Counter(group["kind"] for group in kinds if group.get("isDefault"))
    assert defaults == dict.fromkeys({group["kind"] for group in kinds}, 1)


def test_there_is_a_command_for_each_step_and_each_thing_to_do() -> None:
    assert {f"check-{step.number}" for step in course()} <= COMMANDS.keys()
    assert {"check", "lab", "mission", "monitor", "deploy", "test"} <= COMMANDS.keys()
    assert {command["component"] for command in COMMANDS.values()} <= CONTAINERS.keys()


def test_nothing_sets_what_the_workspace_sets_itself() -> None:
    said = {variable["name"] for container in CONTAINERS.values() for variable in container.get("env", ())}
    assert not said & {"PROJECT_SOURCE", "PROJECTS_ROOT"}


@pytest.mark.parametrize("name", ["tasks.json", "extensions.json"])
def test_the_editor_can_read_its_files(name: str) -> None:
    assert json.loads((ROOT / ".vscode" / name).read_text("utf-8"))


def test_the_editors_tasks_are_commands_that_exist() -> None:
    from brakepoint.cli import COMMANDS as PLAIN
    from brakepoint.cli import LEARNING

    tasks = json.loads((ROOT / ".vscode" / "tasks.json").read_text("utf-8"))["tasks"]
    used = {re.findall(r"brakepoint (\w+)", task["command"])[0] for task in tasks}
    assert used <= {*PLAIN, *LEARNING}


@pytest.mark.parametrize("lang", languages())
def test_jupyterlab_opens_on_the_readers_notebooks(lang: str, tmp_path: Path) -> None:
    programs = {"python": f'exec {sys.executable} "$@"', "jupyter": 'echo "$JUPYTER_CONFIG_PATH $@"'}
    bin_ = tmp_path / ".venv" / "bin"
    bin_.mkdir(parents=True)
    for name, does in programs.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{does}\n")
        (bin_ / name).chmod(0o755)
    (tmp_path / "brakepoint").symlink_to(ROOT / "brakepoint")
    reader = {"PATH": os.environ["PATH"], "LANG": f"{lang}_XX.UTF-8"}

    said = subprocess.check_output(
        ["bash", "-euc", COMMANDS["lab"]["commandLine"]], cwd=tmp_path, env=reader, text=True
    )

    assert said.startswith(f"notebooks/{lang}/.jupyter ")
    assert f"/lab/tree/notebooks/{lang}/step1_dataset.ipynb" in said
