"""The dev container is the devfile's workspace on one machine: the same image, settings, ports and set-up."""

import json
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
DEVFILE = yaml.safe_load((ROOT / "devfile.yaml").read_text("utf-8"))
WORKBENCH = next(part["container"] for part in DEVFILE["components"] if part["name"] == "workbench")
COMMANDS = {command["id"]: command["exec"] for command in DEVFILE["commands"]}
OF_SIDECARS = {"BRAKEPOINT_BROKER", "BRAKEPOINT_STORE"}
"""A dev container has none: without these the kit starts a broker and a store of its own."""


def test_it_is_of_the_devfiles_image() -> None:
    assert WORKBENCH["image"] == "{{workbenchImage}}"
    assert CONTAINER["image"] == DEVFILE["variables"]["workbenchImage"]


def test_it_has_the_devfiles_settings_but_for_those_that_name_a_sidecar() -> None:
    said = {variable["name"]: variable["value"] for variable in WORKBENCH["env"]}

    assert said.keys() >= OF_SIDECARS
    assert CONTAINER["containerEnv"] == {name: said[name] for name in said.keys() - OF_SIDECARS}


def test_it_shows_the_devfiles_ports() -> None:
    ports = {endpoint["targetPort"]: endpoint["name"] for endpoint in WORKBENCH["endpoints"]}

    assert CONTAINER["forwardPorts"] == list(ports)
    assert {int(port): said["label"] for port, said in CONTAINER["portsAttributes"].items()} == ports


def test_it_is_set_up_by_the_devfiles_command() -> None:
    assert CONTAINER["postCreateCommand"] == COMMANDS["install"]["commandLine"]


def test_it_asks_for_the_machine_that_a_workspace_gets() -> None:
    assert CONTAINER["hostRequirements"] == {"cpus": 2, "memory": "8gb"}


def test_its_editor_has_the_extensions_that_the_project_recommends() -> None:
    recommended = json.loads((ROOT / ".vscode" / "extensions.json").read_text("utf-8"))["recommendations"]

    assert CONTAINER["customizations"]["vscode"]["extensions"] == recommended
