"""Ridge with leave-one-out alpha, and minimum norm: the package's one least-squares solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.base import BaseEstimator

from ..deprecation import renamed
from .backends import get_backend, is_jax
from .criterion import choose, criterion
from .gcv import gcv_errors, gcv_predictions
from .left_out import LeftOut
from .penalties import RELATIVE_ALPHAS, SMALLEST_MEAN, check_alpha, penalties
from .solution import Solution, spread_of
from .solvers import Cholesky, Diagonal, Dual, Eigen, QrSvd, is_diagonal
from .threads import all_threads, one_thread

if TYPE_CHECKING:
    from ..typing import Array, Float
    from .backends import Backend
    from .gram import Gram
    from .solvers import Factors
    from .system import System

# below this relative cut-off a Gram matrix, which squares the condition, resolves nothing
GRAM_RCOND = 1e-7
# columns up to which eigenvalues take less time than a pass over all rows for each penalty, on
# a CPU and on an accelerator
EIGEN_LIMIT = {False: 1000, True: 700}
# columns from which on a walk by factors takes less time than eigenvalues, without such passes
FACTORS_FROM = 100


class LeastSquares(BaseEstimator):
    r"""Solve linear least squares with an intercept that is not penalised.

    Minimises :math:`\sum_i w_i \|x_i W + b - t_i\|^2 + \alpha \|W\|^2` over W and b.

    Parameters
    ----------
    alpha : "loo" or float, default="loo"
        Penalty. A float is absolute, as in `sklearn.linear_model.Ridge`, on centred sums.
        "loo" tries 19 values, 1e-6 to 1e3 times the mean eigenvalue of the centred Gram
        matrix, and takes the one of least leave-one-out error; where passes over all rows
        would cost more than the Gram matrix itself, that of 500 rows, or, from ten rows for
        each column or 5e11 flops a pass on, generalised cross-validation. 0 gives the
        minimum-norm solution, as does a float below the rounding of the sums.
    rcond : float or None, default=None
        Relative cut-off on singular values for `alpha=0`; None means machine epsilon times
        the larger dimension.

    Notes
    -----
    With the eigenvalues s and eigenvectors V of the centred Gram matrix, all alphas share
    one decomposition, and row i left out has the error :math:`r_i / (1 - h_i)`, where
    :math:`h_i = m_i (x_i^T V (s + \alpha)^{-1} V^T x_i + 1/\sum w)` is its leverage and
    :math:`m_i = \min(w_i, 1)`: a weight of 3 is three copies of which one is left out. With
    more than 1000 columns, or more than 100 where sums alone are looked at, a Cholesky
    factorisation for each alpha tried is cheaper, and the grid is searched instead of swept.
    With fewer rows than columns the same is done on the (n_rows, n_rows) matrix of inner
    products.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.linalg import LeastSquares, System
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> solution = LeastSquares(alpha=0).solve(System.from_arrays(X, 2 * X + 1))
    >>> solution.coef.round(6).tolist(), solution.intercept.round(6).tolist()
    ([[2.0]], [1.0])
    """

    def __init__(self, alpha: Float | Literal["loo"] = "loo", rcond: Float | None = None) -> None:
        self.alpha = alpha
        self.rcond = rcond

    @renamed("0.4", loo_outputs="left_out")
    def solve(
        self,
        system: System,
        *,
        left_out: bool = False,
        judges: System | None = None,
        initial: Array | None = None,
    ) -> Solution:
        """Solve `system`.

        Parameters
        ----------
        system : System
        left_out : bool, default=False
            Whether to return every row's left-out prediction too.
        judges : System or None, default=None
            Those of its rows, no fewer than columns, that alpha is chosen by, each left out in
            turn.
        initial : array of shape (n_features, n_units) or None, default=None
            Weights to compare with those of the solution: its `spread` then tells how far the
            outputs of both, and the targets, vary.

        Returns
        -------
        Solution
        """
        check_alpha(self.alpha)
        with one_thread(), all_threads(min(system.n_rows, system.n_features)):
            factors, by = self._prepare(system)
            if self._vanishes(factors):
                unpenalised = LeastSquares(0, self.rcond)
                return unpenalised.solve(system, left_out=left_out, judges=judges, initial=initial)
            by = by if judges is None else "loo"
            rows = LeftOut(system, factors, keep=left_out)
            alpha, error = choose(by, rows, self._alphas(factors), judges)
            solution = _solution(factors, alpha, error, by)
            if initial is not None:
                solution.spread = spread_of(factors, solution.coef, initial)
            if left_out and by == "gcv":
                solution.left_out = gcv_predictions(system, factors, solution)
            elif left_out:
                solution.left_out = rows.predictions(alpha)
            return solution

    def solve_sums(self, gram: Gram, count: float | None = None) -> Solution:
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
        with one_thread(), all_threads(gram.n_features):
            if self.alpha == 0 or self._vanishes(gram):
                factors: Factors = Eigen.prepare(gram, max(self.rcond or 0.0, GRAM_RCOND))
            else:
                factors = self._pick(gram)[0].prepare(gram)
            alphas = np.zeros(1) if self._vanishes(gram) else self._alphas(factors)
            best, errors = factors.best(lambda some: gcv_errors(gram, factors, some, count), alphas)
            return _solution(factors, float(alphas[best]), errors[best], "gcv")

    def _vanishes(self, of: Factors | Gram) -> bool:
        """Whether a given penalty is nothing beside the rounding of the sums."""
        nothing = max(np.finfo(np.float64).eps * of.mean_eigenvalue, SMALLEST_MEAN)
        return self.alpha != "loo" and bool(0 < self.alpha < nothing)

    def _prepare(self, system: System) -> tuple[Factors, str]:
        """Factors that solve for any penalty, and the criterion by which penalties are compared."""
        tall = system.n_rows >= system.n_features
        if self.alpha != 0 and tall:
            gram = system.gram()
            solver, by = self._pick(gram, system)
            return solver.prepare(gram), by
        rcond = self.rcond
        if rcond is None:
            rcond = np.finfo(np.float64).eps * max(system.n_rows, system.n_features)
        if self.alpha != 0:
            factors: Factors = Dual.prepare(system)
        elif tall and rcond >= GRAM_RCOND:
            factors = Eigen.prepare(system.gram(), rcond)
        else:
            factors = QrSvd.prepare(system, rcond)
        return factors, criterion(system, factors.loo_flops(system, 1), 1)

    def _alphas(self, of: Factors | Gram) -> np.ndarray:
        """Penalties to try, for the mean eigenvalue of a Gram matrix or of factors."""
        return penalties(self.alpha, of.mean_eigenvalue)

    def _pick(self, gram: Gram, system: System | None = None) -> tuple[type[Factors], str]:
        """The solver for sums, and by what penalties are judged: by GCV without a system."""
        solver: type[Factors] = Eigen
        by, searched = "gcv", self.alpha == "loo"
        count = len(RELATIVE_ALPHAS) if searched else 1
        if not is_jax(gram.product) and is_diagonal(gram, self._alphas(gram)[0]):
            solver = Diagonal
        elif gram.n_features > EIGEN_LIMIT[get_backend(gram.backend).accelerated]:
            solver = Cholesky
        if system is not None:
            by = criterion(system, solver.loo_flops(system, count), count)
        few_passes = by == "gcv" or not searched
        if solver is Eigen and few_passes and gram.n_features >= FACTORS_FROM:
            # a given penalty may be one that eigenvalues alone are safe for
            safe = searched or self.alpha >= RELATIVE_ALPHAS[0] * gram.mean_eigenvalue
            solver = Cholesky if safe else Eigen
        return solver, by


def _solution(factors: Factors, alpha: float, error: float, by: str) -> Solution:
    """The solution at one alpha, and what is known of it."""
    coef = factors.solve(alpha)
    return Solution(
        coef=coef,
        intercept=factors.ops.call(_intercept, factors.target_mean, factors.mean, coef),
        alpha=alpha,
        dof=float(factors.dof(alpha)),
        loo_error=float(error),
        criterion=by,
        method=factors.method,
        status=factors.status(alpha),
    )


def _intercept(ops: Backend, target_mean: Array, mean: Array, coef: Array) -> Array:
    return target_mean - mean @ coef
