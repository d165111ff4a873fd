"""The matrix of inner products of rows, or a kernel: for fewer rows than columns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..left_out import LEAST_SPARE
from .base import Factors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...typing import Array, Result
    from ..backends import Backend
    from ..system import System


class DualRidge:
    r"""Ridge of weighted rows, known by the inner products that they have when centred.

    With :math:`C = D K D + \alpha`, K centred and D the square roots of the weights, residuals
    are :math:`\alpha C^{-1} D t` and leverages :math:`1 - \alpha \,\mathrm{diag}(C^{-1})`: a
    Cholesky factorisation and the inverse of the factor for each penalty, about a tenth of what
    eigenvalues take.

    Parameters
    ----------
    ops : NumpyBackend or JaxBackend
    inner : array of shape (n_rows, n_rows)
        D K D.
    deviation : array of shape (n_rows, n_targets)
        D t, with centred targets t.
    weights : array of shape (n_rows,)
    centred : bool, default=True
        False for rows and targets as they are, without intercept.
    """

    def __init__(
        self, ops: Backend, inner: Array, deviation: Array, weights: Array, centred: bool = True
    ) -> None:
        self.ops, self.deviation = ops, deviation
        self.trace = float(inner.trace())
        self._level = self.trace / len(inner) * centred
        # centring leaves an eigenvalue of zero; lifted to the mean it costs no digits
        self._null = weights / weights.sum() * centred
        root = ops.xp.sqrt(self._null)
        self._inner = inner + self._level * ops.xp.outer(root, root) if centred else inner
        # what rounding leaves of eigenvalues that are zero
        self._noise = np.finfo(np.float64).eps * len(inner) * self.trace
        # of every penalty that was tried
        self._known: dict[float, tuple[Array, Array]] = {}

    def at(self, alpha: float) -> tuple[Array, Array]:
        """Coefficients (n_rows, n_targets) of the weighted rows, and leverages (n_rows,).

        What the intercept adds to the leverages is part of them.
        """
        if alpha not in self._known:
            # a penalty that is lost in rounding is none for a factor
            found = alpha > self._noise and self.ops.ridge(self._inner, self.deviation, alpha)
            if found:
                dual, diagonal = found[1], self.ops.inverse_diagonal(found[0])
            else:
                dual, diagonal = self._decomposed(alpha)
            diagonal = diagonal - self._null / (alpha + self._level)
            self._known[alpha] = dual, 1 - alpha * diagonal
        return self._known[alpha]

    def _decomposed(self, alpha: float) -> tuple[Array, Array]:
        """C^-1 D t and the diagonal of C^-1 by eigenvalues, for copies of rows."""
        values, vectors = self.ops.eigh(self._inner)
        inverse = 1 / (self.ops.xp.where(values > self._noise, values, 0.0) + alpha)
        dual = vectors @ (inverse[:, None] * (vectors.T @ self.deviation))
        return dual, vectors**2 @ inverse


class Dual(Factors):
    """Fewer rows than columns: `DualRidge` on their inner products.

    Parameters
    ----------
    system : System
    """

    method = "dual-cholesky"

    def __init__(self, system: System) -> None:
        ops, xp, centre = system.ops, system.ops.xp, system.fit_intercept
        self.rows, self.targets, weights = system.gather()
        self.weights = xp.ones(len(self.targets)) if weights is None else weights
        share = self.weights / self.weights.sum()
        mean = self.rows.T @ share if sp.issparse(self.rows) else share @ self._precise(self.rows)
        target_mean, self.root = share @ self.targets * centre, xp.sqrt(self.weights)
        deviation = (self.targets - target_mean) * self.root[:, None]
        inner = self._inner_products(mean * centre)
        self.ridge = DualRidge(ops, inner, deviation, self.weights, centre)
        super().__init__(ops, SimpleNamespace(
            weight=float(self.weights.sum()), centre=centre, mean=mean * centre,
            target_mean=target_mean, target_squares=(deviation**2).sum(axis=0),
        ))  # fmt: skip
        self.mean_eigenvalue = self.ridge.trace / system.n_features

    def _precise(self, rows: Any) -> Any:
        return rows.astype(np.float64)

    def _inner_products(self, mean: Array) -> Array:
        if sp.issparse(self.rows):
            product = self._precise(self.rows @ self.rows.T).toarray()
            cross = self.rows @ mean
            product = product - cross[:, None] - cross[None] + mean @ mean
        else:
            centred = self._precise(self.rows) - mean
            product = centred @ centred.T
        return product * self.root[:, None] * self.root[None]

    @staticmethod
    def loo_flops(system: System, n_alphas: int) -> float:
        return 0

    @property
    def order(self) -> int:
        return len(self.targets)

    def solve(self, alpha: float) -> Array:
        dual = self.ridge.at(alpha)[0] * self.root[:, None]
        if sp.issparse(self.rows):
            return self.rows.T @ dual - np.outer(self.mean, dual.sum(axis=0))
        return (self.rows - self.mean).T @ dual

    def dof(self, alpha: float) -> float:
        return self.ridge.at(alpha)[1].sum() - self.centred

    def residual_squares(self, alpha: float) -> float:
        return float(((alpha * self.ridge.at(alpha)[0]) ** 2).sum())

    def variance(self, weights: Array) -> float:
        deviation = (self.rows @ weights - self.mean @ weights) * self.root[:, None]
        return float((deviation**2).sum()) / self.weight

    def project(self, centred: Array, alphas: np.ndarray) -> tuple[Array, Array]:
        raise NotImplementedError("only rows of the system that was solved can be left out.")

    def each_left_out(
        self, system: System, alphas: Sequence[float] | np.ndarray, take: Callable[..., Result]
    ) -> Iterator[Result]:
        xp, (alpha,) = self.ops.xp, alphas

        def positive(values: Any) -> Array:
            return xp.where(values > 0, values, 1.0)

        dual, leverages = self.ridge.at(alpha)
        share = xp.minimum(self.weights, 1.0) / positive(self.weights)
        spare = xp.maximum(1 - share * leverages, LEAST_SPARE)
        residuals = alpha * dual / positive(self.root)[:, None]
        yield take(self.ops, self.targets, self.weights, residuals[:, :, None], spare[:, None])
