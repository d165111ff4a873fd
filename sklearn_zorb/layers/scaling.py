"""Layers that centre and scale."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.sparsefuncs import mean_variance_axis

from .._compat import Interval
from ..linalg import get_backend, in_precision_of, namespace, to_numpy
from ..memory import Memory
from ..rows.remote import total
from .base import Layer, Solved, Traits, refuse_sparse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..rows import Rows, Targets
    from ..typing import Array, Float, Params, Shape, Stream
    from .base import Context, InitialData

# the smooth clip reaches its bound only at infinity: targets are drawn in to this share of it
REACH = 1 - 1e-5
# multiples of the bound of a smooth clip that it cannot be told from; their squares are finite
FAR = 1e15
# rows that say what moments are before a layer is solved
INITIAL_ROWS = 2000
# below, squares have lost digits or vanished
TINY_VARIANCE = 1e-270


class Standardize(Layer):
    r"""Scale each feature to zero mean and unit variance, :math:`z = (x - \mu) / \sigma`.

    Means and standard deviations are those of the training inputs, weighted, feature by
    feature (pixel by pixel and channel by channel for images); a constant feature keeps its
    unit. The inverse target is :math:`\sigma t + \mu`.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to centre. Sparse training inputs are never centred, and stay sparse.
    clip : float or None, default=None
        Bound c of a smooth clip, :math:`z / \sqrt{1 + (z/c)^2}`, which takes the force from
        outliers and hardly moves values well below c.

    See Also
    --------
    BatchNorm : Solved in its turn: behind layers that are solved it takes the moments of what
        they hand on then, where this layer keeps those of their outputs before.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Standardize
    >>> X = np.array([[1.0, 7.0], [3.0, 7.0]])
    >>> layer = Standardize()
    >>> params = layer.init(np.random.default_rng(0), (2,), (X, None, None))
    >>> layer.forward(params, X).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    traits = Traits(reads_inputs=False)

    _parameter_constraints = {
        "with_mean": ["boolean"],
        "clip": [None, Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, with_mean: bool = True, clip: Float | None = None) -> None:
        self.with_mean = with_mean
        self.clip = clip

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        mean, deviation = np.zeros(input_shape), np.ones(input_shape)
        if data is None:
            return {"mean": mean, "deviation": deviation}
        inputs, _, sample_weight = data
        own_mean, variance = moments_of(inputs, sample_weight, Memory(), mean.size)
        constant = is_constant(own_mean, variance, inputs.shape[0])
        deviation = np.where(constant, 1.0, np.sqrt(variance))
        tiny = np.flatnonzero(variance < TINY_VARIANCE)
        if len(tiny):
            chunks = _chunks(inputs, sample_weight, Memory(), mean.size)
            own_mean[tiny], deviation[tiny] = _tiny_moments(
                [(rows[:, tiny], weights) for rows, weights in chunks]
            )
        deviation = deviation.reshape(input_shape)
        if self.with_mean and not sp.issparse(inputs[:1]):
            mean = own_mean.reshape(input_shape)
        return {"mean": mean, "deviation": deviation}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        if sp.issparse(inputs):
            return self._forward_sparse(params, inputs)
        mean = in_precision_of(inputs, params["mean"])
        return self._clipped((inputs - mean) / _divisors(params, inputs))

    def _forward_sparse(self, params: Params, inputs: Any) -> Any:
        if params["mean"].any():
            raise ValueError(
                "Standardize() was fitted to dense inputs and centres, which would make these "
                "sparse ones dense. Pass dense inputs, or use Standardize(with_mean=False)."
            )
        outputs = inputs.tocsr().astype(np.result_type(inputs.dtype, np.float32), copy=True)
        divisors = np.asarray(_divisors(params, outputs))
        # zero stays zero
        outputs.data = self._clipped(outputs.data / divisors[outputs.indices])
        return outputs

    def _clipped(self, values: Array) -> Array:
        if self.clip is None:
            return values
        xp = namespace(values)
        values = xp.clip(values, -FAR * self.clip, FAR * self.clip)
        return values / xp.sqrt(1 + (values / self.clip) ** 2)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        mean, deviation = (
            in_precision_of(targets, params["mean"]),
            in_precision_of(targets, params["deviation"]),
        )
        if self.clip is not None:
            xp = namespace(targets)
            share = xp.clip(targets / self.clip, -REACH, REACH)
            targets = self.clip * share / xp.sqrt(1 - share**2)
        return targets * deviation + mean


class BatchNorm(Layer):
    r"""Scale each channel to zero mean and unit variance where the layer stands.

    :math:`z = s (x - \mu) / \sqrt{v + \epsilon} + o`, one number of each kind for every entry
    of the last axis. Solving sets :math:`\mu` and :math:`v` to the mean and variance of all
    training inputs that really reach the layer, over samples and positions, whatever its
    targets are. The scale s and the offset o begin at 1 and 0 and are moved by gradient
    rules only. The inverse target is :math:`\mu + \sqrt{v + \epsilon}\,(t - o) / s`.

    Parameters
    ----------
    epsilon : float, default=1e-5
        Added to the variance.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import BatchNorm, Context
    >>> from sklearn_zorb.rows import Rows
    >>> X = np.array([[1.0, 4.0], [3.0, 0.0]])
    >>> layer = BatchNorm()
    >>> params = layer.init(np.random.default_rng(0), (2,))
    >>> params = layer.solve(params, Rows(X), None, Context()).params
    >>> layer.forward(params, X).round(3).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """

    traits = Traits(learns=True, reads_targets=False, fits_targets=False, reads_inputs=False)

    _parameter_constraints = {"epsilon": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, *, epsilon: Float = 1e-5) -> None:
        self.epsilon = epsilon

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        channels = int(input_shape[-1])
        mean, variance = np.zeros(channels), np.ones(channels)
        if data is not None:
            inputs, sample_weight = _spaced(data[0], data[2])
            mean, variance = moments_of(inputs, sample_weight, Memory(), channels)
        scale, offset = np.ones(channels), np.zeros(channels)
        return {"mean": mean, "variance": variance, "scale": scale, "offset": offset}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        _refuse_sparse(self, inputs)
        mean, deviation, scale, offset = self._numbers(params, inputs)
        return (inputs - mean) * (scale / deviation) + offset

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        mean, deviation, scale, offset = self._numbers(params, targets)
        # a channel of scale zero gives its offset whatever comes in: its mean will do
        flat = (scale == 0).astype(scale.dtype)
        gain = (1 - flat) * deviation / (scale + flat)
        return mean + (targets - offset) * gain

    def solve(
        self, params: Params, inputs: Rows, targets: Targets | None, context: Context
    ) -> Solved:
        _refuse_sparse(self, inputs[:1])
        width = inputs.shape[-1]
        mean, variance = moments_of(inputs, context.sample_weight, context.memory, width)
        xp = get_backend(context.backend if inputs.for_jax else "numpy").xp
        found = {"mean": mean, "variance": variance}
        return Solved(params | {name: xp.asarray(n, context.dtype) for name, n in found.items()})

    def trainable(self, params: Params) -> Params:
        return {name: params[name] for name in ("scale", "offset")}

    def _numbers(self, params: Params, values: Array) -> Any:
        """Mean, deviation, scale and offset in the precision of `values`."""
        deviation = (params["variance"] + self.epsilon) ** 0.5
        numbers = (params["mean"], deviation, params["scale"], params["offset"])
        return [in_precision_of(values, number) for number in numbers]


def _spaced(inputs: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Spaced rows and their weights, where all are many and layers have yet to make them."""
    step = -(-inputs.shape[0] // INITIAL_ROWS)
    if step == 1 or not getattr(inputs, "layers", ()) or inputs.store is not None or inputs.for_jax:
        return inputs, sample_weight
    return inputs[::step], None if sample_weight is None else sample_weight[::step]


def _divisors(params: Params, inputs: Any) -> Array:
    """Deviations in the precision of the inputs; what vanishes in it is as good as constant."""
    deviation = in_precision_of(inputs, params["deviation"])
    xp = namespace(deviation)
    return xp.where(deviation > 0, deviation, xp.ones_like(deviation))


def _chunks(
    inputs: Any, sample_weight: Array | None, memory: Memory, width: int
) -> Iterator[tuple[Any, Array | None]]:
    """Chunks of inputs as rows of `width` columns, each with the weight of its sample."""
    row_bytes = 16 * math.prod(inputs.shape[1:])
    for part in memory.chunks(inputs.shape[0], row_bytes):
        rows = inputs[part]
        weights = None if sample_weight is None else sample_weight[part]
        if not sp.issparse(rows):
            n_samples, rows = rows.shape[0], rows.reshape(-1, width)
            if weights is not None:
                weights = np.repeat(weights, rows.shape[0] // n_samples)
        yield rows, weights


def _refuse_sparse(layer: Layer, inputs: object) -> None:
    why = (
        "centres its inputs, which would make sparse ones dense. Pass dense inputs, or use "
        "Standardize(), which only scales sparse inputs."
    )
    refuse_sparse(layer, inputs, why)


def moments_of(
    inputs: Any, sample_weight: np.ndarray | None, memory: Memory, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each of `width` columns of rows, wherever they lie."""

    def sums(inputs: Any, sample_weight: np.ndarray | None) -> Any:
        return _sums(_chunks(inputs, sample_weight, memory, width))

    return _moments(total(sums, _joined, inputs, sample_weight))


def moments(chunks: Iterable[tuple[Any, Array | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each column.

    Each chunk is summed about its own mean and merged by the pairwise update of Chan, Golub
    and LeVeque (1983), so that large offsets cost no digits.

    Parameters
    ----------
    chunks : iterable of (rows, weights)
        Arrays, or sparse matrices, of shape (n, n_columns), and (n,) or None.

    Returns
    -------
    mean, variance : ndarray of shape (n_columns,)
    """
    return _moments(_sums(chunks))


def _moments(sums: Any) -> tuple[np.ndarray, np.ndarray]:
    weight, mean, squares = sums
    if weight == 0:
        raise ValueError("There is no row of positive weight to take means of.")
    return mean, squares / weight


def _sums(chunks: Iterable[tuple[Any, Array | None]]) -> Any:
    """Sum of the weights, means, and sums of squares about them."""
    sums = 0.0, 0.0, 0.0
    for rows, weights in chunks:
        weight = float(rows.shape[0] if weights is None else weights.sum())
        if weight > 0:
            mean, variance = _of_chunk(rows, weights)
            sums = _joined(sums, (weight, mean, weight * variance))
    return sums


def _joined(sums: Any, others: Any) -> Any:
    """The sums of both."""
    (before, mean, squares), (weight, own_mean, own_squares) = sums, others
    shift, share = own_mean - mean, weight / (before + weight)
    squares = squares + own_squares + before * share * shift**2
    return before + weight, mean + share * shift, squares


def _tiny_moments(chunks: Sequence[tuple[Any, Array | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations of columns whose squares vanish; 1 for those that are constant."""
    largest = [abs(to_numpy(rows)).max(axis=0) for rows, _ in chunks]
    largest = [one.toarray().ravel() if sp.issparse(one) else one for one in largest]
    largest = np.max(largest, axis=0).astype(np.float64)
    normal = np.finfo(chunks[0][0].dtype).tiny
    unit = np.where(largest > normal, 2.0 ** np.floor(np.log2(np.maximum(largest, normal))), 1.0)
    scaled = [
        (rows.multiply(1 / unit).tocsr() if sp.issparse(rows) else to_numpy(rows) / unit, weights)
        for rows, weights in chunks
    ]
    mean, variance = moments(scaled)
    deviation = unit * np.sqrt(variance)
    n_rows = sum(rows.shape[0] for rows, _ in chunks)
    constant = is_constant(mean, variance, n_rows) | (deviation < normal)
    return mean * unit, np.where(constant, 1.0, deviation)


def _of_chunk(rows: Any, weights: Array | None) -> tuple[np.ndarray, np.ndarray]:
    if sp.issparse(rows):
        mean, variance = mean_variance_axis(rows.tocsr().astype(float), axis=0, weights=weights)
        # rounding leaves variances of constants on either side of zero
        return mean, np.maximum(variance, 0)
    xp = namespace(rows)
    rows = rows.astype(xp.result_type(float), copy=False)
    if weights is None:
        mean = rows.mean(axis=0)
        return to_numpy(mean), to_numpy(_squares(rows, mean).mean(axis=0))
    share = xp.asarray(weights / weights.sum(), dtype=rows.dtype)
    mean = share @ rows
    return to_numpy(mean), to_numpy(share @ _squares(rows, mean))


def _squares(rows: Array, mean: Array) -> Array:
    deviations = rows - mean
    deviations *= deviations
    return deviations


def is_constant(mean: np.ndarray, variance: np.ndarray, n_rows: int) -> np.ndarray:
    """Whether a column's variance is no more than what rounding leaves of a constant."""
    eps = np.finfo(np.float64).eps
    return variance <= n_rows * eps * variance + (n_rows * mean * eps) ** 2
