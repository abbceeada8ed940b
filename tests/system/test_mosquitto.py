"""The broker that several machines share, with the files of deploy/mosquitto: Debian's own Mosquitto."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from patience import PATIENCE_S

from benchmarks.brokers import running_mosquitto
from brakepoint.errors import UserError
from brakepoint.messages import Action, Control, Health, MissionState, Picture, Status
from brakepoint.monitor import service as monitor
from brakepoint.monitor.onlooker import Onlooker
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus, parse_broker
from brakepoint.services.clock import CLOCK
from brakepoint.services.faults import Stage, is_at_rest
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, MISSION, PICTURE
from brakepoint.sockets import free_port
from brakepoint.texts import text

pytestmark = pytest.mark.live

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
FEED = "track-stop"
TRAINS = {"train-1": "first secret", "train-2": "second secret", "viewer": "third secret"}


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificate(folder: Path, name: str, common_name: str, authority: str) -> None:
    request = f"{name}.csr"
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", request,
            "-subj", f"/CN={common_name}")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="ascii")
    openssl(folder, "x509", "-req", "-in", request, "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", f"{name}.crt")  # fmt: skip


def make_authority(folder: Path, name: str) -> None:
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.crt")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mosquitto")
    for authority in ("ca", "stranger"):
        make_authority(folder, authority)
    make_certificate(folder, "server", "localhost", "ca")
    make_certificate(folder, "train-1", "train-1", "ca")
    for number, (user, password) in enumerate(TRAINS.items()):
        create = ["-c"] if number == 0 else []
        subprocess.run(["mosquitto_passwd", "-b", *create, folder / "passwords", user, password], check=True)
    shutil.copy(DEPLOY / "acl", folder)
    return folder


@pytest.fixture(scope="module")
def ports(folder: Path) -> Iterator[tuple[int, int]]:
    """Mosquitto with its configuration, except for paths and ports: with passwords, and with certificates."""
    with_password, with_certificate = free_port(), free_port()
    written = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    for ours, theirs in (
        ("/mosquitto/config/", f"{folder}/"),
        ("/mosquitto/data/", f"{folder}/"),
        ("8883", str(with_password)),
        ("8884", str(with_certificate)),
    ):
        written = written.replace(ours, theirs)
    with running_mosquitto(folder, f"user root\n{written}", with_password, with_certificate):
        yield with_password, with_certificate


def await_condition(condition) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.fixture
def known(folder: Path, ports: tuple[int, int]):
    """Makes the settings of a client with a password, for a train."""

    def settings(user: str, train_id: str = "train-1", password: str = "", ca: str = "ca") -> ServiceSettings:
        secret = (password or TRAINS[user]).replace(" ", "%20")
        broker = f"mqtts://{user}:{secret}@localhost:{ports[0]}"
        return ServiceSettings(
            broker=broker, ca=str(folder / f"{ca}.crt"), train_id=train_id, feed=FEED, detector="oracle"
        )

    return settings


def wish(feed: str) -> Control:
    return Control(action=Action.FEED, feed=feed, at=CLOCK.now())


def mission(feed: str) -> MissionState:
    return MissionState(run=1, feed=feed, running=False, since=0.0, at=0.0)


ROUNDS = 10


def hears(settings: ServiceSettings, said_by: ServiceSettings) -> bool:
    """Whether the wishes of one client reach another, which receives those of its own train throughout."""
    heard: list[str | None] = []
    with (
        Bus(settings, "", (CONTROL,)) as listener,
        Bus(said_by, "") as speaker,
        Bus(settings, "") as neighbour,
    ):
        await_condition(lambda: listener.is_connected and speaker.is_connected and neighbour.is_connected)

        def home_is_heard() -> bool:
            speaker.say(CONTROL, wish("from elsewhere"))
            neighbour.say(CONTROL, wish("from home"))
            while (control := listener.take(CONTROL, 0.1)) is not None:
                heard.append(control.feed)
            return heard.count("from home") >= ROUNDS

        await_condition(home_is_heard)
    return "from elsewhere" in heard


def test_a_train_of_its_own_name_is_heard(known):
    assert hears(known("train-1"), said_by=known("train-1"))


def test_a_viewer_gives_no_orders(known):
    assert not hears(known("train-1"), said_by=known("viewer"))


def test_a_train_says_nothing_in_the_name_of_another(known):
    assert not hears(known("train-1"), said_by=known("train-2", train_id="train-1"))


def retained(settings: ServiceSettings) -> MissionState | None:
    with Bus(settings, "", (MISSION,)) as bus:
        return bus.take(MISSION, 5.0)


@pytest.fixture
def told(known) -> None:
    """Publishes a message of train-1."""
    with Bus(known("train-1"), "") as bus:

        def is_heard() -> bool:
            bus.say(MISSION, mission(FEED))
            return retained(known("train-1")) is not None

        await_condition(is_heard)


def test_who_is_known_hears_and_a_viewer_does_too(known, told):
    assert retained(known("train-1")) == mission(FEED)
    assert retained(known("viewer")) == mission(FEED)


def test_nobody_hears_a_train_of_another_name(known, told):
    assert retained(known("train-2", train_id="train-1")) is None


def test_a_certificate_of_ones_own_does_without_a_password(known, told, folder, ports):
    own = replace(
        known("train-1"),
        broker=f"mqtts://localhost:{ports[1]}",
        certificate=str(folder / "train-1.crt"),
        key=str(folder / "train-1.key"),
    )

    assert retained(own) == mission(FEED)
    assert retained(replace(own, certificate="", key="")) is None


def test_a_broker_without_a_trusted_certificate_is_rejected(known, told):
    assert retained(known("train-1", ca="stranger")) is None


def test_without_tls_there_is_no_way_in(known, told):
    settings = known("train-1")
    assert retained(replace(settings, broker=settings.broker.replace("mqtts:", "mqtt:"))) is None


def test_a_wrong_password_is_reported_and_not_shown(known, capsys):
    said = []

    def refused() -> bool:
        said.append(capsys.readouterr().out)
        return text("live.log.broker_refused", why="").split("(")[0] in "".join(said)

    with Bus(known("train-1", password="a guess"), "detector"):
        await_condition(refused)
    assert "guess" not in "".join(said)


def test_a_certificate_that_is_not_there_is_named(known):
    with pytest.raises(UserError, match="nowhere"):
        Bus(replace(known("train-1"), ca="/nowhere.crt"), "")


def take_the_name(settings: ServiceSettings, name: str) -> None:
    """Connects under that name with a clean session, which ends the stored one."""
    broker = parse_broker(settings.broker)
    thief = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=True)
    thief.username_pw_set(broker.user, broker.password)
    thief.tls_set(settings.ca)
    thief.connect(broker.host, broker.port)
    thief.loop_start()
    await_condition(thief.is_connected)
    thief.disconnect()
    thief.loop_stop()


def test_who_may_only_look_on_does_not_wipe_a_stop_that_waits_for_the_controller(known):
    settings, viewer = known("train-1"), known("viewer")
    stop = Control(action=Action.STOP, at=CLOCK.now())
    with Bus(settings, "controller", (CONTROL,)) as controller:
        await_condition(lambda: controller.is_connected)
    with Bus(settings, "") as person:
        await_condition(lambda: person.is_connected)
        person.say(CONTROL, stop)
        await_condition(lambda: person._sending[CONTROL.name].is_published())
    with Bus(viewer, "controller") as alike:
        guesses = {"train-1-controller", "train-1-controller-", alike._client._client_id.decode()}
    for guess in guesses:
        take_the_name(viewer, guess)
    with Bus(settings, "controller", (CONTROL,)) as controller:
        assert controller.take(CONTROL, PATIENCE_S) == stop


@pytest.mark.parametrize("limit", ["message_size_limit 5000", "max_packet_size 5000"])
def test_a_broker_that_limits_the_size_of_pictures_is_named(tmp_path, limit):
    port = free_port()
    written = f"listener {port} 127.0.0.1\nallow_anonymous true\n{limit}\n"
    picture = Picture(1, CLOCK.now(), 0.0, 0, b"x" * 20_000)
    at_work = Status(service="capture", health=Health.READY, at=0.0, per_s=15.0)
    settings = ServiceSettings(broker=f"mqtt://127.0.0.1:{port}")
    with (
        running_mosquitto(tmp_path, written, port),
        Bus(settings, "capture") as camera,
        Bus(settings, "") as other,
        Bus(settings, "monitor", monitor.TOPICS) as bus,
    ):
        onlooker = Onlooker(bus)
        await_condition(lambda: camera.is_connected and bus.is_connected and other.is_connected)

        def is_named() -> bool:
            camera.say(PICTURE, picture)
            other.report(at_work.model_copy(update={"at": CLOCK.now()}))
            onlooker.turn()
            return "frame" in onlooker.now()["held_back"]

        await_condition(is_named)
        assert onlooker.picture is None


def test_of_two_controllers_of_one_train_one_reports_the_other_and_gives_way(known):
    said: list[str] = []
    gives_way = text("live.log.another_controller", train_id="train-1")

    def tell(service: str, line: str) -> None:
        said.append(line)

    parts = ("train", "controller")
    with Supervisor(known("train-1"), parts, tell), Supervisor(known("train-1"), parts, tell):
        await_condition(lambda: gives_way in said)
    assert said.count(gives_way) == 1


def test_all_services_drive_over_it_and_a_stop_waits_for_a_dead_controller_but_an_old_start_does_not(known):
    settings = known("train-1")
    with Stage(settings) as stage, Bus(settings, "", (MISSION,)) as person:
        stage.begin(FEED)
        stage.await_train(lambda state: state.position_cm > 20)
        controller = stage.services.pid("controller")
        os.kill(controller, signal.SIGSTOP)
        person.say(CONTROL, Control(action=Action.STOP, at=CLOCK.now()))
        person.say(CONTROL, Control(action=Action.START, feed=FEED, at=CLOCK.now() - 60))
        os.kill(controller, signal.SIGKILL)

        def is_stopped() -> bool:
            said = person.take(MISSION, 1.0)
            return said is not None and said.run == stage.run and not said.running

        await_condition(is_stopped)
        stage.await_train(is_at_rest)
        said = person.take(MISSION, PATIENCE_S)
        assert said is not None and said.run == stage.run
