"""Targets through a pseudoinverse: the backward half of the rule."""

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from .backends import is_jax, namespace, to_numpy

# reciprocal condition of a Gram matrix above which its Cholesky factor loses no digit
# that targets need: the singular values then span less than 1e5
_SAFE_GRAM_RCOND = 1e-10


def solve_minimum_norm(weights, targets, rcond=None):
    """The X of least norm that minimises ``|X @ weights - targets|``: ``targets @ pinv(weights)``.

    Parameters
    ----------
    weights : array of shape (inputs, units)
    targets : array of shape (n, units)
    rcond : float or None, default=None
        Relative cut-off on the singular values of `weights`; None means machine epsilon
        times the larger dimension.

    Returns
    -------
    X : array of shape (n, inputs)
    """
    return minimum_norm_map(weights, rcond)(targets)


def minimum_norm_map(weights, rcond=None):
    """`solve_minimum_norm` as a function of the targets: the pseudoinverse is computed once.

    Notes
    -----
    Without a cut-off to apply, a well-conditioned matrix is solved by the Cholesky factor
    of the smaller of its two Gram matrices, at a tenth of the cost of singular values.
    """
    weights = np.asarray(to_numpy(weights), dtype=np.float64)
    right = _cholesky_inverse(weights) if rcond is None else None
    if right is None:
        cutoff = np.finfo(np.float64).eps * max(weights.shape) if rcond is None else rcond
        right = np.linalg.pinv(weights, rcond=cutoff)

    def solve(targets):
        if is_jax(targets):
            return targets @ namespace(targets).asarray(right)
        return targets @ right.astype(targets.dtype)

    return solve


def _cholesky_inverse(weights):
    """The pseudoinverse through a Gram matrix, or None where that would lose digits."""
    tall = weights.shape[0] >= weights.shape[1]
    gram = weights.T @ weights if tall else weights @ weights.T
    if not gram.size or not np.isfinite(gram).all():
        return None
    norm = np.abs(gram).sum(axis=0).max()
    factor, info = lapack.dpotrf(gram, lower=0, clean=1)
    if info != 0 or lapack.dpocon(factor, norm)[0] < _SAFE_GRAM_RCOND:
        return None
    if tall:
        return scipy.linalg.cho_solve((factor, False), weights.T, check_finite=False)
    return scipy.linalg.cho_solve((factor, False), weights, check_finite=False).T
