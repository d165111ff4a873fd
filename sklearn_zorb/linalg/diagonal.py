"""Ridge on features that are orthogonal already: nothing is left to decompose."""

import numpy as np

from .backends import get_backend
from .engines import SpectralEngine, along_axes

# correlations that are rounding: kernel features of many columns, whose distances come from
# products, are orthogonal to 1e-8
ROUNDING = 1e-6


def is_diagonal(gram, alpha):
    """Whether a ridge with penalties of `alpha` and more may take the Gram matrix as diagonal.

    A correlation of two columns counts as much as the penalty leaves of them, d / (d + alpha)
    of a variance d: those of next to no variance are orthogonal up to rounding only, and make
    no difference.
    """
    if len(gram.product) < 2:
        return False
    product = gram.product
    # most matrices are ruled out by two columns, and of the others most by their first row
    (first, both), (_, second) = product[:2, :2].tolist()
    if _of_two(both, first, alpha) * _of_two(both, second, alpha) > ROUNDING**2:
        return False
    variance = np.maximum(np.diag(product), 0)
    weight = np.sqrt(variance) / np.maximum(variance + alpha, np.finfo(np.float64).tiny)
    if np.abs(product[0, 1:] * weight[1:]).max() * weight[0] > ROUNDING:
        return False
    upper = np.triu(product, 1)
    upper *= weight
    upper *= weight[:, None]
    return max(upper.max(), -upper.min()) <= ROUNDING


def _of_two(both, variance, alpha):
    """What one of two columns adds to the square of what `is_diagonal` judges them by."""
    most = max(variance + alpha, float(np.finfo(np.float64).tiny))
    return both / most * (variance / most)


class DiagonalEngine(SpectralEngine):
    """A `SpectralEngine` whose eigenvectors are the axes."""

    def __init__(self, gram, rcond=0.0):
        values = np.diag(gram.product).copy()
        ops = get_backend(gram.backend)
        # the identity is not stored: nothing below multiplies by it
        super().__init__(
            values, np.empty((len(values), 0)), gram.cross, gram, "diagonal", ops, rcond
        )

    def loo_flops(self, system, n_alphas):
        return 2 * system.n_rows * system.n_features * n_alphas * (1 + system.n_targets)

    def coef(self, alpha):
        return self.projected * self._inverse(alpha)[:, None]

    def project(self, centred, alphas):
        inverses = np.stack([self._inverse(alpha) for alpha in alphas], axis=1)
        return along_axes(centred, inverses, self.projected)

    def variance(self, weights):
        return float((self.values[:, None] * weights**2).sum()) / self.weight
