"""Ridge with leave-one-out alpha, and minimum norm: the package's one least-squares solver."""

from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from .diagonal import DiagonalEngine, is_diagonal
from .engines import CholeskyEngine, DualEngine, SpectralEngine, qr_engine
from .solution import Solution, Status

# mean eigenvalue times 10^-6 .. 10^3 in half decades
RELATIVE_ALPHAS = 10.0 ** np.arange(-6, 3.25, 0.5)
# below this relative cut-off a Gram matrix, which squares the condition, resolves nothing
GRAM_RCOND = 1e-7
# one eigendecomposition costs about as much as this many rounds of Cholesky
EIGH_LIMIT = 700
# flops beyond which leave-one-out over all rows gives way to GCV, which needs no pass
EXACT_LOO_FLOPS = 5e10
# relative difference of leave-one-out errors that is no difference
ERROR_TOLERANCE = 1e-4
# columns beyond which whole decades of alpha are fine enough: the valley is flat, and each
# try costs two thirds of d^3 flops
WIDE = 3000


class LeastSquares(BaseEstimator):
    r"""Linear least squares with an intercept that is not penalised.

    Minimises :math:`\sum_i w_i \|x_i W + b - t_i\|^2 + \alpha \|W\|^2` over W and b.

    Parameters
    ----------
    alpha : "loo" or float, default="loo"
        Penalty. A float is absolute, as in `sklearn.linear_model.Ridge`, on centred sums.
        "loo" tries 19 values, 1e-6 to 1e3 times the mean eigenvalue of the centred Gram
        matrix, and takes the one of least leave-one-out error; where a pass over all rows
        would cost more than the Gram matrix itself, generalised cross-validation stands in.
        0 gives the minimum-norm solution.
    rcond : float or None, default=None
        Relative cut-off on singular values for `alpha=0`; None means machine epsilon times
        the larger dimension.

    Notes
    -----
    With the eigenvalues s and eigenvectors V of the centred Gram matrix, all alphas share
    one decomposition, and row i left out has the error :math:`r_i / (1 - h_i)`, where
    :math:`h_i = m_i (x_i^T V (s + \alpha)^{-1} V^T x_i + 1/\sum w)` is its leverage and
    :math:`m_i = \min(w_i, 1)`: a weight of 3 is three copies of which one is left out. With
    fewer rows than columns the same is done on the (n_rows, n_rows) matrix of inner
    products; with more than 700 columns a Cholesky factorisation for each alpha tried is
    cheaper, and the grid is searched instead of swept.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.linalg import LeastSquares, System
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> solution = LeastSquares(alpha=0).solve(System.from_arrays(X, 2 * X + 1))
    >>> solution.coef.round(6).tolist(), solution.intercept.round(6).tolist()
    ([[2.0]], [1.0])
    """

    def __init__(self, alpha="loo", rcond=None):
        self.alpha = alpha
        self.rcond = rcond

    def solve(self, system, *, loo_outputs=False):
        """Solve `system`; `loo_outputs=True` also returns every row's left-out prediction."""
        check_alpha(self.alpha)
        if isinstance(self.alpha, Real) and self.alpha == 0:
            engine = self._minimum_norm_engine(system)
            return _finish(system, engine, np.zeros(1), loo_outputs)
        if system.n_rows < system.n_features:
            engine = DualEngine(system)
        else:
            gram = system.gram()
            engine = _primal_engine(gram)
        if self.alpha == "loo":
            alphas = RELATIVE_ALPHAS * (engine.mean_eigenvalue or 1.0)
        else:
            alphas = np.array([float(self.alpha)])
        return _finish(system, engine, alphas, loo_outputs)

    def _minimum_norm_engine(self, system):
        rcond = self.rcond
        if rcond is None:
            rcond = np.finfo(np.float64).eps * max(system.n_rows, system.n_features)
        if rcond >= GRAM_RCOND and system.n_rows >= system.n_features:
            return SpectralEngine.from_gram(system.gram(), rcond=rcond)
        return qr_engine(system, rcond)


def _primal_engine(gram):
    if is_diagonal(gram):
        return DiagonalEngine(gram)
    small = gram.product.shape[0] <= EIGH_LIMIT
    return SpectralEngine.from_gram(gram) if small else CholeskyEngine(gram)


def check_alpha(alpha):
    """Raise ValueError unless alpha is "loo" or a finite number >= 0."""
    if isinstance(alpha, str) and alpha == "loo":
        return
    if isinstance(alpha, Real) and not isinstance(alpha, bool) and 0 <= alpha < np.inf:
        return
    raise ValueError(f"alpha={alpha!r}; pass 'loo' or a finite number >= 0.")


