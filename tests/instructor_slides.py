"""Imports the module for the instructor's slides, which is in the docs folder."""

import importlib.util
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "docs" / "slides.py"
spec = importlib.util.spec_from_file_location("slides", SCRIPT)
assert spec is not None and spec.loader is not None
slides = importlib.util.module_from_spec(spec)
sys.modules["slides"] = slides  # Dataclasses look their module up there.
spec.loader.exec_module(slides)
