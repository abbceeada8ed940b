"""A room's quota is enough for what the workshop needs, and the page's table agrees."""

import re
from math import ceil

import pytest
import yaml

pytest.importorskip("kfp")

from course_needs import (
    BESIDE,
    Amounts,
    amount,
    environment,
    of_container,
    of_training,
    pipeline_server,
    served_models,
    together,
    training,
    workspace,
)

from brakepoint.course import ROOT
from brakepoint.delivery.rendering import of_kind, render
from brakepoint.room.accounts import Account
from brakepoint.room.config import Quota, Room
from brakepoint.room.manifests import namespace_manifests, secret_manifests
from brakepoint.texts import languages, number

ROOM = Room(name="spring", attendees=1)
IMAGE = "registry.example.com/brakepoint-pipeline-cpu:0.1.0"
ROOMS = (10, 40, 200)
ONE_IN = 5
"""One in so many trains on the cluster at a time, as the page assumes."""
VOLUMES_GIB = 10 + 5
"""Of an attendee: the workspace's, by CheCluster, and the pipeline server's."""
NODE = {"requests.cpu": 16 * 0.85, "requests.memory": 64 * 0.85}
"""What a node of the page has free."""


def test_all_of_them_fit_at_once(tmp_path) -> None:
    documents = yaml.safe_load_all(namespace_manifests(ROOM, "anna"))
    (quota,) = (document["spec"]["hard"] for document in documents if document["kind"] == "ResourceQuota")

    parts = (*workspace(), *environment(), *pipeline_server(), *served_models(), of_training(tmp_path))
    for of, needed in together(*parts).items():
        assert needed <= amount(quota[of]), of
        assert needed >= 0.6 * amount(quota[of]), "a quota much larger than the course says nothing"


def test_what_nothing_is_said_of_is_what_the_limit_range_gives() -> None:
    documents = yaml.safe_load_all(namespace_manifests(ROOM, "anna"))
    (limits,) = (d["spec"]["limits"][0] for d in documents if d["kind"] == "LimitRange")

    assert of_container({"requests": limits["defaultRequest"], "limits": limits["default"]}) == BESIDE


def test_a_room_without_gpus_asks_for_none_and_names_the_image(tmp_path) -> None:
    room = ROOM.model_copy(update={"quota": Quota(gpus=0), "pipeline_image": IMAGE})
    secret = yaml.safe_load(secret_manifests(room, "anna", Account.new(), "https://store"))

    asked = training(tmp_path, **secret["stringData"])

    assert "accelerator" not in asked["resources"]
    assert asked["image"] == IMAGE


def test_a_room_with_gpus_asks_for_one(tmp_path) -> None:
    room = ROOM.model_copy(update={"quota": Quota(gpus=2)})
    secret = yaml.safe_load(secret_manifests(room, "anna", Account.new(), "https://store"))

    assert training(tmp_path, **secret["stringData"])["resources"]["accelerator"]["resourceCount"] == "1"


@pytest.fixture(scope="module")
def needs(tmp_path_factory) -> dict[str, Amounts]:
    """The requests of the parts in the page's table."""
    cluster = render(ROOT / "deploy" / "cluster")
    (builds,) = (q["spec"]["hard"] for q in of_kind(cluster, "ResourceQuota"))
    (claim,) = of_kind(cluster, "PersistentVolumeClaim")
    (store,) = (
        container["resources"]["requests"]
        for deployment in of_kind(cluster, "Deployment")
        for container in deployment["spec"]["template"]["spec"]["containers"]
    )
    return {
        "workspace": together(*workspace()),
        "environment": together(*environment()),
        "pipeline_server": together(*pipeline_server()),
        "models": together(*served_models()),
        "training": of_training(tmp_path_factory.mktemp("training")),
        "shared": {of: amount(builds[of]) + amount(store[of.partition(".")[2]]) for of in NODE}
        | {
            "storage": amount(builds["requests.storage"])
            + amount(claim["spec"]["resources"]["requests"]["storage"])
        },
    }


def of_a_room(needs: dict[str, Amounts], of: str, attendees: int) -> float:
    each = sum(needs[part][of] for part in ("workspace", "environment", "pipeline_server", "models"))
    return attendees * each + attendees / ONE_IN * needs["training"][of] + needs["shared"][of]


def numbers(line: str) -> list[float]:
    return [float(found.replace(",", ".")) for found in re.findall(r"\d+(?:[.,]\d+)?", line)]


@pytest.mark.parametrize("lang", languages())
def test_the_page_says_what_the_manifests_ask_for(needs, lang) -> None:
    page = (ROOT / "docs" / lang / "instructor.md").read_text("utf-8")
    table = page.partition("| 10 | 40 | 200 |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[numbers(cell)[0] for cell in row.split("|")[2:-1]] for row in table]
    cores, memory, nodes, _, volumes = cells[:5]

    assert cores == [round(of_a_room(needs, "requests.cpu", n)) for n in ROOMS]
    assert memory == [round(of_a_room(needs, "requests.memory", n)) for n in ROOMS]
    wanted = [max(ceil(of_a_room(needs, of, n) / free) for of, free in NODE.items()) for n in ROOMS]
    assert nodes == wanted
    assert volumes == [n * VOLUMES_GIB + needs["shared"]["storage"] for n in ROOMS]
    for of in NODE:
        for part in ("workspace", "environment", "pipeline_server", "models", "training", "shared"):
            assert number(needs[part][of], 2, lang) in page, (part, of)


@pytest.mark.parametrize("lang", languages())
def test_the_page_counts_gpus_by_the_slices_that_there_are(lang) -> None:
    (slices,) = of_kind(render(ROOT / "deploy" / "cluster" / "gpu"), "ConfigMap")
    (resource,) = yaml.safe_load(slices["data"]["four"])["sharing"]["timeSlicing"]["resources"]
    page = (ROOT / "docs" / lang / "instructor.md").read_text("utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith("| GPU"))

    assert [numbers(cell)[0] for cell in row.split("|")[2:-1]] == [
        ceil(n / ONE_IN / resource["replicas"]) for n in ROOMS
    ]
