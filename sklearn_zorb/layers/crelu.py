"""Responses of both signs."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from .._compat import Interval
from ..linalg import namespace
from .activations import Activation

if TYPE_CHECKING:
    from ..typing import Array, Float, Params, Shape, Stream
    from .base import Context


class CReLU(Activation):
    r"""Put the positive and the negative part of the input, beyond a threshold, side by side.

    :math:`f(z) = [\max(z - \theta, 0),\ \max(-z - \theta, 0)]` on the last axis [1]_; with a
    threshold it is the soft thresholding of sparse codes [2]_. The inverse target is the difference
    of the two halves; the threshold is added to the half from which it was taken.

    Parameters
    ----------
    threshold : float, default=0.0
        :math:`\theta`, at least 0, in the unit of the inputs.

    References
    ----------
    .. [1] W. Shang, K. Sohn, D. Almeida and H. Lee, "Understanding and Improving Convolutional
       Neural Networks via Concatenated Rectified Linear Units", ICML 2016.
    .. [2] A. Coates and A. Y. Ng, "The Importance of Encoding Versus Training with Sparse Coding
       and Vector Quantization", ICML 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import CReLU
    >>> CReLU(0.5).forward({}, np.array([[2.0, -3.0, 0.1]])).tolist()
    [[1.5, 0.0, 0.0, 0.0, 2.5, 0.0]]
    """

    _parameter_constraints = {"threshold": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, threshold: Float = 0.0) -> None:
        self.threshold = threshold

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], 2 * int(input_shape[-1]))

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        xp = namespace(inputs)
        if xp is not np:
            above, below = inputs - self.threshold, -inputs - self.threshold
            return xp.maximum(xp.concatenate([above, below], axis=-1), 0)
        # without arrays in between: memory takes the time
        width = inputs.shape[-1]
        threshold = float(self.threshold)
        dtype = np.result_type(inputs, threshold)
        outputs = np.empty((*inputs.shape[:-1], 2 * width), dtype)
        np.subtract(inputs, threshold, out=outputs[..., :width])
        np.subtract(-threshold, inputs, out=outputs[..., width:])
        return np.maximum(outputs, 0, out=outputs)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        xp = namespace(targets)
        positive, negative = xp.split(targets, 2, axis=-1)
        value = positive - negative
        return value + self.threshold * xp.sign(value)
