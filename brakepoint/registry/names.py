"""Where the model is in the bucket."""

from brakepoint.models import MODEL_NAME

PREFIX = f"models/{MODEL_NAME}"
"""Folder of the model's versions in the bucket."""
COPY_KEY = "models/production/1/model.onnx"
"""OpenVINO Model Server requires a folder of numeric versions and serves the newest, here the only one."""
