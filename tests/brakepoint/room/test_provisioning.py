"""A room is planned, created, left unchanged, repaired and removed."""

import fcntl
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room.accounts import Account, Accounts
from brakepoint.room.config import EmbeddedSettings, Room, load_room
from brakepoint.room.provisioning import Provisioner
from brakepoint.room.stores import open_store, serving
from brakepoint.room.stores.content import content
from brakepoint.room.stores.embedded import EmbeddedRoomStore
from brakepoint.store import Connection

HANDLE = "seat-07"


def quiet(done: int, total: int) -> None:
    """Shows no progress."""


def provisioner(room: Room) -> Provisioner:
    return Provisioner(room, open_store(room))


def accounts_of(room: Room) -> dict[str, Account]:
    return Accounts.load(room.folder).accounts


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def room_of_forty(in_folder: Path) -> Path:
    in_folder.joinpath("room.yaml").write_text("name: spring\nattendees: 40\n", encoding="utf-8")
    return in_folder / "runs" / "room" / "spring"


def test_a_room_of_forty_is_planned_applied_left_alone_reset_and_removed(room_of_forty, capsys) -> None:
    assert run(["room", "plan"]) == 0
    assert not room_of_forty.exists(), "a plan touches nothing"
    planned = capsys.readouterr().out
    assert "+ seat-40" in planned and re.search(r"\d+\.\d s\b", planned)

    assert run(["room", "apply"]) == 0
    made = contents(room_of_forty)
    assert run(["room", "apply"]) == 0
    assert contents(room_of_forty) == made, "applied again, nothing changes"
    assert "nothing to change" in capsys.readouterr().out

    work = room_of_forty / "store" / f"spring-{HANDLE}" / "work.txt"
    work.write_text("mine")
    other = room_of_forty / "store" / "spring-seat-08" / "work.txt"
    other.write_text("another's")
    assert run(["room", "reset", HANDLE, "--yes"]) == 0
    assert not work.exists() and other.exists()
    before = Accounts.model_validate_json(made["accounts.json"]).accounts
    after = Accounts.load(room_of_forty).accounts
    changed = [name for name in before if before[name] != after[name]]
    assert changed == [HANDLE], "one attendee has a new password and a new key, nobody else has"

    assert run(["room", "remove", "--yes"]) == 0
    assert not room_of_forty.exists()
    assert len(re.findall(r"\d+\.\d s\b", capsys.readouterr().out)) == 2, "each says how long it took"


def test_passwords_and_keys_are_each_ones_own(room_of_forty) -> None:
    run(["room", "apply", "--attendees", "5"])
    accounts = Accounts.load(room_of_forty).accounts.values()

    assert len({account.password for account in accounts}) == len({a.secret_key for a in accounts}) == 5
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", account.password) for account in accounts)


def test_secrets_are_their_owners_alone_and_nowhere_else(room_of_forty, capsys) -> None:
    run(["room", "apply", "--attendees", "5"])
    accounts = Accounts.load(room_of_forty).accounts.values()
    secrets = {secret for account in accounts for secret in (account.password, account.secret_key)}
    files = [path for path in room_of_forty.rglob("*") if path.is_file() and "store" not in path.parts]
    holding = [path for path in files if any(secret in path.read_text() for secret in secrets)]
    captured = capsys.readouterr()

    assert {path.name for path in holding} >= {"accounts.json", "handouts.html", "seat-01.yaml"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in holding)
    assert room_of_forty.stat().st_mode & 0o777 == 0o700
    assert (room_of_forty / ".gitignore").read_text() == "*\n"
    assert not any(secret in captured.out + captured.err for secret in secrets)


