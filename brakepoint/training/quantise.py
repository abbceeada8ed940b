"""Makes a detector smaller and faster: 8-bit weights and activations, with NNCF."""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from brakepoint import extras
from brakepoint.detector import Detector
from brakepoint.detector.letterbox import Letterbox, fill_tensor
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.labels.pictures import pictures_in, read_picture

CALIBRATION_PICTURES = 200
HEAD_CONVOLUTIONS = ("/cv2.", "/cv3.")
"""The only parts of the head that are quantised: the decoding after them mixes pixels with probabilities."""


def quantise(model: Path, pictures: Path, target: Path) -> Path:
    """Quantises an exported model; its metadata is kept.

    Args:
        model: ONNX file in floating point.
        pictures: Dataset or folder of pictures like those that the model will see; the first 200 calibrate
            the quantisation.
        target: The new ONNX file, written atomically.

    Returns:
        `target`.

    Raises:
        UserError: The extra `quantise` is missing, there are no pictures, or the model isn't a model of the
            kit.
    """
    extras.require("quantise")
    images = pictures / "images"
    files = pictures_in(images if images.is_dir() else pictures)[:CALIBRATION_PICTURES]
    if not files:
        raise UserError("training.dataset_empty", path=pictures)
    width, height = Detector(model).input_size_px
    os.environ.setdefault("NNCF_CI", "1")  # Disables NNCF's reports to Google Analytics.
    import nncf
    import onnx
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    logging.getLogger("nncf").setLevel(logging.WARNING)
    network = onnx.load(model)
    name = network.graph.input[0].name

    def as_input(file: Path) -> dict[str, np.ndarray]:
        tensor = np.empty((1, 3, height, width), np.float32)
        image = read_picture(file)
        letterbox = Letterbox.fit((image.shape[1], image.shape[0]), (width, height))
        fill_tensor(letterbox.apply(image), tensor)
        return {name: tensor}

    small = nncf.quantize(
        network,
        nncf.Dataset(files, as_input),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(files),
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=_decoding(network)),
        # A few pictures with glare would stretch the ranges for all others.
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MEDIAN_MINMAX
        ),
    )
    onnx.helper.set_model_props(small, {entry.key: entry.value for entry in network.metadata_props})
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, small.SerializeToString())
    return target


def _decoding(network: Any) -> list[str]:
    """Names of the nodes that decode the outputs of the head's convolutions into boxes."""
    head = max(
        (node.name for node in network.graph.node if node.name.startswith("/model.")),
        key=lambda name: int(name.split("/")[1].removeprefix("model.")),
    ).split("/")[1]
    return [
        node.name
        for node in network.graph.node
        if node.name.startswith(f"/{head}/") and not any(part in node.name for part in HEAD_CONVOLUTIONS)
    ]
