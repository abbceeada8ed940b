"""From `room.yaml` to a room: plans the changes, applies them, and removes the room.

A room is compared with the existing state item by item: applying twice changes nothing, and applying again
completes an interrupted run. Applying never deletes anything that an attendee has stored: when attendees
leave, they lose access; when they return, they get back their work, password and key.
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
from brakepoint.room.locking import ACCOUNTS, locked
from brakepoint.room.manifests import environment, login_secret, namespace_manifests, secret_manifests
from brakepoint.room.records import Records
from brakepoint.room.stores.base import RoomStore
from brakepoint.room.stores.content import missing_content

MANIFESTS, GITOPS, SECRETS = "manifests", "gitops", "secrets"
"""Folders of manifests: the first two are public, the third is secret."""
HANDOUTS_NAME, HTPASSWD_NAME = "handouts.html", "htpasswd"
CARDS_NAME, NEW_CARDS_NAME = "cards.json", "new-cards.html"
"""Fingerprints of the printed cards, and the page with only those cards that must be printed."""
LOGIN_NAME = f"{HTPASSWD_NAME}.json"
"""The logins as a Secret for `oc apply`; the name cannot collide with an attendee's file, which is YAML."""
DIFF_CONTEXT_LINES = 1


class What(StrEnum):
    """The parts of a room. Texts: `room.what.{value}`."""

    ACCOUNT = "account"
    BUCKET = "bucket"
    DATA = "data"
    KEY = "key"
    MANIFEST = "manifest"
    SECRET = "secret"
    HANDOUT = "handout"


class DiffAction(StrEnum):
    """The action on a part, with the mark used in a diff."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True)
class Change:
    """One difference from the desired state.

    Attributes:
        action: The action to take.
        what: The kind of item to change.
        name: Name of the item: a handle, a bucket, a key or a file.
        handle: The attendee to whom the item belongs; empty if it belongs to the whole room.
        diff: The diff of a file, unless the file is secret.
    """

    action: DiffAction
    what: What
    name: str
    handle: str = ""
    diff: str = ""


@dataclass(frozen=True)
class CardChanges:
    """The consequences of a change for the cards.

    Attributes:
        new: Handles whose card has never been printed.
        again: Handles whose card is out of date.
        void: Handles of attendees who have left the room.
    """

    new: tuple[str, ...]
    again: tuple[str, ...]
    void: tuple[str, ...]


OnProgress = Callable[[int, int], None]


class Provisioner:
    """Plans and applies one room.

    Args:
        room: The room as described by its file.
        store: The room's object store.
    """

    def __init__(self, room: Room, store: RoomStore) -> None:
        self.room, self.store = room, store
        self.folder = room.folder

    def plan(self) -> list[Change]:
        """The changes to make; nothing is modified."""
        accounts = self._accounts()
        return list(self._changes(accounts, self._files(accounts)))

    def apply(self, on_progress: OnProgress) -> list[Change]:
        """Brings the room to the state described by its file, and returns the changes.

        Args:
            on_progress: Called with the number of changes done and the total.
        """
        with locked(self.folder, ACCOUNTS):
            return self._apply(on_progress)

    def _apply(self, on_progress: OnProgress) -> list[Change]:
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
        """Whose card must be printed, reprinted or withdrawn once the room is applied."""
        printed, wanted = self._printed(), self._fingerprints(self._accounts())
        return CardChanges(
            new=tuple(handle for handle in wanted if handle not in printed),
            again=tuple(handle for handle in wanted if printed.get(handle, wanted[handle]) != wanted[handle]),
            void=tuple(handle for handle in printed if handle not in wanted),
        )

    def print_cards(self, handles: tuple[str, ...]) -> Path:
        """Writes a page with only these cards, and returns its path.

        Raises:
            UserError: An attendee has no account yet.
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
        """Gives one attendee a new password and key, and invalidates the old ones; the work is kept."""
        with locked(self.folder, ACCOUNTS):
            return self._replace_account(handle, on_progress)

    def _replace_account(self, handle: str, on_progress: OnProgress) -> list[Change]:
        self.store.revoke(self.room.place_of(handle))
        accounts = Accounts.load(self.folder)
        accounts.accounts.pop(handle, None)
        accounts.save(self.folder)
        return self._apply(on_progress)

    def reset(self, handle: str, on_progress: OnProgress) -> list[Change]:
        """Resets one attendee's bucket to the kit's data, replaces password and key, and deletes scores."""
        bucket = self.room.place_of(handle)
        with locked(self.folder, ACCOUNTS):
            self.store.revoke(bucket)
            if bucket in self.store.buckets():
                self.store.remove_bucket(bucket)
            Records(self.folder).forget(handle, bucket)
            return self._replace_account(handle, on_progress)

    def move(self, one: str, other: str) -> None:
        """Swaps work, scores and history of two attendees. Passwords, keys and cards are not swapped.

        Raises:
            UserError: One of them has no bucket yet.
        """
        places = self.room.place_of(one), self.room.place_of(other)
        there = self.store.buckets()
        missing = [handle for handle in (one, other) if self.room.place_of(handle) not in there]
        if missing:
            raise UserError("room.error.not_applied", room=self.room.name, missing=", ".join(missing))
        with locked(self.folder, ACCOUNTS):
            self.store.swap(*places)
            Records(self.folder).swap((one, other), places)

    def remove(self, on_progress: OnProgress) -> None:
        """Removes everything that was ever created for the room, the folder last."""
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
        """All known accounts, even of attendees who have left, and new ones for attendees who have none."""
        known = Accounts.load(self.folder).accounts
        new = {name: Account.new() for name in self.room.everybody if name not in known}
        return Accounts(accounts=known | new)

    def _printed(self) -> dict[str, str]:
        """The fingerprints of the printed cards; if the file is damaged, all cards are printed again."""
        try:
            return dict(json.loads((self.folder / CARDS_NAME).read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return {}

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
        """Every generated file of the room, by name."""
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