def test_an_attendees_key_opens_ones_own_bucket_and_no_other(small_room) -> None:
    provisioner(small_room).apply(quiet)
    with serving(small_room):
        accounts = Accounts.load(small_room.folder).accounts
        anna = Connection(small_room.outside, "spring-anna", "spring-anna", accounts["anna"].secret_key)
        anna.client.put_object(Bucket="spring-anna", Key="model.onnx", Body=b"mine")
        assert anna.client.get_object(Bucket="spring-anna", Key="model.onnx")["Body"].read() == b"mine"
        assert anna.client.get_object(Bucket="spring-shared", Key="SHA256SUMS")["Body"].read()

        listed = {bucket["Name"] for bucket in anna.client.list_buckets()["Buckets"]}
        assert listed == {"spring-anna", "spring-shared"}
        for refused in (
            lambda: anna.client.get_object(Bucket="spring-bela", Key="SHA256SUMS"),
            lambda: anna.client.list_objects_v2(Bucket="spring-bela"),
            lambda: anna.client.put_object(Bucket="spring-shared", Key="x", Body=b"x"),
            lambda: anna.client.delete_object(Bucket="spring-shared", Key="SHA256SUMS"),
            lambda: Connection(small_room.outside, "", "spring-bela", anna.secret_key).client.get_object(
                Bucket="spring-bela", Key="SHA256SUMS"
            ),
            lambda: anna.client.create_bucket(Bucket="spring-zoe"),
        ):
            with pytest.raises(ClientError):
                refused()
    assert not (small_room.folder / "store" / "spring-shared" / "x").exists()
    assert (small_room.folder / "store" / "spring-shared" / "SHA256SUMS").is_file()


def test_each_change_counts_as_progress(small_room) -> None:
    told: list[tuple[int, int]] = []

    changes = provisioner(small_room).apply(lambda done, total: told.append((done, total)))

    assert told == [(done, len(changes)) for done in range(1, len(changes) + 1)] != []


def test_what_is_missing_is_fixed_and_nothing_else_touched(small_room) -> None:
    provisioner(small_room).apply(quiet)
    before = Accounts.load(small_room.folder)
    key = next(iter(content()))
    (small_room.folder / "store" / "spring-anna" / key).unlink()
    (small_room.folder / "manifests" / "bela.yaml").write_text("changed: by hand\n")

    changes = provisioner(small_room).apply(quiet)

    assert {(change.what, change.handle) for change in changes} == {("data", "anna"), ("manifest", "bela")}
    assert "changed: by hand" in next(change.diff for change in changes if change.what == "manifest")
    assert Accounts.load(small_room.folder) == before
    assert provisioner(small_room).plan() == []


def test_anyone_who_leaves_loses_the_key_and_finds_everything_again_after_coming_back(
    room_of_forty, capsys
) -> None:
    run(["room", "apply", "--attendees", "3"])
    work = room_of_forty / "store" / "spring-seat-03" / "work.txt"
    work.write_text("mine")
    accounts, card = Accounts.load(room_of_forty), (room_of_forty / "handouts.html").read_text()
    capsys.readouterr()

    assert run(["room", "apply", "--attendees", "2"]) == 2
    assert "Cards to withdraw" in (said := capsys.readouterr().err) and "seat-03" in said
    assert "spring-seat-03" in (room_of_forty / "keys.json").read_text()

    assert run(["room", "apply", "--attendees", "2", "--yes"]) == 0
    assert "spring-seat-03" not in (room_of_forty / "keys.json").read_text()
    assert not (room_of_forty / "secrets" / "seat-03.yaml").exists()
    assert not (room_of_forty / "manifests" / "seat-03.yaml").exists()
    assert work.read_text() == "mine"

    assert run(["room", "apply", "--attendees", "3"]) == 0
    assert Accounts.load(room_of_forty) == accounts
    assert (room_of_forty / "handouts.html").read_text() == card, "the old card holds again"
    assert "spring-seat-03" in (room_of_forty / "keys.json").read_text()


