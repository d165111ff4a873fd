"""Penalties judged from sums alone need no eigenvectors: a tridiagonal matrix tells all of them."""

from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from .engines import CholeskyEngine, SpectralEngine

# columns from which on the reduction takes less time than eigenvalues of so small a matrix
LEAST_WIDTH = 100


class TridiagonalEngine(CholeskyEngine):
    r"""One reduction of the centred Gram matrix to tridiagonal form: every alpha costs O(d k).

    With :math:`G = Q T Q^\top` and T tridiagonal, a ridge on the cross products C is
    :math:`W = Q (T + \alpha I)^{-1} Q^\top C`, and its degrees of freedom are
    :math:`d - \alpha \operatorname{tr} (T + \alpha I)^{-1}`. The reduction is the first third
    of an eigendecomposition and the cheapest one; what tells of single rows, such as leverages,
    takes the rest.

    Parameters
    ----------
    gram : Gram
        Of NumPy.

    References
    ----------
    .. [1] L. Elden, "Algorithms for the regularization of ill-conditioned least squares
       problems", BIT 17, 1977.
    """

    method = "primal-tridiagonal"
    sweeps = True

    def loo_flops(self, system, n_alphas):
        return SpectralEngine.loo_flops(self, system, n_alphas)

    def for_rows(self):
        return self._engine()

    @cached_property
    def _reduced(self):
        """Diagonals of T, reflectors and their scales, and Q' C.

        All of it is of the matrix turned around, the upper triangle of which is a lower one:
        reflectors then lie as those of a QR factorisation do, and can be applied.
        """
        turned = np.asfortranarray(self.gram.product[::-1, ::-1])
        size, _ = lapack.dsytrd_lwork(len(turned), lower=1)
        turned, diagonal, beside, scales, _ = lapack.dsytrd(
            turned, lower=1, lwork=int(size), overwrite_a=1
        )
        reflectors = np.asfortranarray(turned[1:, :-1])
        cross = np.array(self.gram.cross[::-1], order="F")
        return diagonal, beside, reflectors, scales, _reflected("T", reflectors, scales, cross)

    def _solve(self, alpha):
        diagonal, beside, *_, rotated = self._reduced
        pivots, factors, info = lapack.dpttrf(diagonal + alpha, beside)
        entry = None
        if info == 0:
            solved, _ = lapack.dpttrs(pivots, factors, rotated)
            gain = float((solved * rotated).sum() + alpha * (solved**2).sum())
            entry = {"rotated": solved, "gain": gain}
        self._known.setdefault(alpha, entry)
        self._last = alpha, pivots

    def _inverse_trace(self, alpha):
        """Each diagonal element of the inverse lies between pivots from above and from below."""
        diagonal, beside, *_ = self._reduced
        above, shifted = self._factor(alpha), diagonal + alpha
        below, _, _ = lapack.dpttrf(shifted[::-1], beside[::-1])
        return float((1 / (above + below[::-1] - shifted)).sum())

    def coef(self, alpha):
        entry = self._at(alpha)
        if entry is None:
            return self._engine().coef(alpha)
        _, _, reflectors, scales, _ = self._reduced
        rotated = entry["rotated"].copy(order="F")
        return np.ascontiguousarray(_reflected("N", reflectors, scales, rotated)[::-1])


def _reflected(which, reflectors, scales, columns):
    """Q or its transpose times columns, which are written to; the first row stays."""
    size = 64 * max(columns.shape[1], 1)
    columns[1:], _, _ = lapack.dormqr("L", which, reflectors, scales, columns[1:], size)
    return columns
