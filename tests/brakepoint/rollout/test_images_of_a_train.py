"""Images in the registry: what is read about them, and how a train's containers run in their roots."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brakepoint.delivery.containers import Container
from brakepoint.errors import UserError
from brakepoint.rollout import train
from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.store import Layer, Pulled, Store
from brakepoint.rollout.train import Train

IMAGE = "127.0.0.1:5000/brakepoint-images/brakepoint-edge"
ARCHITECTURES = {"amd64": "sha256:a", "arm64": "sha256:b"}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command lines of buildah and skopeo, whose answers are in `ANSWERS`."""
    lines: list[str] = []

    def run(*words: object) -> Any:
        line = " ".join(map(str, words)).replace(
            "buildah --root store/storage --runroot store/run", "buildah"
        )
        lines.append(line.replace(" --storage-driver vfs", "").replace(" --login", ""))
        said = next((said for part, said in ANSWERS.items() if part in lines[-1]), "")
        return SimpleNamespace(returncode=said == "refused", stdout=said, stderr=f"{'x' * 400} denied\n")

    monkeypatch.setattr(Store, "_run", staticmethod(run))
    return lines


def answer(value: object) -> str:
    return json.dumps(value)


CONFIG = {
    "Env": ["A=1", "B=x=y"],
    "Entrypoint": ["python", "-m"],
    "Cmd": ["ignored"],
    "WorkingDir": "/opt/kit",
}
ANSWERS = {
    "--raw docker://list": answer(
        {
            "manifests": [
                {"platform": {"architecture": name}, "digest": digest}
                for name, digest in ARCHITECTURES.items()
            ]
        }
    ),
    "--raw docker://image": answer({"layers": [{"size": 30_000_000}, {"size": 1_500_000}]}),
    "--config docker://image": answer(
        {
            "history": [
                {"created_by": "/bin/sh -c #(nop) ADD rootfs.tar /"},
                {"created_by": "/bin/sh -c #(nop) ENV A=1", "empty_layer": True},
                {"created_by": f"/bin/sh -c #(nop) COPY dir:{'0' * 64} in /opt"},
            ]
        }
    ),
    "--raw docker://absent": "refused",
    "docker://bare": "container-2\n",
    "from": "container-1\n",
    "mount": "/roots/one\n",
    "inspect container-2": answer({"OCIv1": {"config": {"Cmd": ["sh", "-c"]}}}),
    "inspect container-1": answer({"OCIv1": {"config": CONFIG}}),
    "commit": "id\n",
}


@pytest.fixture
def store() -> Store:
    registry: Any = SimpleNamespace(login=["--login"])
    return Store(Path("store"), registry)


def test_a_list_has_an_image_for_each_architecture_and_none_is_an_empty_one(called, store: Store) -> None:
    assert store.architectures("list") == ARCHITECTURES
    assert store.architectures("absent") == {}


def test_a_layer_has_its_instruction_and_its_size_in_megabytes(called, store: Store) -> None:
    assert store.layers("image") == [Layer("ADD rootfs.tar /", 30.0), Layer("COPY /opt", 1.5)]


def test_a_pulled_image_runs_its_entry_point_or_else_its_command(called, store: Store) -> None:
    with_entry_point = Pulled(Path("/roots/one"), ["python", "-m"], {"A": "1", "B": "x=y"}, "/opt/kit")

    assert store.pull("edge", "arm64") == with_entry_point
    assert called[0] == "buildah from --arch arm64 --pull-always docker://edge"
    assert store.pull("bare", "amd64") == Pulled(Path("/roots/one"), ["sh", "-c"], {}, "/")


def test_a_base_is_pushed_for_each_architecture_and_only_if_one_is_missing(called, store: Store) -> None:
    roots = {"amd64": Path("/a"), "arm64": Path("/b")}
    store.push_base("list", roots)
    assert len(called) == 1, "it is there"
    called.clear()

    store.push_base("absent", roots)
    assert [line for line in called if " copy " in line or " commit " in line or " push " in line] == [
        "buildah copy container-1 /a /",
        "buildah commit --rm --quiet container-1 absent-amd64",
        "buildah copy container-1 /b /",
        "buildah commit --rm --quiet container-1 absent-arm64",
        "buildah manifest push --all --rm base docker://absent",
    ]
    assert "buildah manifest create base id id" in called
    assert called[-1] == "buildah rmi --all --force"


def test_a_tool_that_fails_is_named_with_the_end_of_what_it_said(called, store: Store) -> None:
    with pytest.raises(UserError) as refused:
        store.layers("absent")

    assert refused.value.key == "rollout.error.tool"
    assert "skopeo" in str(refused.value) and str(refused.value).count("x") < 300
    assert "denied" in str(refused.value)


def test_a_cleared_store_has_no_containers_and_no_images(called, store: Store) -> None:
    store.clear()

    assert called == ["buildah rm --all", "buildah rmi --all --force"]


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """A train whose images are pulled from nowhere, and which records each pull."""
    image = Pulled(tmp_path, ["python", "-m", "brakepoint"], {"A": "image", "B": "image"}, "/opt/kit")
    pulled: list[tuple[str, str]] = []

    def pull(name: str, architecture: str) -> Pulled:
        pulled.append((name, architecture))
        return image

    held = {name: Confinement(1000, (2000,)) for name in ("capture", "detector")}
    monkeypatch.setattr(train, "of_deployments", lambda kit: held)
    store: Any = SimpleNamespace(pull=pull, pulled=pulled)
    return Train([], store, tmp_path / "train", "arm64")


def container(name: str, image: str = f"{IMAGE}@sha256:{'0' * 64}", **environment: str) -> Container:
    return Container(name, image, (), ("service", name), environment, {})


def test_containers_of_one_image_pull_it_once_and_run_its_entry_point_in_its_folder(edge: Train) -> None:
    for name in ("capture", "detector"):
        words, environment = edge.launch(container(name, A="own", BRAKEPOINT_HEARTBEAT="/tmp/beat"))
        assert words[-6:] == ["--", "python", "-m", "brakepoint", "service", name]
        assert "/opt/kit" in words
        assert any("--uid=1000" in word for word in words)
        assert environment == {"A": "own", "B": "image", "BRAKEPOINT_METRICS": "127.0.0.1:0"}

    assert edge.store.pulled == [(f"{IMAGE}@sha256:{'0' * 64}", "arm64")]  # type: ignore[attr-defined]


def test_a_container_begins_without_what_an_earlier_one_has_written(edge: Train) -> None:
    left = edge.folder / "capture" / "upper" / "left"
    left.parent.mkdir(parents=True)
    left.touch()

    edge.launch(container("capture"))
    assert not left.exists()


@pytest.mark.parametrize("image", [f"{IMAGE}:latest", f"docker.io/library/mosquitto@sha256:{'0' * 64}"])
def test_an_image_that_was_not_delivered_here_is_not_run(edge: Train, image: str) -> None:
    with pytest.raises(UserError) as refused:
        edge.launch(container("capture", image))

    assert refused.value.key == "rollout.error.no_digest"
    assert "capture" in str(refused.value) and image in str(refused.value)
