"""Outputs of which a few units tell all others: behind weights of low rank."""

from numbers import Real

import numpy as np
import scipy.linalg
from scipy.linalg import blas, lapack

from ..linalg import System, get_backend, namespace, to_numpy
from ..linalg.least_squares import RELATIVE_ALPHAS
from ..linalg.threads import one_library
from .factored import Factored
from .rows import Rows

# variance of a unit that is passed over, beside the least penalty tried: ridge leaves at most
# this share of it
NEGLIGIBLE = 1e-4
# rows for each unit that units are chosen by, and their least number; a fourth as many judge
ROWS_PER_UNIT = 2
LEAST_ROWS = 1500
JUDGED = 4
# how much worse those others may be met
SLACK = 10.0
# units for each number that they are functions of below which none tells the others
WIDER = 16
# share of the units beyond which choosing them saves too little
MOST = 0.6
# flops of the Gram matrix below which choosing takes as long
LEAST_FLOPS = 5e9


class Interpolated:
    """Rows (n, units), known from some of their columns.

    With the columns C that are kept, their mean m over some rows and the mean u of all,

    .. math:: H = (C - m) M + u,

    an interpolative decomposition. A ridge on H is one on r orthonormal combinations of its
    columns: with the Cholesky factor :math:`M M^\\top = L L^\\top`, the rows C L have the
    inner products of H, and weights v for them are :math:`M^\\top L^{-\\top} v` for H, of the
    same norm.

    Parameters
    ----------
    columns : array or Rows of shape (n, r)
    mixing : ndarray of shape (r, units)
        M.
    column_means : ndarray of shape (r,)
    means : ndarray of shape (units,)
    """

    def __init__(self, columns, mixing, column_means, means):
        self.columns, self.mixing = columns, mixing
        self.column_means, self.means = column_means, means
        self.shape = (columns.shape[0], mixing.shape[1])
        self._factor = np.linalg.cholesky(mixing @ mixing.T)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        columns = self.columns[rows]
        mixing, means = self.mixing, self.means - self.column_means @ self.mixing
        return columns @ mixing.astype(columns.dtype) + means.astype(columns.dtype)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype=dtype)

    def with_columns(self, columns):
        """The same units, told by other rows of the columns."""
        return Interpolated(columns, self.mixing, self.column_means, self.means)

    def system(self, system):
        """The least-squares problem on C L, for one on C."""
        return _Combined(system, self._factor, self.shape[1])

    def for_columns(self, coef):
        """Coefficients for the columns kept, from those for C L."""
        return self._factor @ coef

    def expand(self, solution):
        """Turn a solution for C L into one for all units, in place."""
        coef = to_numpy(solution.coef)
        turned = scipy.linalg.solve_triangular(self._factor, coef, lower=True, trans="T")
        everywhere = self.mixing.T @ turned
        shift = self.column_means @ self.for_columns(coef) - self.means @ everywhere
        xp = namespace(solution.coef)
        solution.coef = xp.asarray(everywhere)
        solution.intercept = solution.intercept + xp.asarray(shift)


class _Combined(System):
    """A system on combinations C L of the columns of another: L applied to its sums."""

    def __init__(self, system, factor, n_units):
        self._inner, self._factor = system, factor
        super().__init__(
            self._combined, system.parts, system.n_rows, system.n_features, system.n_targets,
            system.ops.name, system.fit_intercept,
        )  # fmt: skip
        self.n_columns = n_units

    def _combined(self, part):
        rows, targets, weights = self._inner.chunk(part)
        return rows @ self._factor.astype(rows.dtype), targets, weights

    def gram(self):
        return self._inner.gram().combined(self.ops.asarray(self._factor), self.n_columns)


def condense(rows, reader, context):
    """`rows` as `Interpolated`, not yet computed, where a few units tell the others, else None.

    Parameters
    ----------
    rows : Rows of shape (n, units)
        Not yet computed.
    reader : Layer or None
        The layer that alone will read them.
    context : Context
        That it will be solved with.

    Notes
    -----
    Units are chosen by a pivoted Cholesky factorisation of their covariance on evenly spaced
    rows, until what is left of every other is next to nothing beside the least penalty. Other
    rows then tell whether that holds for them too.
    """
    rows = _behind_thin_products(rows)
    if rows is None or not _may_pay(rows, reader, context):
        return None
    with one_library():
        return _condense(rows, reader, context)


