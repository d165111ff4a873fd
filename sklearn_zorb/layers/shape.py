"""Layers that only rearrange."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from .base import Layer, Traits, shape_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Array, Int, Params, Shape, Stream
    from .base import Context, InitialData


class _Rearrangement(Layer):
    """Base: the same numbers in another shape; params remember the shape to go back to."""

    traits = Traits(reads_inputs=False)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        return {"input_shape": np.array(input_shape, dtype=int)}

    def forward(self, params: Params, inputs: Any, *, rng: Stream | None = None) -> Array:
        shape = self.output_shape(inputs.shape[1:])
        if sp.issparse(inputs):
            # flat rows stay sparse; SciPy has no sparse images
            if len(shape) == 1:
                return inputs
            inputs = inputs.toarray()
        return inputs.reshape(inputs.shape[0], *shape)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        shape = tuple(int(length) for length in params["input_shape"])
        return targets.reshape(targets.shape[0], *shape)


class Flatten(_Rearrangement):
    """Make each sample one flat row.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Flatten
    >>> Flatten().forward({}, np.ones((5, 4, 4, 3))).shape
    (5, 48)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)


class Reshape(_Rearrangement):
    """Give each sample another shape.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample, such as (height, width, channels) for images. One entry may be
        -1: it follows from the others.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Reshape
    >>> Reshape((4, 4, -1)).forward({}, np.ones((5, 48))).shape
    (5, 4, 4, 3)
    """

    _parameter_constraints = {"shape": [tuple, list]}

    def __init__(self, shape: Sequence[Int]) -> None:
        self.shape = shape

    def output_shape(self, input_shape: Shape) -> Shape:
        size, shape = math.prod(input_shape), [int(length) for length in self.shape]
        unknown = [i for i, length in enumerate(shape) if length == -1]
        known = math.prod([length for length in shape if length != -1])
        if len(unknown) == 1 and known > 0:
            shape[unknown[0]] = size // known
        if min(shape, default=0) < 1 or math.prod(shape) != size:
            raise shape_error(
                self,
                input_shape,
                f"that is {size} numbers, which shape={self.shape!r} does not hold",
            )
        return tuple(shape)
