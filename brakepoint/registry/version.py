"""The registry's records about its models."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


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

    number: int = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)
    metrics: dict[str, float] = {}
    data: str = ""
    code: str = ""
    published_at: datetime


class Production(BaseModel):
    """The pointer to the served version.

    Attributes:
        history: Numbers of the versions that were promoted, with the one in production last. A rollback
            removes the last number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: tuple[int, ...] = ()

    @property
    def number(self) -> int | None:
        """The version in production; None before the first promotion."""
        return self.history[-1] if self.history else None

    def promote(self, number: int) -> "Production":
        """The pointer after a promotion; promoting the version in production changes nothing."""
        return self if number == self.number else Production(history=(*self.history, number))
