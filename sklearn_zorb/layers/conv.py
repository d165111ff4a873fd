"""The convolution layer."""

from __future__ import annotations

import math
from functools import cache, partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._compat import Interval, StrOptions
from ..linalg import is_jax, namespace
from ..linalg.pseudoinverse import minimum_norm_map
from ..memory import Memory
from .base import Traits
from .contrast import draw_windows, mean_variance, most_varied, with_contrast, without_contrast
from .filters import WHITENING
from .initializers import is_unsupervised
from .linear import LinearLayer
from .windows import POSITIVE, SIZES, Windows, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..typing import Array, Float, Int, Params, Shape, Stream
    from .base import Context, InitialData
    from .initializers import Initializer

# size of the windows and outputs of a matrix product on the CPU, for caches to hold them
CACHED_BYTES = 2e6


class Conv2D(LinearLayer):
    r"""Convolve images, channels last, with :math:`Z_p = X_p W + b` for each window p.

    :math:`X_p` is the row of all pixels and channels under window p. Solved by ridge
    regression of its targets on these rows, every window a row of its own with the weight
    of its sample. Its inverse target takes, for each window, the minimum-norm pixels
    :math:`(T_p - b) W^+`, and for each pixel the mean over the windows it is under.

    With a `contrast` each window is first brought to mean zero and to a spread of about one,
    :math:`X_p \leftarrow (X_p - m_p) / \sqrt{v_p + c\,\bar v}`, with its own mean
    :math:`m_p` and variance :math:`v_p`, and the mean variance :math:`\bar v` of training
    windows; windows of targets get mean and spread of the present ones.

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
        filters). "patches", "kmeans" and "pca" learn from 100 000 windows of training images;
        "data_pairs" pairs, for each image, its window of largest variance.
    contrast : float or None, default=None
        Share c of the mean variance of windows that is added to the variance of each, above 0;
        None takes windows as they are.
    whitening : float, default=0.1
        Share of the mean variance of all directions that is added to that of each, above 0, before
        "patches", "kmeans" and "pca" whiten windows. The larger, the less noise comes into filters:
        0.1 is good for windows of pixels, and 1 for windows of what other filters made.
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

    Filters that are whitened windows of training images, left as they are, with contrast,
    `CReLU` and pooling behind, are those of [1]_.

    References
    ----------
    .. [1] A. Coates and A. Y. Ng, "The Importance of Encoding Versus Training with Sparse Coding
       and Vector Quantization", ICML 2011.

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
        **LinearLayer._parameter_constraints,
        "filters": [POSITIVE],
        "kernel_size": SIZES,
        "stride": SIZES,
        "padding": [StrOptions({"valid", "same"}), Interval(Integral, 0, None, closed="left")],
        "contrast": [None, Interval(Real, 0, None, closed="neither")],
        "whitening": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        filters: Int,
        kernel_size: Int | Sequence[Int] = 3,
        stride: Int | Sequence[Int] = 1,
        *,
        padding: Literal["valid", "same"] | Int = "valid",
        use_bias: bool = True,
        initializer: Initializer | str = "glorot_uniform",
        contrast: Float | None = None,
        whitening: Float = WHITENING,
        alpha: Float | Literal["loo"] | None = None,
        relaxation: Float | None = None,
        rcond: Float | None = None,
    ) -> None:
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.use_bias = use_bias
        self.initializer = initializer
        self.contrast = contrast
        self.whitening = whitening
        self.alpha = alpha
        self.relaxation = relaxation
        self.rcond = rcond

    @property
    def traits(self) -> Traits:  # type: ignore[override]  # it depends on hyperparameters
        # a stride may leave pixels under no window, which keep their present value
        reads = self.contrast is not None or pair("stride", self.stride) != (1, 1)
        return Traits(learns=True, reads_inputs=reads)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self._windows(input_shape).counts, int(self.filters))

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        extra: Params = {}
        drawn = None
        if self.contrast is not None:
            floor = float(self.contrast)
            if data is not None:
                drawn = draw_windows(self._windows(input_shape), rng, data)
                floor *= mean_variance(drawn)
            extra["floor"] = np.asarray(floor)
        if data is None:
            return {**self._drawn(rng, input_shape), **extra}
        examples = partial(self._examples, rng, extra, data, drawn)
        return {**self._drawn(rng, input_shape, examples), **extra}

    def _examples(
        self, rng: np.random.Generator, params: Params, data: InitialData, drawn: np.ndarray | None
    ) -> tuple[Any, ...]:
        """Windows for an initialiser: many of each image, or the one that varies most."""
        inputs, y, sample_weight = data
        windows = self._windows(inputs.shape[1:])
        if not is_unsupervised(self.initializer):
            return with_contrast(most_varied(windows, inputs), params), y, sample_weight
        rows = with_contrast(draw_windows(windows, rng, data) if drawn is None else drawn, params)
        # a function of the user's own whitens as it likes
        known = isinstance(self.initializer, str)
        return (rows, None, None, self.whitening) if known else (rows, None, None)

    def rows(self, params: Params | None, inputs: Array) -> Array:
        return with_contrast(self._windows(inputs.shape[1:]).patches(inputs), params or {})

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        weights, intercept = params["weights"], params["intercept"]
        windows = self._windows(inputs.shape[1:])
        if is_jax(inputs) or is_jax(weights):
            return _convolve(windows, params, inputs) + intercept
        dtype = np.result_type(inputs, weights, intercept)
        outputs = np.empty((len(inputs), *windows.counts, weights.shape[1]), dtype=dtype)
        step = _fitting(windows, weights)
        for start in range(0, len(inputs), step):
            part = slice(start, start + step)
            values = outputs[part].reshape(-1, weights.shape[1])
            np.matmul(self.rows(params, inputs[part]), weights, out=values)
            values += intercept
        return outputs

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        xp, weights = namespace(targets), params["weights"]
        windows = self._windows(self._input_shape(weights, targets, inputs))
        solve = minimum_norm_map(weights, context.backward_rcond)
        images = []
        for part in _chunks(windows, targets, weights):
            # (elements, channels) apart: one piece for each element of the window
            pixels = solve(targets[part] - params["intercept"])
            outside = None if inputs is None else inputs[part]
            if "floor" in params and outside is not None:
                pixels = without_contrast(pixels, windows.patches(outside), params)
            pixels = pixels.reshape(*pixels.shape[:3], math.prod(windows.size), -1)
            images.append(windows.average(xp.moveaxis(pixels, 3, 0), outside))
        return xp.concatenate(images)

    def _windows(self, input_shape: Shape) -> Windows:
        size, stride = pair("kernel_size", self.kernel_size), pair("stride", self.stride)
        return Windows.over(self, input_shape, size, stride, self.padding)

    def _input_shape(self, weights: Array, targets: Array, inputs: Array | None) -> Shape:
        """Shape of one input; without inputs, where the stride is 1, that of the targets."""
        if inputs is not None:
            return inputs.shape[1:]
        size = pair("kernel_size", self.kernel_size)
        if self.padding == "same":
            image = list(targets.shape[1:3])
        else:
            zeros = 0 if self.padding == "valid" else 2 * self.padding
            image = [n - 1 + k - zeros for n, k in zip(targets.shape[1:3], size, strict=True)]
        return (*image, weights.shape[0] // (size[0] * size[1]))


def _convolve(windows: Windows, params: Params, inputs: Array) -> Array:
    """Products of weights and windows by JAX.

    On the CPU, XLA takes the gradients of its own convolution by plain loops wherever they
    stand within a loop, as those of all trainers do.
    """
    import jax

    weights = params["weights"]
    if jax.default_backend() != "cpu" and "floor" not in params:
        return _by_convolution(windows, inputs, weights)
    floor = {"floor": params["floor"]} if "floor" in params else {}
    return _by_patches()(windows, _fitting(windows, weights), inputs, weights, floor)


def _by_convolution(windows: Windows, inputs: Any, weights: Any) -> Array:
    """XLA's own convolution."""
    from jax import lax
    from jax import numpy as jnp

    dtype = jnp.result_type(inputs, weights)
    kernels = jnp.reshape(weights, (*windows.size, inputs.shape[-1], weights.shape[1]))
    return lax.conv_general_dilated(
        jnp.asarray(inputs, dtype),
        kernels.astype(dtype),
        windows.stride,
        windows.pads,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


@cache
def _by_patches() -> Callable[..., Array]:
    """Matrix products of windows cut out, of a number of samples at a time."""
    import jax

    # compiled by itself, since a loop outside compiled code is compiled each time
    @partial(jax.jit, static_argnums=(0, 1))
    def convolve(
        windows: Windows, fitting: int, inputs: Array, weights: Array, floor: Params
    ) -> Any:
        def of_sample(image: Any) -> Any:
            rows = with_contrast(windows.patches(image[None]), floor) @ weights
            return rows.reshape(*windows.counts, weights.shape[1])

        if len(inputs) <= fitting:
            return jax.vmap(of_sample)(inputs)
        # a power of two, which most batches are multiples of; derivatives cut the windows
        # out anew, since to keep them takes longer
        size = 1 << (fitting.bit_length() - 1)
        return jax.lax.map(jax.checkpoint(of_sample), inputs, batch_size=size)

    return convolve


def _fitting(windows: Windows, weights: Array) -> int:
    """How many samples go through a matrix product of their windows together."""
    return max(1, int(CACHED_BYTES // _sample_bytes(windows, weights, weights.dtype)))


def _chunks(windows: Windows, rows: Array, weights: Array) -> list[slice]:
    """Slices of samples whose windows, cut out, take a bounded amount of memory."""
    return Memory().chunks(rows.shape[0], _sample_bytes(windows, weights, rows.dtype))


def _sample_bytes(windows: Windows, weights: Array, dtype: np.dtype[Any]) -> int:
    return dtype.itemsize * math.prod(windows.counts) * sum(weights.shape)
