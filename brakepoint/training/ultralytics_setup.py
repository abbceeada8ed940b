"""Prepares the import of ultralytics: its settings, and a torchvision that works with torch.

The compiled part of torchvision requires the CUDA build of torch. Without that build, two operators are
missing and the import fails, although ultralytics only needs `nms`, of which it has its own version.
"""

import os
import sys

SETTINGS = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}


def prepare_ultralytics() -> None:
    """Must be called before anything that imports ultralytics, even loading a checkpoint.

    Settings are read only once, when ultralytics is imported.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    _mend_torchvision()


def _mend_torchvision() -> None:
    """Imports torchvision; if this fails, defines the missing operators and imports it again."""
    try:
        import torchvision
    except RuntimeError:
        import torch

        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)
        import torchvision
        from ultralytics.utils.nms import TorchNMS

        torchvision.ops.nms = TorchNMS.nms


_KEPT: list[object] = []
"""Keeps torch libraries alive: a library undoes its definitions when it is garbage-collected."""
