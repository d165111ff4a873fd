"""Ridge with leave-one-out alpha, and minimum norm: the package's one least-squares solver."""

from functools import partial
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from .backends import get_backend, is_jax
from .diagonal import DiagonalEngine, is_diagonal
from .engines import CholeskyEngine, DualEngine, SpectralEngine, qr_engine
from .left_out import gcv_errors, gcv_outputs, loo_errors
from .solution import Solution, Status
from .threads import thread_limit
from .tridiagonal import LEAST_WIDTH, TridiagonalEngine

# mean eigenvalue times 10^-6 .. 10^3 in half decades
RELATIVE_ALPHAS = 10.0 ** np.arange(-6, 3.25, 0.5)
# mean eigenvalue below which the least penalty underflows; what is as small counts as nothing
SMALLEST_MEAN = np.finfo(np.float64).tiny / RELATIVE_ALPHAS[0]
# below this relative cut-off a Gram matrix, which squares the condition, resolves nothing
GRAM_RCOND = 1e-7
# columns up to which one eigendecomposition takes less time than a search by Cholesky factors;
# and up to which it is taken where factors are few, for one alpha, or cheap, on an accelerator
EIGH_LIMIT = 1000
FEW_FACTORS_LIMIT = 700
# flops beyond which leave-one-out over all rows gives way to that of some, or to GCV
EXACT_LOO_FLOPS = 5e10
# rows for each column from which on leverages differ little, so that their mean, GCV, will do
ROWS_PER_COLUMN = 10
# by what share leave-one-out may rise while GCV falls
SLACK = 0.05
# flops that take as long as the left-out error of one row, target and alpha, at the least
ERROR_FLOPS = 200
# flops of one product of all rows with all columns beyond which no second one is made
ONE_PASS_FLOPS = 5e11
# rows that are left out in turn where all of them are too many
SAMPLED_ROWS = 1000
# relative difference of leave-one-out errors that is no difference
ERROR_TOLERANCE = 1e-4
# and one that only rounding makes
ROUNDING = 1e-8
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
        matrix, and takes the one of least leave-one-out error; where passes over all rows
        would cost more than the Gram matrix itself, that of 1000 rows, or, from ten rows for
        each column or 5e11 flops a pass on, generalised cross-validation. 0 gives the
        minimum-norm solution.
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
    products; with more than 1000 columns a Cholesky factorisation for each alpha tried is
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

    def solve(self, system, *, loo_outputs=False, judges=None):
        """Solve `system`.

        Parameters
        ----------
        system : System
        loo_outputs : bool, default=False
            Whether to return every row's left-out prediction too.
        judges : System or None, default=None
            Those of its rows that alpha is chosen by, each left out in turn.

        Returns
        -------
        Solution
        """
        check_alpha(self.alpha)
        with thread_limit(system.n_rows * system.n_features**2):
            return self._solve(system, loo_outputs, judges)

    def _solve(self, system, loo_outputs, judges):
        if isinstance(self.alpha, Real) and self.alpha == 0:
            engine = self._minimum_norm_engine(system)
            return _finish(system, engine, np.zeros(1), loo_outputs, None)
        if system.n_rows < system.n_features:
            engine = DualEngine(system)
        else:
            engine = self._primal_engine(system.gram())
        return _finish(system, engine, self._alphas(engine), loo_outputs, judges)

    def solve_sums(self, gram, count=None):
        """Solve from accumulated sums alone; alpha is then chosen by GCV.

        Parameters
        ----------
        gram : Gram
        count : float or None, default=None
            How many rows GCV takes the sums for, copies counted each. None takes the sum of
            the weights, or the number of rows where that is larger.

        Returns
        -------
        Solution
        """
        check_alpha(self.alpha)
        if isinstance(self.alpha, Real) and self.alpha == 0:
            rcond = max(self.rcond or 0.0, GRAM_RCOND)
            engine, alphas = SpectralEngine.from_gram(gram, rcond=rcond), np.zeros(1)
        else:
            engine = self._primal_engine(gram)
            alphas = self._alphas(engine)
        score = partial(gcv_errors, gram, engine, keep=False, count=count)
        best, errors, _ = _choose(score, engine, alphas)
        return _solution(engine, float(alphas[best]), errors[best], "gcv")

    def _primal_engine(self, gram):
        if not is_jax(gram.product) and is_diagonal(gram, self._alphas(gram)[0]):
            return DiagonalEngine(gram)
        limit = EIGH_LIMIT
        if self.alpha != "loo" or get_backend(gram.backend).accelerated:
            limit = min(limit, FEW_FACTORS_LIMIT)
        width = gram.product.shape[0]
        if width > limit:
            return CholeskyEngine(gram)
        # a given penalty may be one that eigenvalues alone are safe for
        if self.alpha == "loo" and width >= LEAST_WIDTH and not is_jax(gram.product):
            return TridiagonalEngine(gram)
        return SpectralEngine.from_gram(gram)

    def _alphas(self, of):
        """Penalties to try, for the mean eigenvalue of a Gram matrix or engine."""
        if self.alpha == "loo":
            mean = of.mean_eigenvalue
            return RELATIVE_ALPHAS * (mean if mean > SMALLEST_MEAN else 1.0)
        return np.array([float(self.alpha)])

    def _minimum_norm_engine(self, system):
        rcond = self.rcond
        if rcond is None:
            rcond = np.finfo(np.float64).eps * max(system.n_rows, system.n_features)
        if rcond >= GRAM_RCOND and system.n_rows >= system.n_features:
            return SpectralEngine.from_gram(system.gram(), rcond=rcond)
        return qr_engine(system, rcond)


