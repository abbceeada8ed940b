"""Training of the detector: the fixed parts behind step 3. Nothing here imports torch before it is used."""

from brakepoint.training.crops import CROP_PX, cut_crops
from brakepoint.training.progress import watched
from brakepoint.training.session import (
    compute_in_bfloat16,
    export_onnx,
    fall_every_step,
    open_model,
    stop_when,
    strip_checkpoint,
    unfinished,
    use_all_cores,
    write_data_file,
)

__all__ = [
    "CROP_PX",
    "compute_in_bfloat16",
    "cut_crops",
    "export_onnx",
    "fall_every_step",
    "open_model",
    "stop_when",
    "strip_checkpoint",
    "unfinished",
    "use_all_cores",
    "watched",
    "write_data_file",
]
