"""Comparison of a new model with the one in production."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from brakepoint.texts import number, text
from brakepoint.worlds import World

if TYPE_CHECKING:
    from brakepoint.evaluation.compare import Comparison

COMPARISON_FILE = "comparison.json"
JPEG_QUALITY = 85


class ProductionComparison(BaseModel):
    """The results of both models on the same pictures.

    Attributes:
        new: mAP50 by world, 0 to 1.
        production: mAP50 by world of the version in production; None if there is none.
        version: Number of the version in production; None if there is none.
    """

    model_config = ConfigDict(frozen=True)

    new: dict[str, float]
    production: dict[str, float] | None = None
    version: int | None = None

    @classmethod
    def of(cls, compared: "Comparison", version: int | None) -> Self:
        """The figures for the gate.

        Args:
            compared: The old model and the new one.
            version: Number of the old model's version, if it is in production; None if it is only the base
                model.
        """
        new = {str(world): found.new.map50 for world, found in compared.worlds.items()}
        old = {str(world): found.base.map50 for world, found in compared.worlds.items()}
        return cls(new=new, production=old if version else None, version=version)

    def rows(self) -> list[tuple[str, str, str]]:
        """World, production and new, formatted for a person."""
        before = self.production or {}
        return [
            (text(f"world.{world}"), _figure(before.get(world)), _figure(self.new.get(world)))
            for world in World
        ]

    def as_html(self, pictures: Sequence[Path] = ()) -> str:
        """A self-contained page: a table, and pictures of curves and matrices.

        Args:
            pictures: PNG files.
        """
        cells = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows()
        )
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads())
        table = f'<table border="1" cellpadding="6"><tr>{heads}</tr>{cells}</table>'
        images = "".join(_as_image(picture) for picture in pictures)
        return f'<!doctype html><meta charset="utf-8">{table}{images}\n'

    def heads(self) -> tuple[str, str, str]:
        """The column headings."""
        in_production = text("pipeline.production", number=self.version or "–")
        return "mAP50", in_production, text("pipeline.new")


def _as_image(picture: Path) -> str:
    """The picture as JPEG: as PNG, the pictures would make a page of many megabytes."""
    import cv2
    import numpy as np

    jpeg = cv2.imencode(
        ".jpg", np.asarray(cv2.imread(str(picture))), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )[1]
    content = base64.b64encode(jpeg.tobytes()).decode()
    return f'<p><img style="max-width:100%" src="data:image/jpeg;base64,{content}"></p>'


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value, 3)


def read_comparison(folder: Path) -> ProductionComparison:
    """Reads the comparison that the pipeline wrote to its folder."""
    return ProductionComparison.model_validate_json((folder / COMPARISON_FILE).read_bytes())
