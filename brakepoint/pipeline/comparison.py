"""A new model beside the one in production."""

import html
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from brakepoint.texts import text
from brakepoint.worlds import World

COMPARISON_FILE = "comparison.json"


class Comparison(BaseModel):
    """What both reach on the same pictures.

    Attributes:
        new: mAP50 by world, 0 to 1.
        production: The same of the version in production; None if there is none.
        version: Its number.
    """

    model_config = ConfigDict(frozen=True)

    new: dict[str, float]
    production: dict[str, float] | None = None
    version: int | None = None

    def rows(self) -> list[tuple[str, str, str]]:
        """World, production and new, as a person reads them."""
        before = self.production or {}
        return [
            (text(f"world.{world}"), _figure(before.get(world)), _figure(self.new.get(world)))
            for world in World
        ]

    def as_html(self) -> str:
        """A page with a table, for the page of the run."""
        cells = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows()
        )
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads())
        table = f'<table border="1" cellpadding="6"><tr>{heads}</tr>{cells}</table>'
        return f'<!doctype html><meta charset="utf-8">{table}\n'

    def heads(self) -> tuple[str, str, str]:
        """What stands above the rows."""
        in_production = text("pipeline.production", number=self.version or "–")
        return "mAP50", in_production, text("pipeline.new")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def read_comparison(folder: Path) -> Comparison:
    """What the pipeline's comparison left in its folder."""
    return Comparison.model_validate_json((folder / COMPARISON_FILE).read_bytes())
