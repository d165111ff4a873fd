"""Columns with long tails by their normal scores."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from .._compat import Interval
from ..linalg import is_jax, to_numpy
from ..memory import CACHE_BYTES, Memory
from ..rows.quantiles import Ordered, sampled
from .base import Layer, Traits, check_flat, refuse_sparse

if TYPE_CHECKING:
    from ..typing import Array, Float, Params, Shape, Stream
    from .base import Context, InitialData

# points of a column between which its scores are interpolated, at most
KNOTS = 256
DENSE_ONLY = (
    "ranks values, and zeros would not stay zero: pass dense inputs, or do without the layer."
)


class NormalScores(Layer):
    r"""Replace columns with long tails by their normal scores; leave others as they are.

    With the standard deviation :math:`\sigma` and the robust one

    .. math:: s = \frac{q_{3/4} - q_{1/4}}{\Phi^{-1}(3/4) - \Phi^{-1}(1/4)}

    of a column's values other than the most common one, :math:`q_p` being quantiles, it becomes

    .. math:: z = \Phi^{-1}(F(x)) \quad \text{if } \sigma > r s > 0,

    with r the `ratio`, and stays x otherwise. F(x) is the share of the training inputs below x
    and half of those equal to it, so that z is about normal whatever x is (van der Waerden's
    scores). A log-normal column of which the logarithm deviates by 1 has
    :math:`\sigma / s = 2`, and by 2 already 20. Prices, populations, counts and concentrations
    then have their bulk spread out, which a few large values would else push together into a
    point, and a tail that keeps its order. The most common value is left out because a column
    may be zero in most rows, which says nothing of the others: pixels have no tails. The inverse
    target is :math:`F^{-1}(\Phi(t))`.

    Parameters
    ----------
    ratio : float, default=5.0
        Standard deviations in robust ones from which on a tail is long; 0 takes all columns
        that vary.

    See Also
    --------
    Standardize : Its `clip` draws in outliers of any column.
    sklearn.preprocessing.QuantileTransformer : The same for all columns, without weights.

    Notes
    -----
    ``params`` hold ``columns``, the indices of the n_long columns, and ``knots`` and ``scores``
    of shape (n_long, 256): z is linear between the knots, which are evenly spaced in z, and
    constant outside them. Shares are weighted; those of more than 20 000 rows are those of
    20 000 drawn from them. Sparse inputs are refused: zero would not stay zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import NormalScores
    >>> rng = np.random.default_rng(0)
    >>> X = np.exp([0.5, 3.0] * rng.normal(size=(1000, 2)))
    >>> layer = NormalScores()
    >>> params = layer.init(rng, (2,), (X, None, None))
    >>> params["columns"].tolist()
    [1]
    >>> X.max(axis=0).round(1).tolist()
    [4.2, 9878.4]
    >>> layer.forward(params, X).max(axis=0).round(1).tolist()
    [4.2, 3.3]
    """

    traits = Traits(reads_inputs=False)

    _parameter_constraints = {"ratio": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, ratio: Float = 5.0) -> None:
        self.ratio = ratio

    def output_shape(self, input_shape: Shape) -> Shape:
        check_flat(self, input_shape)
        return tuple(input_shape)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        columns: Any = []
        knots: Any = []
        if data is not None:
            rows, sample_weight = sampled(rng, data[0], data[2])
            refuse_sparse(self, rows, DENSE_ONLY)
            table = np.asarray(to_numpy(rows), dtype=np.float64)
            columns = self._long(table, sample_weight)
            knots = [_knots(Ordered(table[:, j], sample_weight)) for j in columns]
        pairs = np.reshape(knots, (len(columns), 2, KNOTS))
        return {
            "columns": np.asarray(columns, dtype=np.int64),
            "knots": np.ascontiguousarray(pairs[:, 0]),
            "scores": np.ascontiguousarray(pairs[:, 1]),
        }

    def _long(self, table: np.ndarray, sample_weight: Array | None) -> np.ndarray:
        """Columns to be replaced, found some at a time."""
        weight = np.ones(len(table)) if sample_weight is None else to_numpy(sample_weight)
        table, weight = table[weight > 0].T, weight[weight > 0]
        parts = Memory().chunks(len(table), 8 * table.shape[1], CACHE_BYTES)
        long = [_is_long(np.ascontiguousarray(table[part]), weight, self.ratio) for part in parts]
        return np.flatnonzero(np.concatenate(long))

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        refuse_sparse(self, inputs, DENSE_ONLY)
        return _interpolated(inputs, params["columns"], params["knots"], params["scores"])

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        return _interpolated(targets, params["columns"], params["scores"], params["knots"])


def _is_long(columns: np.ndarray, weight: np.ndarray, ratio: Float) -> np.ndarray:
    """Which columns, here one in each row, have long tails beside their most common value."""
    order = np.argsort(columns, axis=1)
    values, weight = np.take_along_axis(columns, order, axis=1), weight[order]
    last = np.append(values[:, 1:] != values[:, :-1], np.ones((len(values), 1), dtype=bool), axis=1)
    long = last.sum(axis=1) > 1
    if ratio == 0:
        return long
    # of two values one is the most common, and the other has no tails
    long = last.sum(axis=1) > 2
    values, weight, last = values[long], weight[long], last[long]
    up_to = np.where(last, np.cumsum(weight, axis=1), 0.0)
    below = np.maximum.accumulate(np.append(np.zeros((len(values), 1)), up_to, axis=1), axis=1)
    most = np.where(last, up_to - below[:, :-1], 0.0).argmax(axis=1)
    rest = values != values[np.arange(len(values)), most][:, None]
    weight = np.where(rest, weight, 0.0)
    total = np.cumsum(weight, axis=1)
    whole = total[:, -1:]
    low, high = (
        values[np.arange(len(values)), (total >= part * whole / 4).argmax(axis=1)]
        for part in (1, 3)
    )
    mean = np.where(rest, weight * values, 0.0).sum(axis=1, keepdims=True) / whole
    squares = weight * np.where(rest, values - mean, 0.0) ** 2
    deviation = np.sqrt(squares.sum(axis=1) / whole[:, 0])
    scale = (high - low) / (2 * ndtri(0.75))
    long[long] = (deviation > ratio * scale) & (scale > 0)
    return long


def _knots(ordered: Ordered) -> tuple[np.ndarray, np.ndarray]:
    """Values of a column, about evenly spaced in their scores, and these scores.

    Fewer values than knots repeat the last one.
    """
    values, weight = ordered.distinct()
    # from the nearer end: a share of 1 less a tiny weight would round to 1, of infinite score
    below, above = np.cumsum(weight) - weight / 2, np.cumsum(weight[::-1])[::-1] - weight / 2
    scores = ndtri(np.minimum(below, above) / weight.sum())
    scores = np.where(below < above, scores, -scores)
    if len(values) > KNOTS:
        wanted = np.linspace(scores[0], scores[-1], KNOTS)
        chosen = np.unique(np.minimum(np.searchsorted(scores, wanted), len(scores) - 1))
        values, scores = values[chosen], scores[chosen]
    missing = (0, KNOTS - len(values))
    return np.pad(values, missing, mode="edge"), np.pad(scores, missing, mode="edge")


def _interpolated(rows: Any, columns: np.ndarray, points: np.ndarray, values: np.ndarray) -> Any:
    """Rows with some of their columns interpolated linearly between points."""
    if not len(columns):
        return rows
    if is_jax(rows):
        import jax

        interpolate = jax.vmap(jax.numpy.interp, in_axes=(1, 0, 0), out_axes=1)
        found = interpolate(rows[:, columns], points, values)
        return rows.at[:, columns].set(found.astype(rows.dtype))
    rows = np.array(rows, dtype=np.result_type(rows.dtype, np.float32))
    for j, own_points, own_values in zip(columns, points, values, strict=True):
        rows[:, j] = np.interp(rows[:, j], own_points, own_values)
    return rows
