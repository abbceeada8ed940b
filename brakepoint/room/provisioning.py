"""From `room.yaml` to a room: what is to change, doing it, and undoing it.

A room is compared with what is there item by item, so that applying twice changes nothing, and what was
interrupted is completed by applying again.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

from brakepoint.room.accounts import Account, Accounts
from brakepoint.room.config import Room
from brakepoint.room.files import PRIVATE, PUBLIC, make_private_folder, write
from brakepoint.room.handouts import handouts
from brakepoint.room.manifests import environment, login_secret, namespace_manifests, secret_manifests
from brakepoint.room.stores.base import RoomStore
from brakepoint.room.stores.content import missing_content

MANIFESTS, GITOPS, SECRETS = "manifests", "gitops", "secrets"
"""Folders: the first two may be shown to anybody, the third to nobody."""
HANDOUTS_NAME, HTPASSWD_NAME = "handouts.html", "htpasswd"
LOGIN_NAME = f"{HTPASSWD_NAME}.json"
"""The same as a Secret, which `oc apply` takes along; YAML files are called as attendees are."""
DIFF_CONTEXT_LINES = 1


class What(StrEnum):
    """What a room is made of. Texts: `room.what.{value}`."""

    ACCOUNT = "account"
    BUCKET = "bucket"
    DATA = "data"
    KEY = "key"
    MANIFEST = "manifest"
    SECRET = "secret"
    HANDOUT = "handout"


class DiffAction(StrEnum):
    """What is done to it, as a diff marks it."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True)
class Change:
    """One thing that is not as it should be.

    Attributes:
        action: What is to be done.
        what: To what.
        name: Its name: a handle, a bucket, a key or a file.
        handle: Whose it is; empty for what is the whole room's.
        diff: What changes in a file that is no secret.
    """

    action: DiffAction
    what: What
    name: str
    handle: str = ""
    diff: str = ""


OnProgress = Callable[[int, int], None]


