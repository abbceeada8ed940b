"""What the registry writes down about its models."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class Version(BaseModel):
    """One published model. It is never changed; `version.json` beside it holds this.

    Attributes:
        number: From 1, growing.
        sha256: Of the model file.
        size_bytes: The same.
        metrics: mAP50 by world, 0 to 1; empty for a model that was published by hand.
        data: Fingerprint of what it learnt from; empty if that is not known.
        code: Fingerprint of what made it; empty if that is not known.
        published_at: When.
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
    """The pointer to what is served.

    Attributes:
        history: Numbers of the versions that were promoted, the one in production last. A rollback takes the
            last away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: tuple[int, ...] = ()

    @property
    def number(self) -> int | None:
        """The version in production; None before the first promotion."""
        return self.history[-1] if self.history else None

    def promote(self, number: int) -> "Production":
        """The pointer after a promotion; promoting what is in production changes nothing."""
        return self if number == self.number else Production(history=(*self.history, number))
