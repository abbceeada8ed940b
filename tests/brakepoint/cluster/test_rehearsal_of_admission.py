"""The kit would be admitted as it is, on each platform, and the command reports that or what is wrong."""

from types import SimpleNamespace

import pytest
from broken_kit import SEAT, Broken, before, kit

from brakepoint.cli import run
from brakepoint.cluster.admission import Admitted, grants
from brakepoint.cluster.findings import found, merged
from brakepoint.cluster.kit import Kit, collect
from brakepoint.cluster.pods import Manifest, Pod, namespace_of
from brakepoint.cluster.rehearsal import rehearse
from brakepoint.course import ROOT
from brakepoint.room.config import Room, load_room
from brakepoint.texts import languages, text

LATEST = "docker.io/library/eclipse-mosquitto:latest"


@pytest.mark.parametrize("profile", ["openshift", "microshift", "kind"])
def test_nothing_would_be_refused_and_nothing_is_missing(profile: str) -> None:
    rehearsal = rehearse(kit(profile, 40) if profile == "openshift" else kit(profile))

    assert [finding.sentence for finding, _ in merged(rehearsal.findings)] == []
    assert rehearsal.admitted


def test_a_room_without_repositories_and_images_needs_a_store_that_pods_reach() -> None:
    """The example room: its store is on the instructor's machine until another address replaces it."""
    rehearsal = rehearse(collect("openshift", load_room(ROOT / "brakepoint" / "room" / "example.yaml", 1)))

    assert [finding.rule for finding in rehearsal.findings] == ["store_local"]
    assert {one.pod.made_by for one in rehearsal.admitted if one.pod.namespace == SEAT} == {"DevWorkspace"}


