"""Where the model lies in the bucket."""

from brakepoint.models import MODEL_NAME

PREFIX = f"models/{MODEL_NAME}"
"""Folder of its versions in the bucket."""
COPY_KEY = "models/production/1/model.onnx"
"""OpenVINO Model Server wants a folder of numeric versions and serves the newest: here there is only one."""