def test_a_change_that_voids_cards_is_announced_before_anything_is_done(room_of_forty, capsys) -> None:
    room_file = room_of_forty.parents[2] / "room.yaml"
    run(["room", "apply", "--attendees", "3"])
    before = contents(room_of_forty)
    room_file.write_text("name: spring\nattendees: 3\nstore: {kind: embedded, port: 9200}\n")
    capsys.readouterr()

    assert run(["room", "plan"]) == 0
    assert "Cards to print again" in (out := capsys.readouterr().out)
    assert "seat-01, seat-02, seat-03" in out
    assert run(["room", "apply"]) == 2
    assert "Cards to print again" in capsys.readouterr().err
    assert contents(room_of_forty) == before
    assert run(["room", "apply", "--yes"]) == 0
    assert ":9200" in (room_of_forty / "handouts.html").read_text()


def test_a_room_is_not_taken_for_another_whose_name_begins_the_same(in_folder) -> None:
    other = Room(name="spring-b", attendees=1, handles=("anna",))
    provisioner(other).apply(quiet)
    room = Room(name="spring", attendees=1, handles=("anna",))
    provisioner(room).apply(quiet)
    store = provisioner(room).store
    store.make_bucket("spring-b-anna")
    store.grant("spring-b-anna", "key")

    assert provisioner(room).plan() == []
    provisioner(room).remove(quiet)
    assert provisioner(other).plan() == []


def test_of_a_store_only_what_is_the_rooms_and_is_there_is_removed(in_folder) -> None:
    room = Room(name="spring", attendees=2, handles=("anna", "bela"))
    provisioner(room).apply(quiet)
    there, removed, told = {"spring-anna", room.shared_bucket, "elsewhere"}, [], []
    store: Any = SimpleNamespace(
        buckets=lambda: there,
        keys=lambda: {"spring-anna", "another-key"},
        revoke=lambda key: removed.append(f"key {key}"),
        remove_bucket=removed.append,
    )
    Provisioner(room, store).remove(lambda done, total: told.append((done, total)))

    assert sorted(removed) == sorted(["key spring-anna", "spring-anna", room.shared_bucket])
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_manifests_keep_attendees_apart(small_room) -> None:
    provisioner(small_room).apply(quiet)
    documents = yaml.safe_load_all((small_room.folder / "manifests" / "anna.yaml").read_text())
    by_kind = {document["kind"]: document for document in reversed(list(documents))}

    assert set(by_kind) == {
        "Namespace",
        "ResourceQuota",
        "LimitRange",
        "NetworkPolicy",
        "RoleBinding",
        "Role",
    }
    assert by_kind["RoleBinding"]["subjects"][0]["name"] == "anna"
    label = by_kind["Namespace"]["metadata"]["labels"]["brakepoint.io/room"]
    sources = by_kind["NetworkPolicy"]["spec"]["ingress"][0]["from"]
    assert label == "spring"
    assert sources[1]["namespaceSelector"]["matchExpressions"][0]["operator"] == "In"


def test_a_workspace_and_argo_cd_find_the_namespace(small_room) -> None:
    repository = "https://git.example.org/{handle}/brakepoint.git"
    room = small_room.model_copy(update={"repository": repository})
    provisioner(room).apply(quiet)
    documents = yaml.safe_load_all((room.folder / "manifests" / "anna.yaml").read_text())
    namespace = next(document for document in documents if document["kind"] == "Namespace")["metadata"]
    environment = yaml.safe_load((room.folder / "gitops" / "anna.yaml").read_text())

    assert namespace["annotations"]["che.eclipse.org/username"] == "anna"
    assert namespace["labels"]["argocd.argoproj.io/managed-by"] == "openshift-gitops"
    assert environment == {
        "namespace": namespace["name"],
        "repository": "https://git.example.org/anna/brakepoint.git",
        "branch": "main",
    }
    assert provisioner(room).plan() == []


