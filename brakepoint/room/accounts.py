"""The attendees' accounts: passwords and keys, drawn at random and kept in one private file."""

import secrets
import string

import bcrypt
from pydantic import BaseModel, ConfigDict, Field

from brakepoint.room.files import PRIVATE
from brakepoint.room.kept import Kept

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


class Accounts(Kept):
    """All accounts that a room ever had, by handle: whoever leaves and comes back finds the same.

    A damaged file is refused: to go on would lock everybody out.
    """

    FILE_NAME, DAMAGED, MODE = "accounts.json", "room.error.accounts", PRIVATE

    accounts: dict[str, Account] = Field(default_factory=dict)
