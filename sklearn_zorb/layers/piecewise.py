"""Columns bent at their quantiles, so that a linear read-out draws broken lines."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from .._compat import Interval
from ..linalg import in_precision_of, namespace, to_numpy
from ..rows.quantiles import Ordered, sampled
from .base import Layer, Traits, check_flat, refuse_sparse

if TYPE_CHECKING:
    from ..typing import Array, Int, Params, Shape, Stream
    from .base import Context, InitialData

# of the largest knot: values that differ by less are the same but for rounding
ROUNDING = 8 * np.finfo(np.float64).eps
DENSE_ONLY = (
    "makes ramps of each column, and zeros would not stay zero: pass dense inputs, or do "
    "without the layer."
)


class PiecewiseLinear(Layer):
    r"""Write each column as `n_bins` ramps, one for each bin between its quantiles.

    With the knots :math:`q_0 \le \dots \le q_B` of a column,

    .. math:: r_b(x) = \min(1, \max(0, (x - q_{b-1}) / (q_b - q_{b-1}))), \quad b = 1 \dots B,

    so that a linear model of the ramps is a continuous function of each column, linear between
    the knots and constant outside them: the piecewise-linear encoding of [1]_. Knots are
    quantiles of the training inputs, weighted, or their distinct values where those are few.
    The inverse target is :math:`q_0 + \sum_b (q_b - q_{b-1}) t_b`, kept within the knots.

    Parameters
    ----------
    n_bins : int, default=8
        Bins of a column.

    See Also
    --------
    Parallel : With ``Parallel(Identity | PiecewiseLinear)`` a read-out also goes on outside
        the knots.

    Notes
    -----
    ``params["knots"]`` has shape (n_features, n_bins + 1). A column of fewer bins repeats its
    last knot, and the ramps of no width are zero. The outputs of column j are
    ``outputs[:, j * n_bins : (j + 1) * n_bins]``. Quantiles of more than 20 000 rows are those
    of 20 000 drawn from them. Sparse inputs are refused: their ramps would not be sparse.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko, "On embeddings for numerical features in
       tabular deep learning", NeurIPS (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import PiecewiseLinear
    >>> X = np.array([[0.0], [1.0], [4.0]])
    >>> layer = PiecewiseLinear(2)
    >>> params = layer.init(np.random.default_rng(0), (1,), (X, None, None))
    >>> layer.forward(params, np.array([[-1.0], [0.5], [2.5], [9.0]])).tolist()
    [[0.0, 0.0], [0.5, 0.0], [1.0, 0.5], [1.0, 1.0]]
    """

    traits = Traits(reads_inputs=False)

    _parameter_constraints = {"n_bins": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_bins: Int = 8) -> None:
        self.n_bins = n_bins

    def output_shape(self, input_shape: Shape) -> Shape:
        check_flat(self, input_shape)
        return (int(input_shape[0] * self.n_bins),)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        if data is None:
            # without data: evenly over the bulk of a standardised column
            return {"knots": np.tile(np.linspace(-2, 2, self.n_bins + 1), (*input_shape, 1))}
        rows, sample_weight = sampled(rng, data[0], data[2])
        refuse_sparse(self, rows, DENSE_ONLY)
        rows = np.asarray(to_numpy(rows), dtype=np.float64)
        return {"knots": np.stack([_knots(row, sample_weight, self.n_bins) for row in rows.T])}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        refuse_sparse(self, inputs, DENSE_ONLY)
        xp, knots = namespace(inputs), in_precision_of(inputs, params["knots"])
        left, right = knots[:, :-1], knots[:, 1:]
        # clipped first, so that a narrow bin far away does not overflow
        inside = xp.clip(inputs[:, :, None], left, right) - left
        ramps = inside / xp.where(right > left, right - left, 1)
        return ramps.reshape(inputs.shape[0], -1)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        xp, knots = namespace(targets), in_precision_of(targets, params["knots"])
        left, right = knots[:, :-1], knots[:, 1:]
        steps = targets.reshape(len(targets), *left.shape) * (right - left)
        return xp.clip(left[:, 0] + steps.sum(axis=2), left[:, 0], right[:, -1])


def _knots(column: np.ndarray, sample_weight: Array | None, n_bins: Int) -> np.ndarray:
    """Distinct quantiles of a column, the last one repeated where they are too few."""
    ordered = Ordered(column, sample_weight)
    distinct, _ = ordered.distinct()
    if len(distinct) > n_bins + 1:
        distinct = np.unique(ordered.quantiles(np.arange(n_bins + 1), n_bins))
    # the sine of a half turn is not quite zero: between the two is no bin
    apart = np.diff(distinct) > ROUNDING * np.abs(distinct).max()
    distinct = distinct[np.append(True, apart)]
    return np.append(distinct, np.full(n_bins + 1 - len(distinct), distinct[-1]))