def _finish(system, engine, alphas, want_outputs):
    """Choose alpha, and assemble the solution at it."""
    exact = engine.has_loo or engine.loo_flops(system, len(alphas)) <= EXACT_LOO_FLOPS
    score = _loo_errors if exact else _gcv_errors
    if engine.sweeps or len(alphas) == 1:
        errors, outputs = score(system, engine, alphas)
        best = _least(errors)
    else:
        steps = (4, 2, 1) if system.n_features <= WIDE else (4, 2)
        best, errors, outputs = _search(lambda a: score(system, engine, a), alphas, steps)
    alpha = float(alphas[best])
    coef = engine.coef(alpha)
    intercept = engine.target_mean - engine.mean @ coef
    if want_outputs:
        if outputs is None:
            outputs = _gcv_outputs(system, engine, alpha, coef, intercept)
        else:
            outputs = outputs[best]
    return Solution(
        coef=coef,
        intercept=intercept,
        alpha=alpha,
        dof=float(engine.dof(alpha)),
        loo_error=float(errors[best]),
        criterion="loo" if exact else "gcv",
        method=engine.method,
        status=engine.status(alpha),
        loo_outputs=outputs if want_outputs else None,
        engine=engine,
    )


def _least(errors):
    """Index of the largest alpha that is as good as the best one.

    Where rows are interpolated the error does not depend on alpha, and rounding would
    choose; more penalty is the better conditioned choice.
    """
    least = errors.min()
    return int(np.flatnonzero(errors <= least + ERROR_TOLERANCE * abs(least))[-1])


def _search(score, alphas, steps):
    """Least score over a grid on which it has one valley, in about two evaluations a step."""
    errors = np.full(len(alphas), np.inf)
    outputs = {}

    def visit(index):
        if 0 <= index < len(alphas) and np.isinf(errors[index]):
            error, out = score(alphas[index : index + 1])
            errors[index] = error[0]
            outputs[index] = None if out is None else out[0]

    best = len(alphas) // 3
    visit(best)
    for step in steps:
        while True:
            visit(best - step)
            visit(best + step)
            lower = _least(errors)
            for index in [i for i in outputs if i != lower]:
                outputs[index] = None
            if lower == best:
                break
            best = lower
    kept = None if outputs[best] is None else {best: outputs[best]}
    return best, errors, kept


def _loo_errors(system, engine, alphas):
    """Exact leave-one-out mean squared errors, and outputs of shape (alphas, rows, targets)."""
    if engine.has_loo:
        return engine.loo(alphas)
    xp, errors, outputs = system.ops.xp, 0.0, []
    for rows, targets, weights in system.chunks():
        if sp.issparse(rows):
            rows = rows.toarray()
        centred = rows.astype(np.float64) - engine.mean
        leverages, fitted = engine.project(centred, alphas)
        share = 1.0 if weights is None else xp.minimum(weights, 1.0)[:, None]
        spare = xp.maximum(1 - share * (leverages + engine.centred / engine.weight), 1e-10)
        deviation = targets - engine.target_mean
        residuals = (deviation[None] - fitted) / spare.T[:, :, None]
        squares = (residuals**2).sum(axis=2)
        errors = errors + (squares.sum(axis=1) if weights is None else squares @ weights)
        outputs.append(targets[None] - residuals)
    scale = engine.weight * system.n_targets
    return np.asarray(errors) / scale, xp.concatenate(outputs, axis=1)


def _gcv_errors(system, engine, alphas):
    """Generalised cross-validation: the same with every leverage at its mean."""
    spare = np.array([_mean_spare(system, engine, alpha) for alpha in alphas])
    rss = np.array([engine.residual_squares(alpha) for alpha in alphas])
    return rss / (engine.weight * system.n_targets) / spare**2, None


def _mean_spare(system, engine, alpha):
    count = max(engine.weight, 1.0)
    return max(1 - (engine.dof(alpha) + engine.centred) / count, 1e-10)


def _gcv_outputs(system, engine, alpha, coef, intercept):
    """Left-out predictions with every leverage at its mean: one pass of products."""
    spare = _mean_spare(system, engine, alpha)
    outputs = []
    for rows, targets, _ in system.chunks():
        fitted = rows @ coef.astype(rows.dtype) + intercept
        outputs.append(targets - (targets - fitted) / spare)
    return system.ops.xp.concatenate(outputs)


__all__ = ["LeastSquares", "Solution", "Status", "check_alpha"]