@pytest.mark.parametrize("lang", languages())
def test_every_finding_is_a_sentence_in_each_language(lang: str, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    broken = Broken()
    broken.get("ResourceQuota", "attendee", SEAT)["spec"]["hard"]["requests.cpu"] = "1"
    broken.container("broker")["image"] = LATEST
    broken.get("NetworkPolicy", "train-from-controller")["spec"]["ingress"] = [{}]
    broken.step("sign")["script"] = "#!/bin/zsh"
    new = [finding for finding in broken.found().findings if finding not in before("openshift")]

    assert {one.rule for one in new} >= {"quota", "image_latest", "way_open", "shell"}
    assert all("{" not in one.sentence and one.sentence.endswith(".") for one in new)


def test_what_holds_for_all_attendees_is_said_once() -> None:
    broken = Broken()
    for seat in broken.kit.attendees:
        broken.get("LimitRange", "attendee", seat)["spec"]["limits"][0]["max"] = {"cpu": "100m"}
    found = merged(one for one in broken.found().findings if one.rule == "limits")

    assert all(places == broken.kit.attendees for _, places in found)


def test_the_command_says_that_all_is_well(capsys, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")

    assert run(["cluster", "rehearse", "--profile", "kind"]) == 0
    assert "kind (pods: 7): nothing would be refused and nothing is missing." in capsys.readouterr().out


def test_the_command_says_what_is_wrong_in_a_sentence_each_and_fails(capsys, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    broken = Broken("kind")
    broken.container("broker")["image"] = LATEST
    broken.container("detector")["securityContext"]["privileged"] = True
    monkeypatch.setattr("brakepoint.cluster.kit.collect", lambda profile, room: broken.kit)

    assert run(["cluster", "rehearse", "--profile", "kind"]) == 1
    said = capsys.readouterr().out
    assert "kind (pods: 7); findings: 2." in said
    assert f"brakepoint-test: broker: the image {LATEST} may be a different one" in said
    assert "✗ detector" in said and "✓ broker" in said


def test_the_command_prints_the_pods_then_what_is_missing_then_what_is_wrong_then_the_count(
    capsys, monkeypatch
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    seats = ("room-ada", "room-bob")
    wrong = [found("image_latest", seat, pod="train", image=LATEST) for seat in seats]
    pods = [
        Admitted(Pod("train", "Deployment", seat, {}), "", "restricted", (refused,))
        for seat, refused in zip(seats, wrong, strict=True)
    ]
    pods.append(Admitted(Pod("board", "Deployment", "room", {}), "anyuid", "baseline", ()))
    rehearsed = SimpleNamespace(admitted=pods, findings=wrong, yours=["a cable"])
    monkeypatch.setattr("brakepoint.cluster.kit.collect", lambda profile, room: None)
    monkeypatch.setattr("brakepoint.cluster.rehearsal.rehearse", lambda kit: rehearsed)

    assert run(["cluster", "rehearse", "--profile", "kind"]) == 1
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert printed == [
        "pod made by namespace account admitted by Pod Security",
        "✓ board Deployment room default anyuid baseline",
        "✗ train Deployment room-ada and 1 more default ✗ restricted",
        "",
        text("cluster.yours.heading"),
        "– a cable",
        "",
        f"✗ room-ada and 1 more: {wrong[0].sentence}",
        text("cluster.findings", count=1, pods=3, profile="kind"),
    ]


def test_the_command_knows_three_platforms(capsys) -> None:
    assert run(["cluster", "rehearse", "--profile", "swarm"]) == 2
    assert "openshift, microshift, kind" in capsys.readouterr().err


def test_the_command_lists_what_the_instructor_must_provide(capsys, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    rehearsed = SimpleNamespace(admitted=[], findings=[], yours=["a cable", "a [long] one"])
    monkeypatch.setattr("brakepoint.cluster.kit.collect", lambda profile, room: None)
    monkeypatch.setattr("brakepoint.cluster.rehearsal.rehearse", lambda kit: rehearsed)

    assert run(["cluster", "rehearse", "--profile", "kind"]) == 0
    assert "Yours to provide:\n  – a cable\n  – a [long] one\n" in capsys.readouterr().out


def test_the_command_rehearses_the_room_that_is_named(tmp_path, capsys, monkeypatch) -> None:
    file = tmp_path / "room.yaml"
    file.write_text("name: autumn\nattendees: 9\n", encoding="utf-8")
    rooms: list[Room] = []

    def remember(profile: str, room: Room) -> Kit:
        rooms.append(room)
        return kit(profile)

    monkeypatch.setattr("brakepoint.cluster.kit.collect", remember)

    assert run(["cluster", "rehearse", str(file), "--attendees", "3", "--profile", "kind"]) == 0
    assert [(room.name, room.attendees) for room in rooms] == [("autumn", 3)]


def test_a_copy_to_break_leaves_the_kit_as_it_was() -> None:
    broken = Broken()
    broken.container("broker")["image"] = LATEST

    assert kit("openshift").manifests != broken.kit.manifests
    assert {namespace_of(m) for m in kit("openshift").manifests} == {
        namespace_of(m) for m in broken.kit.manifests
    }


def test_a_field_without_a_value_has_its_default() -> None:
    broken = Broken("kind")
    broken.get("Deployment", "detector")["spec"]["replicas"] = None
    broken.container("train")["ports"][0]["name"] = None
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        broken.container("train")[probe] = None

    assert [one for one in broken.found().findings if one.rule != "target_port"] == []


def role(kind: str, rule: Manifest, where: str = "") -> Manifest:
    return {"kind": kind, "metadata": {"name": "role", "namespace": where}, "rules": [rule]}


def binding(kind: str, name: str = "role") -> Manifest:
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "here"}
    return {
        "kind": "RoleBinding",
        "metadata": {"name": "binding", "namespace": "here"},
        "roleRef": {"kind": kind, "name": name},
        "subjects": [subject],
    }


USE = {
    "apiGroups": ["security.openshift.io"],
    "resources": ["securitycontextconstraints"],
    "resourceNames": ["anyuid"],
    "verbs": ["use"],
}


@pytest.mark.parametrize(
    ("manifests", "granted"),
    [
        ([role("Role", USE, "here"), binding("Role")], {"anyuid"}),
        ([role("ClusterRole", USE), binding("ClusterRole")], {"anyuid"}),
        ([role("Role", {**USE, "apiGroups": ["*"], "resourceNames": []}, "here"), binding("Role")], {"*"}),
        ([role("Role", USE, "elsewhere"), binding("Role")], set()),
        ([role("ClusterRole", USE), binding("Role")], set()),
        (
            [role("Role", {**USE, "apiGroups": ["apps"], "resources": ["*"]}, "here"), binding("Role")],
            set(),
        ),
        ([role("Role", {**USE, "verbs": ["get"]}, "here"), binding("Role")], set()),
        ([binding("ClusterRole", "cluster-admin")], {"*"}),
        ([binding("ClusterRole", "system:openshift:scc:nonroot-v2")], {"nonroot-v2"}),
    ],
)
def test_a_role_grants_a_constraint_only_in_its_namespace_and_group(manifests, granted) -> None:
    assert grants(Kit("openshift", manifests), Pod("pod", "Deployment", "here", {})) == granted
