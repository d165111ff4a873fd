"""Cholesky factors: one for each penalty, cheaper than eigenvalues where columns are many."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import get_backend, to_numpy
from ..solution import Status
from .base import Factors
from .eigen import Eigen

if TYPE_CHECKING:
    from ...typing import Array
    from ..backends import Backend
    from ..gram import Gram
    from ..system import System

# columns beyond which degrees of freedom are estimated, and with how many random signs
PROBED = 2000
PROBES = 64


class Cholesky(Factors):
    """A factor of the centred Gram matrix for each penalty; eigenvalues where there is none.

    Parameters
    ----------
    gram : Gram
    """

    method = "primal-cholesky"

    def __init__(self, gram: Gram) -> None:
        super().__init__(get_backend(gram.backend), gram)
        self.gram, self.mean_eigenvalue = gram, gram.mean_eigenvalue
        self._total = float(np.sum(to_numpy(gram.target_squares)))
        # results of every alpha tried, and the factor of the last one, which is large
        self._solved: dict[float, Any] = {}
        self._dof: dict[float, float] = {}
        self._last: tuple[float | None, Any] = (None, None)

    @staticmethod
    def loo_flops(system: System, n_alphas: int) -> float:
        width = system.n_features
        return min(n_alphas, 8) * system.n_rows * width * (width + 2 * system.n_targets)

    @cached_property
    def _eigen(self) -> Eigen:
        return Eigen.prepare(self.gram)

    def _factor(self, alpha: float) -> Array:
        if self._last[0] != alpha:
            found = self.ops.ridge(self.gram.product, self.gram.cross, alpha)
            factor, *solved = found or (None, None, None)
            self._last, self._solved[alpha] = (alpha, factor), solved
        return self._last[1]

    def _at(self, alpha: float) -> tuple[Array, float] | tuple[None, None]:
        """Coefficients and what they gain, None both where the matrix is not definite."""
        if alpha not in self._solved:
            self._factor(alpha)
        return self._solved[alpha]

    def solve(self, alpha: float) -> Array:
        coef, _ = self._at(alpha)
        return self._eigen.solve(alpha) if coef is None else coef

    def dof(self, alpha: float) -> float:
        if self._at(alpha)[0] is None:
            return self._eigen.dof(alpha)
        if alpha not in self._dof:
            self._dof[alpha] = len(self.mean) - alpha * self._inverse_trace(self._factor(alpha))
        return self._dof[alpha]

    def _inverse_trace(self, factor: Array) -> float:
        """Trace of the inverse, beyond `PROBED` columns the mean of z' A^-1 z over signs z.

        The inverse of the factor would cost as much as the factor. (Hutchinson, 1990.)
        """
        width = len(self.mean)
        if width <= PROBED:
            return float(self.ops.inverse_diagonal(factor).sum())
        signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(PROBES, width))
        return float(self.ops.leverages(factor, self.ops.asarray(signs)).mean())

    def residual_squares(self, alpha: float) -> float:
        _, gain = self._at(alpha)
        if gain is None:
            return self._eigen.residual_squares(alpha)
        # r'r = t't - w'c - alpha w'w, from (G + alpha) w = c
        return max(self._total - gain, 0.0)

    def variance(self, weights: Array) -> float:
        return float(self.ops.call(_variance, self.gram.product, weights)) / self.weight

    def project(self, centred: Array, alphas: np.ndarray) -> tuple[Array, Array]:
        (alpha,) = alphas
        coef, _ = self._at(alpha)
        if coef is None:
            return self._eigen.project(centred, alphas)
        leverages = self.ops.leverages(self._factor(alpha), centred)
        return leverages[:, None], (centred @ coef)[:, :, None]

    def status(self, alpha: float) -> Status:
        return Status.FALLBACK if self._at(alpha)[0] is None else Status.OK


def _variance(ops: Backend, product: Array, weights: Array) -> Array:
    return (weights * (product @ weights)).sum()
