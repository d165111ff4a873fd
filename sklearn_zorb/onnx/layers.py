"""Converters of layers whose forward is no plain arithmetic on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..layers import (
    Conv2D,
    EstimatorLayer,
    FlipAverage,
    Parallel,
    ShiftAverage,
    Skip,
    Stack,
    Trees,
)
from .registry import converter_of, converts, sequence

if TYPE_CHECKING:
    from ..typing import Params
    from .tensor import Graph, Tensor


@converts(Parallel, Skip)
def branches(graph: Graph, layer: Parallel | Skip, params: Params, inputs: Tensor) -> Tensor:
    shape = inputs.shape[1:]
    outputs = [sequence(graph, *pair, inputs, shape) for pair in layer.with_params(params)]
    return graph.concat(outputs, axis=-1)


@converts(FlipAverage, ShiftAverage)
def average(graph: Graph, layer: FlipAverage | ShiftAverage, params: Params, inputs: Tensor) -> Any:
    ((block, block_params),), shape = layer.with_params(params), inputs.shape[1:]
    views: list[Any] = [inputs, *layer.other_views(inputs)]  # type: ignore[arg-type]  # tensors for arrays
    outputs = [sequence(graph, block, block_params, view, shape) for view in views]
    return sum(outputs[1:], outputs[0]) / len(outputs)


@converts(Stack)
def stack(graph: Graph, layer: Stack, params: Params, inputs: Tensor) -> Tensor:
    total: Any = 0.0
    shape = inputs.shape[1:]
    for weight, block, block_params in layer.asked(params):
        total = total + weight * sequence(graph, block, block_params, inputs, shape)
    return total


@converts(Conv2D)
def conv2d(graph: Graph, layer: Conv2D, params: Params, inputs: Tensor) -> Tensor:
    # runtimes have convolutions in single precision only
    patches: Any = layer.rows(params, inputs)  # type: ignore[arg-type]  # a tensor stands for an array
    outputs = patches @ params["weights"] + params["intercept"]
    return outputs.reshape(-1, *layer.output_shape(inputs.shape[1:]))


@converts(Trees, EstimatorLayer)
def foreign(graph: Graph, layer: Trees | EstimatorLayer, params: Params, inputs: Tensor) -> Tensor:
    if "estimator" not in params:
        return inputs @ params["surrogate"]
    model = params["estimator"]
    return converter_of(model)(graph, model, inputs)
