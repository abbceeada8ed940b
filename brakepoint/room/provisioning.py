"""From `room.yaml` to a room: what is to change, doing it, and undoing it.

A room is compared with what is there item by item, so that applying twice changes nothing, and what was
interrupted is completed by applying again. Nothing that an attendee has stored is ever deleted by applying:
who leaves loses the key, and finds work, password and key again after coming back.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.room.accounts import Account, Accounts
from brakepoint.room.config import Room
from brakepoint.room.files import PRIVATE, PUBLIC, make_private_folder, write
from brakepoint.room.handouts import cards, fingerprint, page
from brakepoint.room.manifests import environment, login_secret, namespace_manifests, secret_manifests
from brakepoint.room.records import Records
from brakepoint.room.stores.base import RoomStore
from brakepoint.room.stores.content import missing_content

MANIFESTS, GITOPS, SECRETS = "manifests", "gitops", "secrets"
"""Folders: the first two may be shown to anybody, the third to nobody."""
HANDOUTS_NAME, HTPASSWD_NAME = "handouts.html", "htpasswd"
CARDS_NAME, NEW_CARDS_NAME = "cards.json", "new-cards.html"
"""What was printed on each card, as a fingerprint; and the cards of those alone who need one."""
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


@dataclass(frozen=True)
class CardChanges:
    """What a change means for the cards.

    Attributes:
        new: Handles whose card was never printed.
        again: Handles whose card says what does not hold any more.
        void: Handles that are not in the room any more.
    """

    new: tuple[str, ...]
    again: tuple[str, ...]
    void: tuple[str, ...]


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
        accounts = self._accounts()
        return list(self._changes(accounts, self._files(accounts)))

    def apply(self, on_progress: OnProgress) -> list[Change]:
        """Makes the room as its file says, and says what was changed.

        Args:
            on_progress: Told the number of changes done and of all.
        """
        accounts = self._accounts()
        files = self._files(accounts)
        changes = list(self._changes(accounts, files))
        if not changes:
            return changes
        make_private_folder(self.folder)
        accounts.save(self.folder)
        for done, change in enumerate(changes, 1):
            self._carry_out(change, accounts, files)
            on_progress(done, len(changes))
        return changes

    def card_changes(self) -> CardChanges:
        """Whose card is to be printed, printed again or taken back once the room is applied."""
        printed, wanted = self._printed(), self._fingerprints(self._accounts())
        return CardChanges(
            new=tuple(handle for handle in wanted if handle not in printed),
            again=tuple(handle for handle in wanted if printed.get(handle, wanted[handle]) != wanted[handle]),
            void=tuple(handle for handle in printed if handle not in wanted),
        )

    def print_cards(self, handles: tuple[str, ...]) -> Path:
        """Writes a page with these cards alone, and says where it is.

        Raises:
            UserError: One of them has no account yet.
        """
        accounts = Accounts.load(self.folder)
        missing = [handle for handle in handles if handle not in accounts.accounts]
        if missing:
            raise UserError("room.error.not_applied", room=self.room.name, missing=", ".join(missing[:3]))
        path = self.folder / (f"card-{handles[0]}.html" if len(handles) == 1 else NEW_CARDS_NAME)
        own = self.room.model_copy(update={"attendees": len(handles), "handles": handles})
        write(path, page(own, cards(own, accounts)), PRIVATE)
        return path

    def replace_account(self, handle: str, on_progress: OnProgress) -> list[Change]:
        """Gives one attendee a new password and a new key; the work stays, and the old ones open nothing."""
        self.store.revoke(self.room.place_of(handle))
        accounts = Accounts.load(self.folder)
        accounts.accounts.pop(handle, None)
        accounts.save(self.folder)
        return self.apply(on_progress)

    def reset(self, handle: str, on_progress: OnProgress) -> list[Change]:
        """Gives one attendee a new start: only the data in the bucket, new password and key, no scores."""
        bucket = self.room.place_of(handle)
        self.store.revoke(bucket)
        Records(self.folder).forget(handle, bucket)
        if bucket in self.store.buckets():
            self.store.remove_bucket(bucket)
        return self.replace_account(handle, on_progress)

    def move(self, one: str, other: str) -> None:
        """Exchanges all that two attendees have: work, scores, history. Passwords, keys and cards stay."""
        places = self.room.place_of(one), self.room.place_of(other)
        self.store.swap(*places)
        Records(self.folder).swap((one, other), places)

    def remove(self, on_progress: OnProgress) -> None:
        """Removes everything of the room that was ever made, the folder last."""
        handles = {*Accounts.load(self.folder).accounts, *self.room.everybody}
        places = {self.room.place_of(handle) for handle in handles}
        keys = places & self.store.keys()
        buckets = {*places, self.room.shared_bucket} & self.store.buckets()
        for done, key in enumerate(sorted(keys), 1):
            self.store.revoke(key)
            on_progress(done, len(keys) + len(buckets))
        for done, bucket in enumerate(sorted(buckets), len(keys) + 1):
            self.store.remove_bucket(bucket)
            on_progress(done, len(keys) + len(buckets))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accounts(self) -> Accounts:
        """Those that are known, of who has left, too, and a new one for each attendee who has none."""
        known = Accounts.load(self.folder).accounts
        new = {name: Account.new() for name in self.room.everybody if name not in known}
        return Accounts(accounts=known | new)

    def _printed(self) -> dict[str, str]:
        path = self.folder / CARDS_NAME
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def _fingerprints(self, accounts: Accounts) -> dict[str, str]:
        return {card["handle"]: fingerprint(card) for card in cards(self.room, accounts)}

    def _changes(self, accounts: Accounts, files: dict[str, str]) -> Iterator[Change]:
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
        yield from self._file_changes(files)
        for handle in sorted(set(known) - set(self.room.everybody)):
            if self.room.place_of(handle) in keys:
                yield Change(DiffAction.REMOVE, What.KEY, self.room.place_of(handle), handle)

    def _bucket_changes(self, bucket: str, handle: str, there: set[str]) -> Iterator[Change]:
        if bucket not in there:
            yield Change(DiffAction.ADD, What.BUCKET, bucket, handle)
        if bucket not in there or missing_content(self.store, bucket):
            yield Change(DiffAction.ADD, What.DATA, bucket, handle)

    def _file_changes(self, wanted: dict[str, str]) -> Iterator[Change]:
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
        present = {handle: accounts.accounts[handle] for handle in self.room.everybody}
        for handle, account in present.items():
            files[f"{MANIFESTS}/{handle}.yaml"] = namespace_manifests(self.room, handle)
            if self.room.repository:
                files[f"{GITOPS}/{handle}.yaml"] = environment(self.room, handle)
            files[f"{SECRETS}/{handle}.yaml"] = secret_manifests(self.room, handle, account, self.room.inside)
        lines = [f"{handle}:{account.password_hash}\n" for handle, account in present.items()]
        files[f"{SECRETS}/{HTPASSWD_NAME}"] = "".join(lines)
        files[f"{SECRETS}/{LOGIN_NAME}"] = login_secret("".join(lines))
        files[HANDOUTS_NAME] = page(self.room, cards(self.room, accounts))
        files[CARDS_NAME] = json.dumps(self._fingerprints(accounts), indent=2) + "\n"
        return files

    def _carry_out(self, change: Change, accounts: Accounts, files: dict[str, str]) -> None:
        adds = change.action is not DiffAction.REMOVE
        match change.what:
            case What.BUCKET:
                self.store.make_bucket(change.name)
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
