"""What the model is called, in the bucket and behind an endpoint."""

MODEL_NAME = "track"
PREFIX = f"models/{MODEL_NAME}"
"""Folder of its versions in the bucket."""
COPY_KEY = "models/production/1/model.onnx"
"""OpenVINO Model Server wants a folder of numeric versions and serves the newest: here there is only one."""
