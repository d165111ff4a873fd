"""Columns with long tails by their normal scores."""

from numbers import Real

import numpy as np
from scipy.special import ndtri

from .._compat import Interval
from ..linalg import is_jax, to_numpy
from ..rows.quantiles import Ordered, sampled
from .base import Layer, Traits, check_flat, refuse_sparse

# points of a column between which its scores are interpolated, at most
KNOTS = 256
DENSE_ONLY = (
    "ranks values, and zeros would not stay zero: pass dense inputs, or do without the layer."
)


class NormalScores(Layer):
    r"""Columns with long tails by their normal scores, others as they are.

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

    def __init__(self, ratio=5.0):
        self.ratio = ratio

    def output_shape(self, input_shape):
        check_flat(self, input_shape)
        return tuple(input_shape)

    def init(self, rng, input_shape, data=None):
        columns, knots = [], []
        if data is not None:
            rows, sample_weight = sampled(rng, data[0], data[2])
            refuse_sparse(self, rows, DENSE_ONLY)
            for j, column in enumerate(np.asarray(to_numpy(rows), dtype=np.float64).T):
                ordered = Ordered(column, sample_weight)
                if self._is_long(ordered):
                    columns.append(j)
                    knots.append(_knots(ordered))
        pairs = np.reshape(knots, (len(columns), 2, KNOTS))
        return {
            "columns": np.asarray(columns, dtype=np.int64),
            "knots": np.ascontiguousarray(pairs[:, 0]),
            "scores": np.ascontiguousarray(pairs[:, 1]),
        }

    def _is_long(self, ordered):
        values, weight = ordered.distinct()
        if len(values) < 3 or self.ratio == 0:
            return len(values) > 1 and self.ratio == 0
        others = np.arange(len(values)) != weight.argmax()
        rest = Ordered(values[others], weight[others])
        low, high = rest.quantiles([1, 3], 4)
        scale = (high - low) / (2 * ndtri(0.75))
        return rest.deviation() > self.ratio * scale > 0

    def forward(self, params, inputs, *, rng=None):
        refuse_sparse(self, inputs, DENSE_ONLY)
        return _interpolated(inputs, params["columns"], params["knots"], params["scores"])

    def invert(self, params, targets, inputs, context):
        return _interpolated(targets, params["columns"], params["scores"], params["knots"])


def _knots(ordered):
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


def _interpolated(rows, columns, points, values):
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
