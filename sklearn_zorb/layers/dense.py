"""The fully connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy.sparse as sp

from ..linalg.pseudoinverse import minimum_norm_map
from .base import check_flat
from .linear import LinearLayer

if TYPE_CHECKING:
    from ..typing import Array, Float, Int, Params, Shape, Stream
    from .base import Context
    from .initializers import Initializer


class Dense(LinearLayer):
    r"""Connect every unit with every input, :math:`Z = X W + b`.

    Solved by ridge regression of its targets on its inputs, each column centred, the
    intercept not penalised. Its inverse target is :math:`(T - b) W^+`, the minimum-norm
    input that the present weights map to T.

    Parameters
    ----------
    units : int or None, default=None
        Number of outputs. None makes it a read-out: the estimator takes the width from y.
    use_bias : bool, default=True
    initializer : str or callable, default="glorot_uniform"
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "orthogonal",
        "data_pairs" (weights from pairs of training rows), "receptive_fields" (the same within
        windows of square images; `ReceptiveFields` for others), "patches", "kmeans" or "pca"
        (whitened training rows, centres of their clusters, leading components; without y), the
        short names "glorot" and "he", or ``f(rng, shape)`` that returns an array of shape
        (inputs + 1, units), the bias in the last row.
    alpha : "loo", float or None, default=None
        Ridge penalty; None takes the estimator's.
    relaxation : float or None, default=None
        Share of the solved weights, in [0, 1]; None takes the estimator's.
    rcond : float or None, default=None
        Relative cut-off on singular values where alpha is 0; None takes the estimator's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Dense
    >>> layer = Dense(3)
    >>> params = layer.init(np.random.default_rng(0), (2,))
    >>> params["weights"].shape, layer.forward(params, np.ones((5, 2))).shape
    ((2, 3), (5, 3))
    """

    _parameter_constraints = {
        **LinearLayer._parameter_constraints,
        "units": [None, *LinearLayer._units],
    }

    def __init__(
        self,
        units: Int | None = None,
        *,
        use_bias: bool = True,
        initializer: Initializer | str = "glorot_uniform",
        alpha: Float | Literal["loo"] | None = None,
        relaxation: Float | None = None,
        rcond: Float | None = None,
    ) -> None:
        self.units = units
        self.use_bias = use_bias
        self.initializer = initializer
        self.alpha = alpha
        self.relaxation = relaxation
        self.rcond = rcond

    def output_shape(self, input_shape: Shape) -> Shape:
        check_flat(self, input_shape)
        if self.units is None:
            raise ValueError(
                "Dense() without units is a read-out: it may only stand last, or before a "
                "final Softmax or Sigmoid. Pass units=... to a hidden layer."
            )
        return (int(self.units),)

    def rows(self, params: Params | None, inputs: Array) -> Array:
        return inputs

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        outputs = inputs @ params["weights"]
        if sp.issparse(inputs):
            outputs = np.asarray(outputs)
        outputs += params["intercept"]  # in place: no second array of all units
        return outputs

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        solve = minimum_norm_map(params["weights"], context.backward_rcond)
        return solve(targets - params["intercept"])
