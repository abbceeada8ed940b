"""The attendees' accounts: passwords and keys, drawn at random and kept in one private file."""

import secrets
import string
from pathlib import Path

import bcrypt
from pydantic import BaseModel, ConfigDict, ValidationError

from brakepoint.errors import UserError
from brakepoint.room.files import PRIVATE, write

ACCOUNTS_NAME = "accounts.json"
ALPHABET = "".join(sorted({*string.ascii_lowercase, *string.digits} - set("ilo01")))
"""Without what looks alike on paper: i, l, o, 0 and 1."""
GROUPS, GROUP_LENGTH = 4, 4
"""Sixteen characters, 79 bits, in groups that a person can type from a card."""
HASH_ROUNDS = 8
"""A slow hash is for weak passwords; these are drawn from 2^79."""


class Account(BaseModel):
    """One attendee's.

    Attributes:
        password: Of the cluster's account, whose name is the handle.
        password_hash: The same as a line of an htpasswd file has it.
        secret_key: Of the object store; as easy to type as the password.
    """

    model_config = ConfigDict(frozen=True)

    password: str
    password_hash: str
    secret_key: str

    @classmethod
    def new(cls) -> "Account":
        """Draws one."""
        password = _drawn()
        return cls(
            password=password,
            password_hash=bcrypt.hashpw(password.encode(), bcrypt.gensalt(HASH_ROUNDS)).decode(),
            secret_key=_drawn(),
        )


def _drawn() -> str:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


class Accounts(BaseModel):
    """All accounts that a room ever had, by handle: whoever leaves and comes back finds the same."""

    accounts: dict[str, Account] = {}

    @classmethod
    def load(cls, folder: Path) -> "Accounts":
        """Reads them; a room that is not there has none.

        Raises:
            UserError: The file is damaged: to go on would lock everybody out.
        """
        path = folder / ACCOUNTS_NAME
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (ValidationError, UnicodeDecodeError) as error:
            raise UserError("room.error.accounts", path=path) from error

    def save(self, folder: Path) -> None:
        """Writes them for the owner's eyes only."""
        write(folder / ACCOUNTS_NAME, self.model_dump_json(indent=2) + "\n", PRIVATE)