def test_an_interrupted_apply_is_completed_by_the_next(small_room, monkeypatch) -> None:
    store = open_store(small_room)
    monkeypatch.setattr(
        store, "grant", lambda *key: (_ for _ in ()).throw(UserError("store.error.disk_full"))
    )
    with pytest.raises(UserError):
        Provisioner(small_room, store).apply(quiet)
    drawn = Accounts.load(small_room.folder)

    provisioner(small_room).apply(quiet)

    assert Accounts.load(small_room.folder) == drawn
    assert provisioner(small_room).plan() == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("name: [", "does not describe a room"),
        ("name: Spring!\nattendees: 3", "name"),
        ("name: spring\nattendees: 0", "attendees"),
        ("name: spring\nattendees: 2\nhandles: [anna, anna]", "only once"),
        ("name: spring\nattendees: 1\nhandles: [shared]", "shared"),
        ("name: spring\nattendees: 1\nstore: {kind: ftp}", "store"),
        ("name: spring\nattendees: 2\nrepository: https://git.example.org/all.git", "repository"),
        ("just words", "does not describe a room"),
    ],
)
def test_a_file_that_describes_no_room_is_reported(in_folder, monkeypatch, written, said) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    path = in_folder / "room.yaml"
    path.write_text(written)

    with pytest.raises(UserError, match="does not describe a room") as caught:
        load_room(path)
    assert said in str(caught.value)


def test_the_example_is_a_room() -> None:
    example = Path(__file__).parents[3] / "brakepoint" / "room" / "example.yaml"

    assert load_room(example).attendees == 40


@pytest.mark.parametrize("damage", ["", "{", "[1]", "5"])
def test_a_damaged_file_of_keys_is_named_and_made_again_with_the_same_keys(small, capsys, damage) -> None:
    keys = small.folder / "keys.json"
    before = keys.read_text(encoding="utf-8")
    keys.write_text(damage, encoding="utf-8")
    capsys.readouterr()

    assert run(["room", "apply"]) == 2
    assert "keys.json is damaged" in capsys.readouterr().err
    keys.unlink()
    assert run(["room", "apply"]) == 0
    assert keys.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("damage", ["", "{", "[1]", "5"])
def test_a_damaged_list_of_printed_cards_means_that_all_are_printed_again(small, damage) -> None:
    path = small.folder / "cards.json"
    before = path.read_text(encoding="utf-8")
    path.write_text(damage, encoding="utf-8")

    assert provisioner(small).card_changes().new == ("anna", "bela")
    assert run(["room", "apply"]) == 0
    assert path.read_text(encoding="utf-8") == before


class WatchedStore(EmbeddedRoomStore):
    """Notes whether another command could change the room's accounts at the same time."""

    def __init__(self, room: Room) -> None:
        assert isinstance(room.store, EmbeddedSettings)
        super().__init__(room, room.store)
        self.locked: list[bool] = []

    def look(self) -> None:
        with (self.room.folder / ".accounts.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.locked.append(True)
            else:
                self.locked.append(False)

    def keys(self) -> set[str]:
        self.look()
        return super().keys()

    def revoke(self, access_key: str) -> None:
        self.look()
        super().revoke(access_key)

    def swap(self, one: str, other: str) -> None:
        self.look()
        super().swap(one, other)


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        (lambda provisioner: provisioner.apply(quiet), 1),
        (lambda provisioner: provisioner.replace_account("anna", quiet), 2),
        (lambda provisioner: provisioner.reset("anna", quiet), 3),
        (lambda provisioner: provisioner.move("anna", "bela"), 1),
    ],
)
def test_two_commands_never_change_accounts_and_keys_at_the_same_time(
    small_room, small_kit, change, looks
) -> None:
    provisioner(small_room).apply(quiet)
    store = WatchedStore(small_room)
    change(Provisioner(small_room, store))

    assert store.locked == [True] * looks
    assert provisioner(small_room).plan() == []
    secrets = {f"spring-{one}": account.secret_key for one, account in accounts_of(small_room).items()}
    assert store.secrets() == secrets
