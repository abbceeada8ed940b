"""Where the model is in the bucket."""

from brakepoint.models import MODEL_NAME

PREFIX = f"models/{MODEL_NAME}"
"""Folder of the model's versions in the bucket."""
COPY_KEY = "models/production/1/model.onnx"
"""Key of the copy for OpenVINO Model Server, which serves the newest of the numeric versions in a folder."""
