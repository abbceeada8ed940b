"""A network with the same computations as `yolov8n` at 640×640, with random weights and without a download.

Its architecture follows the published one: https://docs.ultralytics.com/models/yolov8/. Only its speed
matters here.
"""

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE_PX = 640
CLASSES = 80
BINS = 16
"""Bins of the distribution that encodes each side of a box."""
STRIDES = (8, 16, 32)
SEED = 8


class Network:
    """Builds a graph piece by piece; each method takes and returns names of values."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(SEED)
        self._numbers = count()
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        """One operation."""
        names = [f"v{next(self._numbers)}" for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def constant(self, values: np.ndarray) -> str:
        """Adds constant values to the network."""
        name = f"c{next(self._numbers)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def plain_conv(self, x: str, channels: tuple[int, int], kernel: int = 1, stride: int = 1) -> str:
        """A convolution without an activation, with its input and output channels."""
        into, out = channels
        scale = (2 / (into * kernel**2)) ** 0.5
        weights = self._random.standard_normal((out, into, kernel, kernel)).astype(np.float32) * scale
        pads = [kernel // 2] * 4
        inputs = (x, self.constant(weights.astype(np.float32)), self.constant(np.zeros(out, np.float32)))
        return self.node("Conv", *inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)[0]

    def conv(self, x: str, channels: tuple[int, int], kernel: int = 1, stride: int = 1) -> str:
        """A convolution and its SiLU."""
        x = self.plain_conv(x, channels, kernel, stride)
        return self.node("Mul", x, self.node("Sigmoid", x)[0])[0]

    def c2f(self, x: str, channels: tuple[int, int], repeats: int, adds: bool) -> str:
        """The block that splits, repeats a bottleneck, and joins everything again."""
        into, out = channels
        half = out // 2
        parts = self.node("Split", self.conv(x, (into, out)), outputs=2, axis=1, num_outputs=2)
        for _ in range(repeats):
            deep = self.conv(self.conv(parts[-1], (half, half), 3), (half, half), 3)
            parts.append(self.node("Add", parts[-1], deep)[0] if adds else deep)
        return self.conv(self.join(*parts), (half * len(parts), out))

    def sppf(self, x: str, channels: int) -> str:
        """The block that pools three times."""
        parts = [self.conv(x, (channels, channels // 2))]
        for _ in range(3):
            pooled = self.node("MaxPool", parts[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4)
            parts += pooled
        return self.conv(self.join(*parts), (2 * channels, channels))

    def join(self, *parts: str, axis: int = 1) -> str:
        """Concatenates values along an axis."""
        return self.node("Concat", *parts, axis=axis)[0]

    def twice_as_large(self, x: str) -> str:
        """Doubles height and width."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", x, "", scales, mode="nearest")[0]

    def flat(self, x: str, *shape: int) -> str:
        """Reshapes a value."""
        return self.node("Reshape", x, self.constant(np.array(shape, np.int64)))[0]

    def head(self, levels: list[tuple[str, int]]) -> str:
        """Boxes and scores of all levels, `(1, 4 + classes, rows)`."""
        boxes, scores = [], []
        for x, channels in levels:
            box = self.conv(self.conv(x, (channels, 4 * BINS), 3), (4 * BINS, 4 * BINS), 3)
            score = self.conv(self.conv(x, (channels, CLASSES), 3), (CLASSES, CLASSES), 3)
            boxes.append(self.flat(self.plain_conv(box, (4 * BINS, 4 * BINS)), 1, 4 * BINS, -1))
            scores.append(self.flat(self.plain_conv(score, (CLASSES, CLASSES)), 1, CLASSES, -1))
        bins = self.node("Softmax", self.flat(self.join(*boxes, axis=2), 1, 4, BINS, -1), axis=2)[0]
        weights = self.constant(np.arange(BINS, dtype=np.float32).reshape(1, 1, BINS, 1))
        axis = self.constant(np.array([2], np.int64))
        sides = self.node("ReduceSum", self.node("Mul", bins, weights)[0], axis, keepdims=0)[0]
        sizes = [(SIZE_PX // stride) ** 2 for stride in STRIDES]
        strides = self.constant(np.repeat(np.array(STRIDES, np.float32), sizes).reshape(1, 1, -1))
        score = self.node("Sigmoid", self.join(*scores, axis=2))[0]
        return self.join(self.node("Mul", sides, strides)[0], score)


def save_model(path: Path) -> None:
    """Writes the network as ONNX."""
    net = Network()
    x = net.conv(net.conv("images", (3, 16), 3, 2), (16, 32), 3, 2)
    x = net.conv(net.c2f(x, (32, 32), 1, True), (32, 64), 3, 2)
    third = net.c2f(x, (64, 64), 2, True)
    fourth = net.c2f(net.conv(third, (64, 128), 3, 2), (128, 128), 2, True)
    fifth = net.sppf(net.c2f(net.conv(fourth, (128, 256), 3, 2), (256, 256), 1, True), 256)
    middle = net.c2f(net.join(net.twice_as_large(fifth), fourth), (384, 128), 1, False)
    small = net.c2f(net.join(net.twice_as_large(middle), third), (192, 64), 1, False)
    medium = net.c2f(net.join(net.conv(small, (64, 64), 3, 2), middle), (192, 128), 1, False)
    large = net.c2f(net.join(net.conv(medium, (128, 128), 3, 2), fifth), (384, 256), 1, False)
    answer = net.head([(small, 64), (medium, 128), (large, 256)])
    rows = sum((SIZE_PX // stride) ** 2 for stride in STRIDES)
    graph = helper.make_graph(
        net.nodes,
        "yolov8n",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, SIZE_PX, SIZE_PX))],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, (1, 4 + CLASSES, rows))],
        net.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    onnx.save(model, part)
    part.replace(path)