class Provisioner:
    """Plans and makes one room.

    Args:
        room: As its file says.
        store: Its object store.
    """

    def __init__(self, room: Room, store: RoomStore) -> None:
        self.room, self.store = room, store
        self.folder = room.folder

    def plan(self) -> list[Change]:
        """What is to change; nothing is touched."""
        return list(self._changes(self._accounts()))

    def apply(self, on_progress: OnProgress) -> list[Change]:
        """Makes the room as its file says, and says what was changed.

        Args:
            on_progress: Told the number of changes done and of all.
        """
        accounts = self._accounts()
        changes = list(self._changes(accounts))
        if not changes:
            return changes
        make_private_folder(self.folder)
        known = Accounts.load(self.folder).accounts
        # Both the new and the leaving: a password is never lost, whatever happens in between.
        Accounts(accounts={**known, **accounts.accounts}).save(self.folder)
        files = self._files(accounts)
        for done, change in enumerate(changes, 1):
            self._carry_out(change, accounts, files)
            on_progress(done, len(changes))
        accounts.save(self.folder)
        return changes

    def reset(self, handle: str, on_progress: OnProgress) -> None:
        """Gives one attendee a new start: an empty bucket with the data in it, a new password, a new key."""
        bucket = self.room.place_of(handle)
        if bucket in self.store.buckets():
            self.store.remove_bucket(bucket)
        self.store.revoke(bucket)
        accounts = Accounts.load(self.folder)
        accounts.accounts.pop(handle, None)
        accounts.save(self.folder)
        shutil.rmtree(self.folder / "submissions" / handle, ignore_errors=True)
        self.apply(on_progress)

    def remove(self, on_progress: OnProgress) -> None:
        """Removes everything of the room that was ever made, the folder last."""
        keys, buckets = self.store.keys(), self.store.buckets()
        for done, key in enumerate(sorted(keys), 1):
            self.store.revoke(key)
            on_progress(done, len(keys) + len(buckets))
        for done, bucket in enumerate(sorted(buckets), len(keys) + 1):
            self.store.remove_bucket(bucket)
            on_progress(done, len(keys) + len(buckets))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accounts(self) -> Accounts:
        """Those that are known, and a new one for whoever has none."""
        known = Accounts.load(self.folder).accounts
        return Accounts(accounts={name: known.get(name) or Account.new() for name in self.room.everybody})

    def _changes(self, accounts: Accounts) -> Iterator[Change]:
        known = Accounts.load(self.folder).accounts
        buckets, keys = self.store.buckets(), self.store.keys()
        yield from self._bucket_changes(self.room.shared_bucket, "", buckets)
        for handle in self.room.everybody:
            place = self.room.place_of(handle)
            if handle not in known:
                yield Change(DiffAction.ADD, What.ACCOUNT, handle, handle)
            yield from self._bucket_changes(place, handle, buckets)
            if place not in keys or handle not in known:
                yield Change(DiffAction.ADD, What.KEY, place, handle)
        yield from self._file_changes(accounts)
        yield from self._removals(known, buckets, keys)

    def _bucket_changes(self, bucket: str, handle: str, there: set[str]) -> Iterator[Change]:
        if bucket not in there:
            yield Change(DiffAction.ADD, What.BUCKET, bucket, handle)
        if bucket not in there or missing_content(self.store, bucket):
            yield Change(DiffAction.ADD, What.DATA, bucket, handle)

    def _removals(self, known: dict[str, Account], buckets: set[str], keys: set[str]) -> Iterator[Change]:
        """What belongs to somebody who is not in the room any more."""
        places = {self.room.place_of(handle): handle for handle in self.room.everybody}
        for key in sorted(keys - set(places)):
            yield Change(DiffAction.REMOVE, What.KEY, key, self._handle(key))
        for bucket in sorted(buckets - set(places) - {self.room.shared_bucket}):
            yield Change(DiffAction.REMOVE, What.BUCKET, bucket, self._handle(bucket))
        for handle in sorted(set(known) - set(self.room.everybody)):
            yield Change(DiffAction.REMOVE, What.ACCOUNT, handle, handle)

    def _handle(self, place: str) -> str:
        return place.removeprefix(f"{self.room.name}-")

    def _file_changes(self, accounts: Accounts) -> Iterator[Change]:
        wanted = self._files(accounts)
        for name, content in wanted.items():
            path = self.folder / name
            there = path.read_text(encoding="utf-8") if path.is_file() else None
            if there == content:
                continue
            what = _what(name)
            action = DiffAction.ADD if there is None else DiffAction.CHANGE
            diff = _diff(there, content) if what is What.MANIFEST and there is not None else ""
            yield Change(action, what, name, path.stem if path.suffix == ".yaml" else "", diff)
        for folder in (MANIFESTS, GITOPS, SECRETS):
            for path in sorted((self.folder / folder).glob("*")):
                name = f"{folder}/{path.name}"
                if name not in wanted:
                    yield Change(DiffAction.REMOVE, _what(name), name, path.stem)

    def _files(self, accounts: Accounts) -> dict[str, str]:
        """Every file of the room that is made, by name."""
        files: dict[str, str] = {}
        for handle, account in accounts.accounts.items():
            endpoint = self.store.endpoint(handle)
            files[f"{MANIFESTS}/{handle}.yaml"] = namespace_manifests(self.room, handle)
            if self.room.repository:
                files[f"{GITOPS}/{handle}.yaml"] = environment(self.room, handle)
            files[f"{SECRETS}/{handle}.yaml"] = secret_manifests(self.room, handle, account, endpoint)
        lines = [f"{handle}:{account.password_hash}\n" for handle, account in accounts.accounts.items()]
        files[f"{SECRETS}/{HTPASSWD_NAME}"] = "".join(lines)
        files[f"{SECRETS}/{LOGIN_NAME}"] = login_secret("".join(lines))
        files[HANDOUTS_NAME] = handouts(self.room, accounts, self.store)
        return files

    def _carry_out(self, change: Change, accounts: Accounts, files: dict[str, str]) -> None:
        adds = change.action is not DiffAction.REMOVE
        match change.what:
            case What.BUCKET:
                (self.store.make_bucket if adds else self.store.remove_bucket)(change.name)
            case What.DATA:
                for key, data in missing_content(self.store, change.name).items():
                    self.store.put(change.name, key, data)
            case What.KEY if adds:
                self.store.grant(change.name, accounts.accounts[change.handle].secret_key)
            case What.KEY:
                self.store.revoke(change.name)
            case What.MANIFEST | What.SECRET | What.HANDOUT if adds:
                mode = PUBLIC if change.what is What.MANIFEST else PRIVATE
                write(self.folder / change.name, files[change.name], mode)
            case What.MANIFEST | What.SECRET | What.HANDOUT:
                (self.folder / change.name).unlink(missing_ok=True)


def _what(name: str) -> What:
    folders = {MANIFESTS: What.MANIFEST, GITOPS: What.MANIFEST, SECRETS: What.SECRET}
    return folders.get(Path(name).parts[0], What.HANDOUT)


def _diff(there: str, content: str) -> str:
    lines = unified_diff(there.splitlines(), content.splitlines(), n=DIFF_CONTEXT_LINES, lineterm="")
    return "\n".join(list(lines)[2:])
