"""What a cluster would start, read from manifests of a few lines."""

import base64
import hashlib
from typing import Any

import pytest
import yaml

from brakepoint.delivery.containers import Container, containers, on_this_machine
from brakepoint.delivery.credentials import BROKER_USERS, as_manifests, make_secrets
from brakepoint.errors import UserError

SECRETS = {"broker": {"url": "mqtt://x", "passwords": "x:1"}}
CONFIG = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"FEED": "track-stop", "conf": "a"}}


def deployment(name: str = "capture", **container: Any) -> dict[str, Any]:
    volumes = container.pop("volumes", [])
    spec = {"containers": [{"image": "brakepoint:1", **container}], "volumes": volumes}
    labels = {"app": name, "part": "x"}
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": spec}},
    }


def service(name: str, port: int, target: int | str | None = None, app: str = "") -> dict[str, Any]:
    ports = {"port": port} | ({"targetPort": target} if target else {})
    return {
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [ports], "selector": {"app": app or name}},
    }


def container(**said: Any) -> Container:
    (made,) = containers([CONFIG, deployment(**said)], SECRETS)
    return made


def test_a_container_is_as_its_deployment_says() -> None:
    made = container(command=["brakepoint"], args=["service", 3])

    assert made == Container("capture", "brakepoint:1", ("brakepoint",), ("service", "3"), {}, {})


def test_variables_come_from_a_config_map_a_secret_or_the_manifest_itself_which_wins() -> None:
    made = container(
        envFrom=[{"configMapRef": {"name": "settings"}}],
        env=[
            {"name": "conf", "value": "5"},
            {"name": "EMPTY"},
            {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "broker", "key": "url"}}},
            {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "FEED"}}},
        ],
    )

    assert made.environment == {
        "FEED": "track-stop",
        "conf": "5",
        "EMPTY": "",
        "URL": "mqtt://x",
        "ONE": "track-stop",
    }


def test_volumes_put_files_where_they_are_mounted() -> None:
    volumes = [
        {"name": "config", "configMap": {"name": "settings"}},
        {"name": "all", "secret": {"secretName": "broker"}},
        {"name": "one", "secret": {"secretName": "broker", "items": [{"key": "passwords", "path": "pw"}]}},
        {"name": "empty", "emptyDir": {}},
    ]
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes]

    assert container(volumes=volumes, volumeMounts=mounts).files == {
        "/config/FEED": "track-stop",
        "/config/conf": "a",
        "/all/url": "mqtt://x",
        "/all/passwords": "x:1",
        "/one/pw": "x:1",
    }


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"secretKeyRef": {"name": "none", "key": "url"}}, "Secret none"),
        ({"secretKeyRef": {"name": "broker", "key": "none"}}, "Secret broker: none"),
        ({"configMapKeyRef": {"name": "none", "key": "FEED"}}, "ConfigMap none"),
    ],
)
def test_a_reference_to_nothing_is_named_with_the_pod(source, named) -> None:
    with pytest.raises(UserError) as refused:
        container(env=[{"name": "X", "valueFrom": source}])

    assert refused.value.key == "delivery.error.reference"
    assert named in str(refused.value) and "capture" in str(refused.value)


def test_on_this_machine_each_service_has_a_port_of_its_own() -> None:
    manifests = [
        deployment(env=[{"name": "URL", "value": "mqtt://broker:1883 mybroker:1883 broker:18830"}]),
        deployment("broker", env=[{"name": "AT", "value": "listener 1884\nbind 0.0.0.0:1884"}]),
        service("broker", 1883, 1884),
    ]
    capture, broker = on_this_machine(containers(manifests, {}), manifests, {"broker": 5000})

    assert capture.environment["URL"] == "mqtt://127.0.0.1:5000 mybroker:1883 broker:18830"
    assert broker.environment["AT"] == "listener 5000 127.0.0.1\nuser root\nbind 127.0.0.1:5000"


@pytest.mark.parametrize(("target", "listens_at"), [("mqtt", 1884), (None, 1883), (1885, 1885)])
def test_a_service_leads_to_a_port_by_its_name_by_its_number_or_to_its_own(target, listens_at) -> None:
    ports = [{"name": "http", "containerPort": 80}, {"name": "mqtt", "containerPort": 1884}]
    manifests = [
        deployment("broker", ports=ports, env=[{"name": "AT", "value": f"0.0.0.0:{listens_at}"}]),
        service("broker", 1883, target),
    ]
    (broker,) = on_this_machine(containers(manifests, {}), manifests, {"broker": 5000})

    assert broker.environment["AT"] == "127.0.0.1:5000"


def test_a_service_that_leads_nowhere_is_named() -> None:
    manifests = [deployment("broker"), service("mqtt", 1883, app="none")]

    with pytest.raises(UserError, match="mqtt") as refused:
        on_this_machine(containers(manifests, {}), manifests, {"mqtt": 5000})
    assert refused.value.key == "delivery.error.selects_nothing"


@pytest.mark.parametrize("ports", [[], [{"port": 1883, "targetPort": "mqtt"}]])
def test_a_service_without_a_port_of_its_pod_is_named(ports) -> None:
    manifests = [deployment("broker"), service("broker", 1883)]
    manifests[1]["spec"]["ports"] = ports

    with pytest.raises(UserError, match="broker") as refused:
        on_this_machine(containers(manifests, {}), manifests, {"broker": 5000})
    assert refused.value.key == "delivery.error.no_port"