def _condense(rows, reader, context):
    width, weights = rows.shape[1], context.sample_weight
    weights = np.ones(len(rows)) if weights is None else weights
    places = np.flatnonzero(weights > 0)
    step = len(places) // max(ROWS_PER_UNIT * width, LEAST_ROWS)
    if step < 3:
        return None
    some, others = places[::step], places[step // 2 :: JUDGED * step]
    alpha = reader.solver(context.solver).alpha
    penalty = alpha / weights.sum() if isinstance(alpha, Real) else None
    # where every other unit tells nothing of its like, all of them would not either
    half, _ = _deviations(_of_units(rows, np.arange(0, width, 2)), some, weights)
    if _choose(half, penalty) is None:
        return None
    sample, means = _deviations(rows, some, weights)
    found = _choose(sample, penalty)
    if found is None:
        return None
    chosen, factor, rest = found
    mixing = _mixing(sample, chosen, factor)
    judged, _ = _deviations(rows, others, weights, means)
    judged -= judged[:, chosen] @ mixing
    if not (judged**2).sum(axis=0).max() <= SLACK * rest:
        return None
    return Interpolated(_of_units(rows, chosen), mixing, means[chosen], means)


def _choose(sample, penalty):
    """Units, the Cholesky factor of their covariance, and the variance that others may keep.

    None where there are too many. A penalty of None is the least one tried.
    """
    width = sample.shape[1]
    if penalty is None:
        penalty = RELATIVE_ALPHAS[0] * (sample**2).sum() / width
    rest = NEGLIGIBLE * penalty
    factor, order, rank, _ = lapack.dpstrf(blas.dsyrk(1.0, sample.T), tol=rest, lower=0)
    if not 0 < rank <= MOST * width or rest == 0:
        return None
    return order[:rank] - 1, factor[:rank, :rank], rest


def _mixing(sample, chosen, factor):
    """M: least squares of all columns of the sample on those that are chosen.

    A Gram matrix solves with half the digits; a second step for what is left brings the rest.
    """
    columns = sample[:, chosen]
    mixing = scipy.linalg.cho_solve((factor, False), columns.T @ sample)
    missing = columns.T @ (sample - columns @ mixing)
    mixing += scipy.linalg.cho_solve((factor, False), missing)
    mixing[:, chosen] = np.eye(len(chosen))
    return mixing


def _behind_thin_products(rows):
    """The same rows, as what the last thin products and what follows make of theirs."""
    places = [i for i, layer in enumerate(rows.layers) if isinstance(layer, Factored)]
    if not places or len(rows.shape) != 2:
        return None
    last, source = places[-1], rows.source
    if last > 0:
        shape = rows.params[last]["left"]["weights"].shape[:1]
        source = Rows(source, rows.layers[:last], rows.params[:last], shape)
    return Rows(source, rows.layers[last:], rows.params[last:], rows.shape[1:])


def _may_pay(rows, reader, context):
    # an accelerator has computed all units before a few are chosen
    if get_backend(context.backend).accelerated:
        return False
    if reader is None or not reader.reads_units(context):
        return False
    n_rows, width = rows.shape
    rank = len(rows.params[0]["right"])
    enough = n_rows * width**2 >= LEAST_FLOPS and rank <= width / WIDER
    return enough and all(layer.elementwise for layer in rows.layers[1:])


def _deviations(rows, places, weights, means=None):
    """Rows less their means, times the roots of their shares of the weight; and the means.

    In double precision, and of the means that are given where they are.
    """
    some = Rows(rows.source[places], rows.layers, rows.params, rows.shape[1:])[:]
    some = np.array(to_numpy(some), dtype=np.float64)
    share = weights[places] / weights[places].sum()
    means = share @ some if means is None else means
    some -= means
    some *= np.sqrt(share)[:, None]
    return some, means


def _of_units(rows, chosen):
    """The same rows, of these units only."""
    params = (rows.layers[0].of_units(rows.params[0], chosen), *rows.params[1:])
    return Rows(rows.source, rows.layers, params, (len(chosen),))
