"""What a room remembers in a file of its folder, which several commands change."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ValidationError

from brakepoint.errors import UserError
from brakepoint.room.files import PUBLIC, write
from brakepoint.room.locking import locked


class Kept(BaseModel):
    """A record that is read, and changed by one command at a time; its file is whole or as it was.

    A subclass says where and how it is kept.
    """

    FILE_NAME: ClassVar[str]
    """In the room's folder."""
    DAMAGED: ClassVar[str] = ""
    """Key of the message about a damaged file, which then stays; without one the record begins again."""
    MODE: ClassVar[int] = PUBLIC
    """The file's permissions."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads it; without a file it is empty.

        Raises:
            UserError: The file is damaged, and what was in it must not be forgotten in silence.
        """
        path = folder / cls.FILE_NAME
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            if not cls.DAMAGED:
                return cls()
            raise UserError(cls.DAMAGED, path=path) from error

    def save(self, folder: Path) -> None:
        """Writes it."""
        write(folder / self.FILE_NAME, self.model_dump_json(indent=2) + "\n", self.MODE)

    @classmethod
    @contextmanager
    def changing(cls, folder: Path) -> Iterator[Self]:
        """Reads it and, if it was changed, writes it, while nobody else does."""
        with locked(folder):
            record = cls.load(folder)
            before = record.model_copy(deep=True)
            yield record
            if record != before:
                record.save(folder)
