"""The convolution layer."""

from numbers import Integral

import numpy as np

from .._compat import Interval, StrOptions
from ..linalg import is_jax, namespace
from ..linalg.pseudoinverse import solve_minimum_norm
from ..memory import Memory
from .least_squares import LeastSquaresLayer
from .windows import SIZES, Windows, pair


class Conv2D(LeastSquaresLayer):
    r"""Convolution over images, channels last, :math:`Z_p = X_p W + b` for each window p.

    :math:`X_p` is the row of all pixels and channels under window p. Solved by ridge
    regression of its targets on these rows, every window a row of its own with the weight
    of its sample. Its inverse target takes, for each window, the minimum-norm pixels
    :math:`(T_p - b) W^+`, and for each pixel the mean over the windows it is under.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or pair of int, default=3
        Height and width of the window.
    stride : int or pair of int, default=1
        Step from one window to the next, down and across.
    padding : {"valid", "same"} or int, default="valid"
        "valid" takes windows inside the image only. "same" adds the zeros, as evenly as
        possible on both sides, that make the output ``ceil(input / stride)`` long. A number
        adds as many zeros on every side.
    use_bias : bool, default=True
    initializer : str or callable, default="glorot_uniform"
        As in `Dense`, for weights of shape (kernel height * kernel width * channels,
        filters). "data_pairs" pairs, for each image, its window of largest variance.
    alpha : "loo", float or None, default=None
        Ridge penalty; None takes the estimator's.
    relaxation : float or None, default=None
        Share of the solved weights, in [0, 1]; None takes the estimator's.
    rcond : float or None, default=None
        Relative cut-off on singular values where alpha is 0; None takes the estimator's.

    Notes
    -----
    A pixel under no window, as a stride may leave some, has no target: it keeps its present
    value. Windows that overlap ask for different values of one pixel, so that the mean of
    their targets reproduces the outputs only roughly.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Conv2D
    >>> layer = Conv2D(4, 3, stride=2)
    >>> layer.output_shape((9, 9, 1))
    (4, 4, 4)
    >>> params = layer.init(np.random.default_rng(0), (9, 9, 1))
    >>> layer.forward(params, np.ones((5, 9, 9, 1))).shape
    (5, 4, 4, 4)
    """

    _parameter_constraints = {
        **LeastSquaresLayer._parameter_constraints,
        "filters": LeastSquaresLayer._units,
        "kernel_size": SIZES,
        "stride": SIZES,
        "padding": [StrOptions({"valid", "same"}), Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        stride=1,
        padding="valid",
        use_bias=True,
        initializer="glorot_uniform",
        alpha=None,
        relaxation=None,
        rcond=None,
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.use_bias = use_bias
        self.initializer = initializer
        self.alpha = alpha
        self.relaxation = relaxation
        self.rcond = rcond

    @property
    def needs_inputs(self):
        # windows that step over pixels, or stop short of the border, leave pixels without a
        # target; which ones depends on the size of the image, which is not known here
        size, stride = pair("kernel_size", self.kernel_size), pair("stride", self.stride)
        gaps = any(s > k for s, k in zip(stride, size, strict=True))
        return gaps or (self.padding != "same" and stride != (1, 1))

    def output_shape(self, input_shape):
        return (*self._windows(input_shape).counts, self.n_units(input_shape))

    def n_units(self, input_shape):
        return int(self.filters)

    def row_width(self, input_shape):
        height, width = self._windows(input_shape).size
        return height * width * int(input_shape[2])

    def rows(self, params, inputs):
        return self._windows(inputs.shape[1:]).patches(inputs)

    def forward(self, params, inputs, *, rng=None):
        weights, intercept = params["weights"], params["intercept"]
        windows = self._windows(inputs.shape[1:])
        if is_jax(inputs) or is_jax(weights):
            return _convolve(windows, inputs, weights) + intercept
        dtype = np.result_type(inputs, weights, intercept)
        outputs = np.empty((len(inputs), *windows.counts, weights.shape[1]), dtype=dtype)
        for part in _chunks(windows, inputs, weights):
            values = windows.patches(inputs[part]) @ weights + intercept
            outputs[part] = values.reshape(outputs[part].shape)
        return outputs

    def invert(self, params, targets, inputs, *, rng=None, backward_rcond=None):
        xp, weights = namespace(targets), params["weights"]
        windows = self._windows(params["image"])
        inverse = solve_minimum_norm(weights, xp.eye(weights.shape[1], dtype=targets.dtype),
                                     backward_rcond)
        parts = []
        for part in _chunks(windows, targets, weights):
            pixels = (targets[part] - params["intercept"]) @ inverse
            pieces = xp.split(pixels, len(pixels))
            parts.append(windows.average(pieces, None if inputs is None else inputs[part]))
        return xp.concatenate(parts), params