def test_a_name_for_a_host_outside_the_cluster_needs_no_pod() -> None:
    outside = {"type": "ExternalName", "externalName": "example.com"}
    manifests = [
        deployment("broker"),
        {"kind": "Service", "metadata": {"name": "outside"}, "spec": outside},
    ]

    assert len(on_this_machine(containers(manifests, {}), manifests, {"outside": 5000})) == 1


def test_every_user_of_the_broker_has_a_password_that_mosquitto_takes() -> None:
    made = make_secrets()
    broker = made["brakepoint-broker"]
    hashes = dict(line.split(":", 1) for line in broker["passwords"].splitlines())

    assert tuple(hashes) == BROKER_USERS
    for user, hashed in hashes.items():
        password = broker[user].removeprefix(f"mqtt://{user}:").removesuffix("@broker:1883")
        _, kind, iterations, salt, digest = hashed.split("$")
        expected = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
        assert (kind, base64.b64decode(digest)) == ("7", expected)
        assert len(password) >= 24 and len(base64.b64decode(salt)) == 12


def test_no_secret_is_made_twice_and_each_is_applied_under_its_name() -> None:
    one, other = make_secrets(), make_secrets()

    assert one["brakepoint-broker"].items().isdisjoint(other["brakepoint-broker"].items())
    assert one["brakepoint-monitor"]["token"] != other["brakepoint-monitor"]["token"]
    assert yaml.safe_load(as_manifests({"x": {"key": "value"}})) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "x"},
        "immutable": True,  # Applied again it is refused, instead of locking the services out.
        "stringData": {"key": "value"},
    }


def volume(**source: Any) -> dict[str, Any]:
    return container(
        volumes=[{"name": "v", **source}], volumeMounts=[{"name": "v", "mountPath": "/etc/x"}]
    ).files


def test_all_keys_of_a_secret_may_become_variables_and_a_prefix_comes_before_them() -> None:
    made = container(
        envFrom=[
            {"secretRef": {"name": "broker"}},
            {"prefix": "MY_", "configMapRef": {"name": "settings"}},
        ]
    )

    assert made.environment == {**SECRETS["broker"], "MY_FEED": "track-stop", "MY_conf": "a"}


def test_what_is_optional_may_be_missing() -> None:
    there = {"name": "broker", "key": "url", "optional": True}
    made = container(
        envFrom=[{"configMapRef": {"name": "none", "optional": True}}],
        env=[
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "a", "optional": True}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {**there, "key": "b"}}},
            {"name": "C", "valueFrom": {"secretKeyRef": there}},
        ],
    )

    assert made.environment == {"C": "mqtt://x"}
    assert volume(configMap={"name": "none", "optional": True}) == {}
    items = [{"key": "none", "path": "a"}, {"key": "url", "path": "b"}]
    assert volume(secret={"secretName": "broker", "optional": True, "items": items}) == {
        "/etc/x/b": "mqtt://x"
    }


def test_a_variable_without_a_value_is_empty() -> None:
    env = [{"name": "A", "value": None}, {"name": "B", "value": ""}, {"name": "C", "valueFrom": None}]

    assert container(env=env).environment == {"A": "", "B": "", "C": ""}


@pytest.mark.parametrize(("value", "quoted"), [(0, '"0"'), (1.5, '"1.5"'), (True, '"true"')])
def test_a_variable_that_is_no_text_is_refused_as_by_kubernetes(value: object, quoted: str) -> None:
    with pytest.raises(UserError, match=quoted):
        container(env=[{"name": "A", "value": value}])


def test_chosen_keys_of_a_config_map_are_the_only_files_of_its_volume() -> None:
    assert volume(configMap={"name": "settings", "items": [{"key": "conf", "path": "my.conf"}]}) == {
        "/etc/x/my.conf": "a"
    }


def test_a_volume_may_be_put_together_from_several_sources() -> None:
    sources = [{"configMap": {"name": "settings"}}, {"secret": {"name": "broker"}}, {"downwardAPI": {}}]

    assert volume(projected={"sources": sources}) == {
        "/etc/x/FEED": "track-stop",
        "/etc/x/conf": "a",
        "/etc/x/url": "mqtt://x",
        "/etc/x/passwords": "x:1",
    }


@pytest.mark.parametrize(("only", "files"), [("conf", {"/etc/my.conf": "a"}), ("folder", {})])
def test_a_single_file_of_a_volume_is_mounted_under_its_own_path(only, files) -> None:
    made = container(
        volumes=[{"name": "v", "configMap": {"name": "settings"}}],
        volumeMounts=[{"name": "v", "mountPath": "/etc/my.conf", "subPath": only}],
    )

    assert made.files == files


def test_a_mount_without_its_volume_and_a_service_without_a_selector_are_named() -> None:
    with pytest.raises(UserError, match="volume v"):
        container(volumeMounts=[{"name": "v", "mountPath": "/x"}])
    manifests = [
        deployment(),
        {"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 1}]}},
    ]
    with pytest.raises(UserError) as refused:
        on_this_machine(containers(manifests, SECRETS), manifests, {"s": 20001})
    assert refused.value.key == "delivery.error.selects_nothing"
