"""The converter of kernel features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper

from ..layers import Kernel
from ..layers.kernel.functions import KINDS
from .registry import converts

if TYPE_CHECKING:
    from ..typing import Params
    from .tensor import Graph, Tensor


@converts(Kernel)
def kernel(graph: Graph, layer: Kernel, params: Params, inputs: Tensor) -> Tensor:
    double = graph.of(np.float64)
    scale = params["feature_scales"] / params["bandwidth"]
    landmarks = np.asarray(params["landmarks"] * scale, np.float64)
    kind = KINDS[int(params["kind"])]
    rows = double.cast(inputs) * np.float64(scale)
    if kind == "laplace_l1":
        outputs = double("Exp", _manhattan(double, rows, landmarks) * -1.0)
    elif kind == "laplace":
        outputs = double("Exp", double("Sqrt", _squares(double, rows, landmarks)) * -1.0)
    else:
        outputs = double("Exp", _squares(double, rows, landmarks) * -0.5)
    if "projection" in params:
        outputs = outputs @ np.float64(params["projection"]) - np.float64(params["offset"])
        width = params["projection"].shape[1]
    else:
        width = len(landmarks)
    if width < layer.units:
        outputs = double("Pad", outputs, np.array([0, 0, 0, layer.units - width]))
    return graph.cast(outputs)


def _squares(graph: Graph, rows: Tensor, landmarks: np.ndarray) -> Tensor:
    """Squared Euclidean distances, by products."""
    common = landmarks[:64].mean(axis=0)
    rows, landmarks = rows - common, landmarks - common
    sizes = (rows * rows).sum(axis=1, keepdims=True) + (landmarks**2).sum(axis=1)
    return graph("Max", sizes - 2.0 * (rows @ landmarks.T), 0.0)


def _manhattan(graph: Graph, rows: Tensor, landmarks: np.ndarray) -> Tensor:
    """Manhattan distances, row by row."""
    known, row, out = graph.name_of(landmarks), graph.new_name("row"), graph.new_name("distance")
    parts = [graph.new_name(text) for text in ("difference", "size", "axis")]
    axis = helper.make_tensor(parts[2], TensorProto.INT64, [1], [1])
    body = helper.make_graph(
        [
            helper.make_node("Sub", [known, row], [parts[0]]),
            helper.make_node("Abs", [parts[0]], [parts[1]]),
            helper.make_node("ReduceSum", [parts[1], parts[2]], [out], keepdims=0),
        ],
        "distances_of_a_row",
        [helper.make_tensor_value_info(row, TensorProto.DOUBLE, [landmarks.shape[1]])],
        [helper.make_tensor_value_info(out, TensorProto.DOUBLE, [len(landmarks)])],
        [axis],
    )
    return graph("Scan", rows, body=body, num_scan_inputs=1)
