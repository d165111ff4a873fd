"""Weights of low rank, applied as two thin products."""

import numpy as np

from ..linalg import namespace
from ..linalg.threads import one_library
from .base import Layer
from .rows import through

# flops of the whole product below which looking for factors is not repaid
LEAST_FLOPS = 5e9
# columns of the product that looks for a basis, as a share of the smaller side of the weights
SHARE = 8
# what factors may leave of the weights, relative
ROUNDING = 1e-13


class Factored(Layer):
    """A layer whose weights are a product of two thin matrices, applied one after the other.

    Params are ``left``, those of the layer that applies the left one, ``right`` of shape
    (rank, units) and ``intercept`` of shape (units,).

    Parameters
    ----------
    layer : Layer
        Applies the left one.
    """

    def __init__(self, layer):
        self.layer = layer

    def output_shape(self, input_shape):
        return self.layer.output_shape(input_shape)

    def forward(self, params, inputs, *, rng=None):
        outputs = self.layer.forward(params["left"], inputs) @ params["right"]
        outputs += params["intercept"]
        return outputs

    def of_units(self, params, units):
        """Params of some of the units."""
        right, intercept = params["right"][:, units], params["intercept"][units]
        return {**params, "right": right, "intercept": intercept}


def two_thin_products(layer, inputs, left, right, intercept, context):
    """Outputs of ``left @ right``, not yet computed: n d r flops in place of n d units."""
    xp = namespace(left)
    first = {
        "weights": left.astype(context.dtype),
        "intercept": xp.zeros(left.shape[1], dtype=context.dtype),
    }
    right = xp.asarray(right, dtype=context.dtype)
    params = {"left": first, "right": right, "intercept": intercept.astype(context.dtype)}
    return through(inputs, Factored(layer), params)


def thin_factors(weights, n_rows):
    """(left, right) whose product is `weights`, or None where that would not pay.

    The range of a matrix of low rank is that of its product with a few random vectors
    (Halko, Martinsson and Tropp, 2011).
    """
    count = min(weights.shape) // SHARE
    if count < 1 or n_rows * weights.size < LEAST_FLOPS:
        return None
    with one_library():
        return _factors(np.asarray(weights, dtype=np.float64), count)


def _factors(weights, count):
    probes = np.random.default_rng(0).normal(size=(weights.shape[1], count))
    left, triangle = np.linalg.qr(weights @ probes)
    sizes = np.abs(np.diag(triangle))
    left = left[:, sizes > ROUNDING * sizes.max(initial=0.0)]
    if left.shape[1] == count:
        return None
    right = left.T @ weights
    rest = np.linalg.norm(weights - left @ right)
    return (left, right) if rest <= ROUNDING * len(weights) * np.linalg.norm(weights) else None
