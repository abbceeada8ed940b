"""The registry's records about its models."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Number = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 9000))
"""Times beyond these cannot be shown in every time zone."""


class Version(BaseModel):
    """One published model, which never changes; this record is in `version.json` beside the model.

    Attributes:
        number: Number of the version, counted from 1.
        sha256: Hash of the model file.
        size_bytes: Size of the model file.
        metrics: mAP50 by world, 0 to 1; empty for a model that was published by hand.
        data: Fingerprint of the training data; empty if unknown.
        code: Fingerprint of the training code; empty if unknown.
        published_at: Time of publication.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Number
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)
    metrics: dict[str, Share] = {}
    data: str = ""
    code: str = ""
    published_at: AwareDatetime = Field(ge=EARLIEST, le=LATEST)


class Production(BaseModel):
    """The pointer to the served version.

    Attributes:
        history: Numbers of the versions that were promoted, with the one in production last. A rollback
            removes the last number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: tuple[Number, ...] = ()

    @property
    def number(self) -> int | None:
        """The version in production; None before the first promotion."""
        return self.history[-1] if self.history else None

    def promote(self, number: int) -> "Production":
        """The pointer after a promotion; promoting the version in production changes nothing."""
        return self if number == self.number else Production(history=(*self.history, number))
