"""What is deployed follows the manifests, and their errors are reported."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

pytest.importorskip("paho")

from brakepoint.cli import run
from brakepoint.delivery import running
from brakepoint.delivery.containers import Container, containers, on_this_machine
from brakepoint.delivery.credentials import BROKER_SECRET, BROKER_USERS, MONITOR_SECRET, Secrets, make_secrets
from brakepoint.delivery.policies import lets_in
from brakepoint.delivery.rendering import container_of, named, of_kind, render
from brakepoint.delivery.running import Pods, drive, entry_point
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.mission.records import Run
from brakepoint.mission.scoring import score_run
from brakepoint.services.supervisor import Supervisor
from brakepoint.truth import load_truth

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[3]
OVERLAY = ROOT / "solutions" / "step7_delivery" / "overlay"


@pytest.fixture
def manifests():
    return render(OVERLAY)


def policy(target, **ingress):
    return {
        "spec": {"podSelector": {"matchLabels": target}, "policyTypes": ["Ingress"], "ingress": [ingress]}
    }


def test_a_container_gets_its_settings_from_config_and_secret(manifests) -> None:
    secrets = make_secrets()

    made = {container.name: container for container in containers(manifests, secrets)}

    assert made["capture"].environment["BRAKEPOINT_FEED"] == "track-stop-and-slowdown"
    assert made["capture"].environment["BRAKEPOINT_BROKER"] == secrets["brakepoint-broker"]["capture"]
    assert made["broker"].files["/mosquitto/users/passwords"] == secrets["brakepoint-broker"]["passwords"]
    assert "user capture" in made["broker"].files["/mosquitto/config/acl"]


def test_on_one_machine_each_service_has_a_port_of_its_own(manifests) -> None:
    ports = {"broker": 20001, "train": 20002, "monitor": 20003}

    made = on_this_machine(containers(manifests, make_secrets()), manifests, ports)

    here = {container.name: container for container in made}
    assert here["controller"].environment["BRAKEPOINT_LINK"] == "127.0.0.1:20002"
    assert here["train"].environment["BRAKEPOINT_LINK"] == "127.0.0.1:20002"
    assert here["monitor"].environment["BRAKEPOINT_PAGE"] == "127.0.0.1:20003"
    assert here["capture"].environment["BRAKEPOINT_BROKER"].endswith("@127.0.0.1:20001")
    assert "listener 20001 127.0.0.1" in here["broker"].files["/mosquitto/config/mosquitto.conf"]
    told = [setting for container in made for setting in container.environment.items()]
    assert {name for name, value in told if "0.0.0.0" in value} == {"BRAKEPOINT_METRICS"}  # See the launch.


def test_a_pod_that_would_never_start_is_named(manifests) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        if deployment["metadata"]["name"] == "autopilot":
            container_of(deployment)["env"].append(
                {"name": "X", "valueFrom": {"secretKeyRef": {"name": "brakepoint-broker", "key": "nobody"}}}
            )

    with pytest.raises(UserError, match=r"autopilot.*brakepoint-broker: nobody"):
        containers(manifests, make_secrets())


def test_a_service_without_a_pod_is_named(manifests) -> None:
    service = named(manifests, "Service", "train")
    assert service is not None
    service["spec"]["selector"] = {"app": "nothing"}

    with pytest.raises(UserError, match="train"):
        on_this_machine(
            containers(manifests, make_secrets()), manifests, dict.fromkeys(("broker", "train", "monitor"), 1)
        )


@pytest.mark.parametrize("content", ["resources: [nothing.yaml]\n", "nonsense: true\n", ": : :\n"])
def test_an_overlay_that_does_not_render_is_one_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(content)

    with pytest.raises(UserError) as error:
        render(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_without_an_overlay_is_reported(tmp_path: Path) -> None:
    assert run(["deploy", "--overlay", str(tmp_path)]) == 2


def test_secrets_are_fresh_each_time_and_hold_a_user_for_each_service(capsys) -> None:
    assert run(["deploy", "--secrets"]) == 0
    broker, monitor = yaml.safe_load_all(capsys.readouterr().out)

    assert set(broker["stringData"]) == {*BROKER_USERS, "passwords"}
    assert monitor["stringData"]["token"] != make_secrets()["brakepoint-monitor"]["token"]
    passwords = {
        url.partition("@")[0].rpartition(":")[2] for url in broker["stringData"].values() if "@" in url
    }
    assert len(passwords) == len(BROKER_USERS)
    assert not any(password in broker["stringData"]["passwords"] for password in passwords)


CONTROLLER, OTHER, TRAIN = {"name": "controller"}, {"name": "other"}, {"name": "train"}


@pytest.mark.parametrize(
    ("policies", "allowed"),
    [
        ([], {"same", "other", "foreign"}),
        ([policy(OTHER)], {"same", "other", "foreign"}),
        ([policy({})], {"same", "other", "foreign"}),
        ([policy(TRAIN, **{"from": [{"podSelector": {}}]})], {"same", "other"}),
        ([policy(TRAIN, **{"from": [{"podSelector": {"matchLabels": CONTROLLER}}]})], {"same"}),
        ([policy(TRAIN, **{"from": [{"namespaceSelector": {}}]})], {"same", "other", "foreign"}),
        ([policy(TRAIN, **{"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]})], set()),
        ([policy(TRAIN, **{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})], set()),
        ([policy(TRAIN, ports=[{"port": 2}])], set()),
    ],
)
def test_policies_let_in_whom_they_name(policies, allowed) -> None:
    found = {
        name
        for name, labels, same in (
            ("same", CONTROLLER, True),
            ("other", OTHER, True),
            ("foreign", CONTROLLER, False),
        )
        if lets_in(policies, TRAIN, 1, labels, same)
    }

    assert found == allowed


@dataclass(frozen=True)
class Deployed:
    """An overlay that was deployed here and drove its feed: its result, and the output of its containers."""

    pods: Pods
    run: Run
    said: list[str]
    secrets: Secrets


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    said: list[str] = []
    secrets = make_secrets()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "make_secrets", lambda: secrets)
        pods = Pods(
            render(OVERLAY),
            entry_point("solutions", "oracle"),
            lambda name, line: said.append(f"{name} {line}"),
        )
        return Deployed(pods, drive(pods, lambda news: None), said, secrets)


def test_an_overlay_drives_its_feed_to_the_end(deployed: Deployed) -> None:
    truth = load_truth(find_feed("track-stop-and-slowdown").with_suffix(".json"))

    assert score_run(deployed.run, truth).accomplished, deployed.said
    assert deployed.pods.settings.train_id == "test-1"


def test_no_password_is_in_what_the_containers_say(deployed: Deployed) -> None:
    urls = [deployed.secrets[BROKER_SECRET][user] for user in BROKER_USERS]
    hidden = [url.partition("@")[0].rpartition(":")[2] for url in urls]
    hidden += deployed.secrets[MONITOR_SECRET].values()

    assert deployed.said
    assert not [line for line in deployed.said if any(secret in line for secret in hidden)]


def test_help_needs_no_broker_and_no_kubectl() -> None:
    code = "import sys, brakepoint.cli as cli; cli.run(['deploy', '--help']); sys.exit('paho' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.fixture
def pods(manifests) -> Iterator[Pods]:
    """The containers of the overlay, none of them started."""
    pods = Pods(manifests, entry_point("solutions", "model.onnx"), lambda *_: None)
    yield pods
    pods.stop()


def test_where_mosquitto_is_not_installed_the_embedded_broker_takes_its_place(pods, monkeypatch) -> None:
    monkeypatch.setattr(running, "_find_program", lambda name: None)

    command, environment = pods.launch("broker")

    assert command == [sys.executable, "-m", "brakepoint", "service", "broker"]
    assert environment["BRAKEPOINT_BROKER"] == pods.settings.broker


def test_where_it_is_installed_it_runs_with_the_files_that_are_mounted(pods, monkeypatch) -> None:
    monkeypatch.setattr(running, "_find_program", lambda name: f"/usr/sbin/{name}")

    (program, *words), _ = pods.launch("broker")

    settings = Path(words[-1])
    assert program == "/usr/sbin/mosquitto"
    assert settings.name == "mosquitto.conf"
    assert str(settings.parents[1]) in settings.read_text(encoding="utf-8"), "the users' file is found, too"
    assert settings.stat().st_mode & 0o077 == 0


def test_stopped_containers_leave_no_file_with_a_password_behind(pods, monkeypatch) -> None:
    stopped: list[Supervisor] = []
    monkeypatch.setattr(running, "_find_program", lambda name: name)
    monkeypatch.setattr(Supervisor, "stop", lambda self: stopped.append(self))
    settings = Path(pods.launch("broker")[0][-1])
    assert settings.is_file()

    pods.stop()

    assert stopped == [pods], "and no container runs any more"
    assert not settings.exists()


def test_any_other_program_that_is_not_installed_is_named(pods, monkeypatch) -> None:
    monkeypatch.setattr(running, "_find_program", lambda name: None)
    pods._containers["capture"] = replace(pods._containers["capture"], command=("gst-of-nowhere",))

    with pytest.raises(UserError, match=r"capture.*gst-of-nowhere"):
        pods.launch("capture")


def test_on_this_machine_metrics_are_for_this_machine_alone_and_ports_do_not_clash() -> None:
    told = {"BRAKEPOINT_METRICS": "0.0.0.0:9100", "BRAKEPOINT_FEED": "track-stop"}
    container = Container("capture", "brakepoint-edge:1", (), ("capture",), told, {})

    _, environment = entry_point("solutions", "model.onnx")(container)

    assert environment["BRAKEPOINT_METRICS"] == "127.0.0.1:0"
    assert environment["BRAKEPOINT_FEED"] == "track-stop"
