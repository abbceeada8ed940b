"""The model as a service: the fixed parts behind step 5. Nothing here imports kserve before it is used."""

from brakepoint.models import MODEL_NAME

TENSOR_MODEL = MODEL_NAME
"""Takes and gives the network's own tensors, as OpenVINO Model Server does."""
JPEG_MODEL = f"{MODEL_NAME}-jpeg"
"""Takes a JPEG and gives boxes."""
TENSOR = "images"
"""Name of the network's input, as ultralytics exports it."""
PICTURE = "picture"
"""Name of the JPEG model's input: one element of BYTES."""
BOXES, SCORES, CLASSES = "boxes", "scores", "classes"
"""Names of its outputs: `(n, 4)` pixels of the picture, `(n,)` 0 to 1, `(n,)` names."""
DATATYPES = {"f": "FP32", "O": "BYTES"}
"""The protocol's names of the types that we send, by numpy's `dtype.kind`."""
