"""The convolution layer."""

from __future__ import annotations

import math
from functools import cache, partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._compat import Interval, StrOptions
from ..linalg import is_jax, namespace, to_numpy
from ..linalg.pseudoinverse import minimum_norm_map
from ..memory import Memory
from .base import Traits
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
        **LinearLayer._parameter_constraints,
        "filters": [POSITIVE],
        "kernel_size": SIZES,
        "stride": SIZES,
        "padding": [StrOptions({"valid", "same"}), Interval(Integral, 0, None, closed="left")],
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
        self.alpha = alpha
        self.relaxation = relaxation
        self.rcond = rcond

    @property
    def traits(self) -> Traits:  # type: ignore[override]  # it depends on hyperparameters
        # a stride may leave pixels under no window, which keep their present value
        return Traits(learns=True, reads_inputs=pair("stride", self.stride) != (1, 1))

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self._windows(input_shape).counts, int(self.filters))

    def rows(self, params: Params | None, inputs: Array) -> Array:
        return self._windows(inputs.shape[1:]).patches(inputs)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        weights, intercept = params["weights"], params["intercept"]
        windows = self._windows(inputs.shape[1:])
        if is_jax(inputs) or is_jax(weights):
            return _convolve(windows, inputs, weights) + intercept
        dtype = np.result_type(inputs, weights, intercept)
        outputs = np.empty((len(inputs), *windows.counts, weights.shape[1]), dtype=dtype)
        step = _fitting(windows, weights)
        for start in range(0, len(inputs), step):
            part = slice(start, start + step)
            values = outputs[part].reshape(-1, weights.shape[1])
            np.matmul(windows.patches(inputs[part]), weights, out=values)
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
            pixels = pixels.reshape(*pixels.shape[:3], math.prod(windows.size), -1)
            outside = None if inputs is None else inputs[part]
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

    def _rows_of(self, data: InitialData | None) -> Callable[[], tuple[Any, ...]] | None:
        if data is None:
            return None
        inputs, y, sample_weight = data
        return lambda: (self._most_contrast(inputs), y, sample_weight)

    def _most_contrast(self, inputs: Any) -> np.ndarray:
        """The window of largest variance in each image: one row for each sample.

        It depends on the image alone, so that repeating a sample changes nothing.
        """
        windows, width = self._windows(inputs.shape[1:]), self._width(inputs.shape[1:])
        positions = math.prod(windows.counts)
        chosen = []
        for part in Memory().chunks(inputs.shape[0], 16 * positions * width):
            rows = to_numpy(windows.patches(inputs[part])).reshape(-1, positions, width)
            best = rows.var(axis=2).argmax(axis=1)
            chosen.append(rows[np.arange(len(rows)), best])
        return np.concatenate(chosen)


def _convolve(windows: Windows, inputs: Array, weights: Array) -> Array:
    """Products of weights and windows by JAX.

    On the CPU, XLA takes the gradients of its own convolution by plain loops wherever they
    stand within a loop, as those of all trainers do.
    """
    import jax

    if jax.default_backend() != "cpu":
        return _by_convolution(windows, inputs, weights)
    return _by_patches()(windows, _fitting(windows, weights), inputs, weights)


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
    def convolve(windows: Windows, fitting: int, inputs: Array, weights: Array) -> Any:
        def of_sample(image: Any) -> Any:
            rows = windows.patches(image[None]) @ weights
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
