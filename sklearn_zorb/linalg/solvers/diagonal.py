"""Features that are orthogonal already, as those of a kernel: nothing is left to decompose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from ..backends import get_backend
from .eigen import Eigen, along_axes

if TYPE_CHECKING:
    from ...typing import Array
    from ..gram import Gram
    from ..system import System

# correlations that are rounding: kernel features of many columns, whose distances come from
# products, are orthogonal to 1e-8
ROUNDING = 1e-6


def is_diagonal(gram: Gram, alpha: float) -> bool:
    """Whether a ridge with penalties of `alpha` and more may take the Gram matrix as diagonal.

    A correlation of two columns counts as much as the penalty leaves of them, d / (d + alpha)
    of a variance d: those of next to no variance are orthogonal up to rounding only, and make
    no difference.
    """
    variance = np.maximum(np.diag(gram.product), 0)
    share = np.sqrt(variance) / np.maximum(variance + alpha, np.finfo(np.float64).tiny)
    # most matrices are ruled out by their first row
    if len(variance) < 2 or np.abs(gram.product[0, 1:] * share[1:]).max() * share[0] > ROUNDING:
        return False
    weighted = gram.product * share * share[:, None]
    np.fill_diagonal(weighted, 0.0)
    return np.abs(weighted).max() <= ROUNDING


class Diagonal(Eigen):
    """Eigenvalues where the eigenvectors are the axes: the sums of a NumPy `Gram`."""

    @classmethod
    def prepare(cls, gram: Gram) -> Self:  # type: ignore[override]  # no cut-off
        ops, values = get_backend("numpy"), np.diag(gram.product)
        return cls(ops, gram, values, None, gram.cross, "diagonal")

    @staticmethod
    def loo_flops(system: System, n_alphas: int) -> float:
        return 2 * system.n_rows * system.n_features * n_alphas * (1 + system.n_targets)

    def solve(self, alpha: float) -> Array:
        return self.projected * self._inverse(alpha)[:, None]

    def variance(self, weights: Array) -> float:
        return float((self.values[:, None] * weights**2).sum()) / self.weight

    def project(self, centred: Array, alphas: np.ndarray) -> tuple[Array, Array]:
        return along_axes(centred, self._inverse(alphas), self.projected)
