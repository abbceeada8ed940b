"""Records in the room's folder that several commands change."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ValidationError

from brakepoint.errors import UserError
from brakepoint.room.files import PUBLIC, write
from brakepoint.room.locking import locked


class Kept(BaseModel):
    """A record that only one command at a time may change; its file is written atomically.

    A subclass defines the file's name and permissions, and what happens to a damaged file.
    """

    FILE_NAME: ClassVar[str]
    """File name in the room's folder."""
    DAMAGED: ClassVar[str] = ""
    """Key of the message about a damaged file, which is then kept. If empty, a damaged file is reset."""
    MODE: ClassVar[int] = PUBLIC
    """The file's permissions."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads the record; it is empty if there is no file.

        Raises:
            UserError: The file is damaged, and its contents must not be discarded silently.
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
        """Writes the record."""
        write(folder / self.FILE_NAME, self.model_dump_json(indent=2) + "\n", self.MODE)

    @classmethod
    @contextmanager
    def changing(cls, folder: Path) -> Iterator[Self]:
        """Under the room's lock, reads the record and, if the block changes it, writes it."""
        with locked(folder):
            record = cls.load(folder)
            before = record.model_copy(deep=True)
            yield record
            if record != before:
                record.save(folder)
