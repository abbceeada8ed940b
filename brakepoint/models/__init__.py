"""The models that come with the kit; README.md beside this file says how each was made."""

from pathlib import Path

MODEL_NAME = "track"
"""What the shipped model is called, in the bucket and behind an endpoint."""

_FOLDER = Path(__file__).parent
BASE_CHECKPOINT = _FOLDER / "base.pt"
"""Knows the signs of European roads; fine-tuning starts from it."""
BASE_MODEL = _FOLDER / "base.onnx"
SHIPPED_CHECKPOINT = _FOLDER / "track.pt"
SHIPPED_MODEL = _FOLDER / "track.onnx"
"""What `make mission` runs."""
