"""The model as a service: the fixed parts behind step 5. Nothing here imports kserve before it is used."""

from brakepoint.models import MODEL_NAME

TENSOR_MODEL = MODEL_NAME
"""The model whose inputs and outputs are the network's own tensors, as in OpenVINO Model Server."""
JPEG_MODEL = f"{MODEL_NAME}-jpeg"
"""The model that takes a JPEG and returns boxes."""
TENSOR = "images"
"""Name of the network's input, as ultralytics exports it."""
PICTURE = "picture"
"""Name of the JPEG model's input: one element of BYTES."""
BOXES, SCORES, CLASSES = "boxes", "scores", "classes"
"""Names of the JPEG model's outputs: `(n, 4)` pixels of the picture, `(n,)` 0 to 1, `(n,)` names."""
DATATYPES = {"f": "FP32", "O": "BYTES"}
"""The protocol's names of the types in responses, by numpy's `dtype.kind`."""
