"""Ridge on features that are orthogonal already: nothing is left to decompose."""

import numpy as np

from .backends import get_backend
from .engines import SpectralEngine

# off-diagonal entries of the Gram matrix, in mean eigenvalues, that are rounding: kernel
# features of many columns, whose distances come from products, are good to 1e-8. The least
# penalty of the grid is twenty times that
ROUNDING = 5e-8


def is_diagonal(gram):
    """Whether the centred Gram matrix is diagonal up to rounding; False on an accelerator."""
    if not isinstance(gram.product, np.ndarray):
        return False
    product, bound = gram.product, ROUNDING * gram.mean_eigenvalue
    # most matrices are ruled out by their first row
    if len(product) < 2 or np.abs(product[0, 1:]).max() > bound:
        return False
    upper = np.triu(product, 1)
    return max(upper.max(), -upper.min()) <= bound


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
        fitted = centred @ (self.projected[:, None, :] * inverses[:, :, None]).reshape(
            len(inverses), -1
        )
        shape = (len(centred), len(alphas), self.projected.shape[1])
        return centred**2 @ inverses, fitted.reshape(shape).transpose(1, 0, 2)

    def variance(self, weights):
        return (self.values[:, None] * weights**2).sum() / self.weight
