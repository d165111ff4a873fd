"""Weights of low rank, applied as two thin products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..linalg import namespace
from .base import Layer

if TYPE_CHECKING:
    from ..rows import Rows
    from ..typing import Array, Params, Shape, Stream
    from .base import Context


class Factored(Layer):
    """A layer whose weights are a product of two thin matrices, applied one after the other.

    Params are ``left``, those of the layer that applies the left one, ``right`` of shape
    (rank, units) and ``intercept`` of shape (units,).

    Parameters
    ----------
    layer : Layer
        Applies the left one.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.output_shape(input_shape)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        outputs = self.layer.forward(params["left"], inputs) @ params["right"]
        outputs += params["intercept"]
        return outputs


def two_thin_products(
    layer: Layer, inputs: Rows, left: Array, right: Array, intercept: Array, context: Context
) -> Rows:
    """Outputs of ``left @ right``, not yet computed: n d r flops in place of n d units."""
    xp = namespace(left)
    first = {
        "weights": left.astype(context.dtype),
        "intercept": xp.zeros(left.shape[1], dtype=context.dtype),
    }
    right = xp.asarray(right, dtype=context.dtype)
    params = {"left": first, "right": right, "intercept": intercept.astype(context.dtype)}
    return inputs.then(Factored(layer), params)
