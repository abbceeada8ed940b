"""The models that come with the kit; README.md beside this file describes how each was made."""

from pathlib import Path

MODEL_NAME = "track"
"""Name of the shipped model in the bucket and behind an endpoint."""

_FOLDER = Path(__file__).parent
BASE_CHECKPOINT = _FOLDER / "base.pt"
"""The model for the signs of European roads, from which fine-tuning starts."""
BASE_MODEL = _FOLDER / "base.onnx"
SHIPPED_CHECKPOINT = _FOLDER / "track.pt"
SHIPPED_MODEL = _FOLDER / "track.onnx"
"""The model that `make mission` runs."""
