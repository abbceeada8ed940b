"""The attendees' accounts: passwords and keys, drawn at random and kept in one private file."""

import secrets
import string

import bcrypt
from pydantic import BaseModel, ConfigDict, Field

from brakepoint.room.files import PRIVATE
from brakepoint.room.kept import Kept

ALPHABET = "".join(sorted({*string.ascii_lowercase, *string.digits} - set("ilo01")))
"""Lower-case letters and digits, except those that look alike on paper: i, l, o, 0 and 1."""
GROUPS, GROUP_LENGTH = 4, 4
"""Sixteen characters, 79 bits, in groups that are easy to type from a card."""
HASH_ROUNDS = 8
"""Few rounds are enough: slow hashes protect weak passwords, and these are drawn from 2^79 possibilities."""


class Account(BaseModel):
    """The account of one attendee.

    Attributes:
        password: Password of the attendee's cluster account, whose name is the handle.
        password_hash: Hash of the password, in the format of htpasswd.
        secret_key: Secret key of the object store; as easy to type as the password.
    """

    model_config = ConfigDict(frozen=True)

    password: str
    password_hash: str
    secret_key: str

    @classmethod
    def new(cls) -> "Account":
        """Generates a new account, with random secrets."""
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
    """All accounts that a room ever had, by handle: attendees who leave and return get the same account.

    A damaged file is rejected: continuing without it would lock everyone out.
    """

    FILE_NAME, DAMAGED, MODE = "accounts.json", "room.error.accounts", PRIVATE

    accounts: dict[str, Account] = Field(default_factory=dict)
