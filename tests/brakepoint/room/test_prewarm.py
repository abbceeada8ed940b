"""Each node of a cluster pulls the room's images before the day."""

import pytest
import yaml

from brakepoint.cli import run
from brakepoint.cluster.podsecurity import violations
from brakepoint.errors import UserError
from brakepoint.room.config import Room
from brakepoint.room.prewarm import prewarm_manifest

IMAGES = {
    "pipeline_image": "registry.example.org/brakepoint-pipeline:1",
    "serving_image": "registry.example.org/brakepoint-serving:1",
    "openvino_image": "registry.example.org/brakepoint-serving:1",
}


def test_each_image_of_the_room_is_held_once_by_a_pod_that_may_do_nothing() -> None:
    made = yaml.safe_load(prewarm_manifest(Room(name="spring", attendees=1, **IMAGES)))
    pod = made["spec"]["template"]["spec"]

    assert (made["kind"], made["metadata"]["namespace"]) == ("DaemonSet", "brakepoint-images")
    assert [container["image"] for container in pod["containers"]] == [
        IMAGES["pipeline_image"],
        IMAGES["serving_image"],
    ]
    assert [container["name"] for container in pod["containers"]] == ["image-0", "image-1"]
    assert all(container["command"] == ["sleep", "infinity"] for container in pod["containers"])
    assert violations("restricted", pod) == []
    assert made["spec"]["selector"]["matchLabels"] == made["spec"]["template"]["metadata"]["labels"]
    assert pod["automountServiceAccountToken"] is False


def test_nodes_that_are_kept_for_graphics_processors_fetch_them_too() -> None:
    made = yaml.safe_load(prewarm_manifest(Room(name="spring", attendees=1, **IMAGES)))

    assert made["spec"]["template"]["spec"]["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_no_node_waits_for_an_image_that_there_is_not_for_its_architecture() -> None:
    made = yaml.safe_load(prewarm_manifest(Room(name="spring", attendees=1, **IMAGES)))

    assert made["spec"]["template"]["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}


def test_a_room_without_images_has_nothing_to_fetch(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")

    with pytest.raises(UserError, match="pipeline_image"):
        prewarm_manifest(Room(name="spring", attendees=1))


def test_the_command_prints_what_oc_takes(tmp_path, capsys) -> None:
    file = tmp_path / "room.yaml"
    file.write_text("name: spring\nattendees: 1\npipeline_image: registry.example.org/p:1\n")

    assert run(["room", "prewarm", str(file)]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["kind"] == "DaemonSet"