def check_alpha(alpha):
    """Raise ValueError unless alpha is "loo" or a finite number >= 0."""
    if isinstance(alpha, str) and alpha == "loo":
        return
    if isinstance(alpha, Real) and not isinstance(alpha, bool) and 0 <= alpha < np.inf:
        return
    raise ValueError(f"alpha={alpha!r}; pass 'loo' or a finite number >= 0.")


def _finish(system, engine, alphas, want_outputs, judges):
    """Choose alpha, and assemble the solution at it."""
    judged = judges is not None and not engine.has_loo
    criterion = "loo" if judged else _criterion(system, engine, len(alphas))
    engine = engine if criterion == "gcv" else engine.for_rows()
    if judged:
        score = partial(loo_errors, judges, engine, keep=False)
    elif criterion == "loo":
        score = partial(loo_errors, system, engine, keep=want_outputs)
    elif criterion == "sampled-loo":
        score = partial(loo_errors, system.sample(SAMPLED_ROWS), engine, keep=False)
    else:
        score = partial(gcv_errors, system, engine, keep=False)
    best, errors, outputs = _choose(score, engine, alphas)
    if criterion == "sampled-loo":
        gcv = partial(gcv_errors, system, engine, keep=False)
        best = _descend(score, gcv, alphas, errors, best)
    solution = _solution(engine, float(alphas[best]), errors[best], criterion)
    if want_outputs and outputs is None:
        if criterion == "gcv":
            outputs = gcv_outputs(system, engine, solution)
        else:
            outputs = loo_errors(system, engine, alphas[best : best + 1], keep=True)[1][0]
    solution.loo_outputs = outputs if want_outputs else None
    return solution


def _solution(engine, alpha, error, criterion):
    """The solution at one alpha, and what its engine knows of it."""
    coef = engine.coef(alpha)
    return Solution(
        coef=coef,
        intercept=engine.ops.call(_intercept, engine.target_mean, engine.mean, coef),
        alpha=alpha,
        dof=float(engine.dof(alpha)),
        loo_error=float(error),
        criterion=criterion,
        method=engine.method,
        status=engine.status(alpha),
        engine=engine,
    )


def _intercept(ops, target_mean, mean, coef):
    return target_mean - mean @ coef


def _choose(score, engine, alphas):
    """Index of the best alpha, errors of those tried, and what the score kept at the best."""
    if engine.sweeps or len(alphas) == 1:
        errors, outputs = score(alphas)
        best = _least(errors)
        return best, errors, None if outputs is None else outputs[best]
    step = 1 if len(engine.mean) <= WIDE else 2
    return _search(score, alphas, range(0, len(alphas), step))


def _criterion(system, engine, n_alphas):
    """By what alpha is chosen: the best that the work repays.

    Rows that a feature was made of, such as landmarks, have leverages far above the mean: GCV
    is far off there, unless rows are many.
    """
    if engine.has_loo:
        return "loo"
    many = system.n_rows >= ROWS_PER_COLUMN * system.n_features
    elementwise = ERROR_FLOPS * system.n_rows * system.n_targets * n_alphas
    flops = engine.loo_flops(system, n_alphas) + elementwise
    if flops <= (EXACT_LOO_FLOPS / 10 if many else EXACT_LOO_FLOPS):
        return "loo"
    dear = system.n_rows * system.n_features**2 > ONE_PASS_FLOPS
    return "gcv" if many or dear else "sampled-loo"


def _least(errors):
    """Index of the largest alpha that is as good as the best one.

    Where rows are interpolated the error does not depend on alpha, and rounding would
    choose; more penalty is the better conditioned choice.
    """
    least = errors.min()
    return int((errors <= least + ERROR_TOLERANCE * abs(least)).nonzero()[0][-1])


def _search(score, alphas, indices):
    """Least score over a grid on which it has one valley, by halves of Fibonacci numbers.

    Of two places inside a bracket, the one of the larger score becomes its end, and the other
    one of the next two: one evaluation a step, six for twenty alphas. Where scores are equal but
    for rounding the search goes on towards more penalty, as `_least` does.
    """
    errors, outputs = np.full(len(alphas), np.inf), {}

    def visit(place):
        if place >= len(indices):
            return np.inf
        index = indices[place]
        if np.isinf(errors[index]):
            error, kept = score(alphas[index : index + 1])
            errors[index] = error[0]
            outputs[index] = None if kept is None else kept[0]
            for other in set(outputs) - {_least(errors)}:
                outputs.pop(other)
        return errors[index]

    sizes = [1, 2]
    while sizes[-1] <= len(indices):
        sizes.append(sizes[-2] + sizes[-1])
    start = -1
    for left, right in zip(sizes[-3::-1], sizes[-2:0:-1], strict=True):
        lower, upper = visit(start + left), visit(start + right)
        if not lower < upper * (1 - ROUNDING):
            start += left
    best = _least(errors)
    return best, errors, outputs.get(best)


def _descend(score, other, alphas, errors, best):
    """From the best alpha on to smaller ones that are hardly worse, as long as `other` falls.

    `errors` holds the scores of alphas tried, infinite for others, and takes up new ones.

    A row that is a landmark has a feature that no other row fills. Left out it is missed by
    the more the smaller alpha is, as no new row would be: that holds leave-one-out back.
    """
    most = errors[best] * (1 + SLACK)
    error = other(alphas[best : best + 1])[0][0]
    while best > 0:
        below = alphas[best - 1 : best]
        if np.isinf(errors[best - 1]):
            errors[best - 1] = score(below)[0][0]
        if errors[best - 1] > most or not (next_error := other(below)[0][0]) < error:
            break
        best, error = best - 1, next_error
    return best


__all__ = ["LeastSquares", "Solution", "Status", "check_alpha"]
