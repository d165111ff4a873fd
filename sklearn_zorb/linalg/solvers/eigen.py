"""Eigenvalues: one decomposition answers for all penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..backends import get_backend, to_numpy
from ..penalties import least
from ..solution import Status
from .base import Factors

if TYPE_CHECKING:
    from types import SimpleNamespace

    from ...typing import Array, Float
    from ..backends import Backend
    from ..gram import Gram
    from ..penalties import Score
    from ..system import Chunk, System

# 1 - leverage of a row that is fitted exactly, whatever its target
INTERPOLATED = 1e-8


class Eigen(Factors):
    """Eigenvalues and eigenvectors of the centred Gram matrix: every penalty costs O(d k).

    Parameters
    ----------
    ops, sums
        As of `Factors`.
    values, vectors : arrays of shape (r,) and (n_features, r)
    projected : array of shape (r, n_targets)
        ``vectors.T @ cross``.
    method : str
    rcond : float, default=0.0
        Cut-off on singular values, used where alpha is 0.
    """

    def __init__(
        self,
        ops: Backend,
        sums: Gram | SimpleNamespace,
        values: Array,
        vectors: Any,
        projected: Array,
        method: str = "primal-eigh",
        rcond: Float = 0.0,
    ) -> None:
        super().__init__(ops, sums)
        self.method, self.rcond, self.vectors = method, rcond, vectors
        # each alpha needs a few numbers only: they stay off the accelerator
        self.values = np.maximum(to_numpy(values), 0.0)
        self.mean_eigenvalue = float(self.values.sum()) / len(self.mean)
        self.projected = to_numpy(projected)
        self._squares = (self.projected**2).sum(axis=1)
        self._total = float(np.sum(to_numpy(self.target_squares)))

    @classmethod
    def prepare(cls, gram: Any, rcond: Float = 0.0) -> Self:
        ops = get_backend(gram.backend)
        values, vectors, projected = ops.call(_spectrum, gram.product, gram.cross)
        return cls(ops, gram, values, vectors, projected, rcond=rcond)

    @staticmethod
    def loo_flops(system: System, n_alphas: int) -> float:
        width = system.n_features
        return 2 * system.n_rows * width * (width + n_alphas * system.n_targets)

    def _inverse(self, alpha: Any) -> np.ndarray:
        """1 / (s + alpha), a column for each of several; its truncated form at alpha = 0."""
        if np.all(alpha):
            return 1 / np.add.outer(self.values, alpha)
        keep = self.values > self.rcond**2 * self.values.max(initial=0.0)
        inverse = np.where(keep, 1 / np.where(keep, self.values, 1.0), 0.0)
        return inverse.reshape(-1, *np.shape(alpha))

    def solve(self, alpha: float) -> Array:
        return self.ops.matmul(self.vectors, self.projected * self._inverse(alpha)[:, None])

    def dof(self, alpha: float) -> float:
        return (self.values * self._inverse(alpha)).sum()

    def residual_squares(self, alpha: float) -> float:
        inverse = self._inverse(alpha)
        gain = self._squares * inverse * (2 - self.values * inverse)
        return max(self._total - float(gain.sum()), 0.0)

    def variance(self, weights: Array) -> float:
        return float(self.ops.call(_variance, self.values, self.vectors, weights)) / self.weight

    def project(self, centred: Array, alphas: np.ndarray) -> tuple[Array, Array]:
        basis = self.vectors, self._inverse(alphas), self.projected
        return self.ops.call(_project, centred, *basis)

    def left_out(self, chunk: Chunk, alphas: np.ndarray) -> tuple[Array, Array]:
        residuals, spare = super().left_out(chunk, alphas)
        if alphas[0] > 0 or not (alone := spare < INTERPOLATED).any():
            return residuals, spare
        rows, _, weights = chunk
        without = self._errors_without(rows - self.mean, weights)[:, :, None]
        where = self.ops.xp.where
        return where(alone[:, None], without, residuals), where(alone, 1.0, spare)

    def _errors_without(self, centred: Array, weights: Array | None) -> Array:
        """Errors (n, targets) at rows without which a column's direction would be lost.

        At alpha = 0 such a row is met exactly, and r / (1 - h) is 0 / 0. With g = G^+ x all
        other rows are orthogonal to g: they are met by w + t g for any t, the norm is least
        at t = -g'w / g'g, and there the row itself is missed by g'w / g'g, or that over its
        weight, as g'x is the reciprocal of it. (A row of several copies is never lost.)
        """
        rotated, squares, xp = centred @ self.vectors, self._inverse(0.0) ** 2, self.ops.xp
        norms = xp.maximum(rotated**2 @ squares, np.finfo(np.float64).tiny)
        norms = norms if weights is None else norms * xp.minimum(weights, 1.0)
        return (rotated * squares) @ self.projected / norms[:, None]

    def best(self, score: Score, alphas: np.ndarray) -> tuple[int, np.ndarray]:
        errors = score(alphas)
        return least(errors), errors

    def status(self, alpha: float) -> Status:
        deficient = alpha == 0 and round(float(self.dof(0))) < len(self.mean)
        return Status.RANK_DEFICIENT if deficient else Status.OK


def _spectrum(ops: Backend, product: Array, cross: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues, eigenvectors and what of the targets lies along those.

    What is left of targets along directions that rounding alone made is rounding too, and a
    small alpha would blow it up.
    """
    values, vectors = ops.eigh(product)
    noise = np.finfo(np.float64).eps * len(values) * abs(values).max(initial=0.0)
    return values, vectors, ops.xp.where((values > noise)[:, None], vectors.T @ cross, 0.0)


def _project(
    ops: Backend, centred: Array, vectors: Array, inverses: np.ndarray, projected: Array
) -> tuple[Array, Array]:
    return along_axes(centred @ vectors, inverses, projected)


def along_axes(rows: Array, inverses: np.ndarray, projected: Array) -> tuple[Array, Array]:
    """Leverages and fitted deviations of rows told by their places along eigenvectors."""
    stacked = projected[:, :, None] * inverses[:, None, :]
    fitted = rows @ stacked.reshape(len(inverses), -1)
    return rows**2 @ inverses, fitted.reshape(len(rows), *stacked.shape[1:])


def _variance(ops: Backend, values: Array, vectors: Array, weights: Array) -> Array:
    return (values[:, None] * (vectors.T @ weights) ** 2).sum()
