"""Targets through a pseudoinverse: the backward half of the rule."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.linalg import lapack

from .backends import get_backend, is_jax, namespace, to_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import Array, Float
    from .backends import JaxBackend

    # from targets for the outputs of a layer to targets for its inputs
    Map: TypeAlias = Callable[[Array], Array]

# reciprocal condition of a Gram matrix above which its Cholesky factor loses no digit
# that targets need: the singular values then span less than 1e5
SAFE_GRAM_RCOND = 1e-10
# relative cut-off below which such weights lose no singular value
SAFE_RCOND = 1e-6
# targets that do not repay a device: what activations make of them takes a dozen operations,
# and for each of them it waits for a compiler
FEW_ON_A_DEVICE = 1000


def solve_minimum_norm(weights: Array, targets: Array, rcond: Float | None = None) -> Array:
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


def minimum_norm_map(weights: Array, rcond: Float | None = None) -> Map:
    """`solve_minimum_norm` as a function of the targets: the pseudoinverse is computed once.

    Notes
    -----
    Without a cut-off that could apply, a well-conditioned matrix is solved by the Cholesky factor
    of the smaller of its two Gram matrices, at a tenth of the cost of singular values.
    """
    safe = rcond is None or rcond <= SAFE_RCOND
    solve = _device_map(weights) if safe and is_jax(weights) else None
    if solve is not None:
        return solve
    weights = np.asarray(to_numpy(weights), dtype=np.float64)
    solve = _cholesky_map(weights) if safe else None
    if solve is None:
        cutoff = np.finfo(np.float64).eps * max(weights.shape) if rcond is None else rcond
        right = np.linalg.pinv(weights, rcond=cutoff)
        solve = functools.partial(_times, right=right)
    return solve


def _times(targets: Array, right: Array) -> Array:
    """Their product, in the array type and precision of the targets."""
    if is_jax(targets):
        return targets @ namespace(targets).asarray(right)
    return targets @ right.astype(targets.dtype)


def _device_map(weights: Array) -> Map | None:
    """The map by a Gram matrix where the weights are, or None where that would lose digits."""
    if not weights.size:
        return None
    ops = get_backend("jax")
    right, rcond = ops.call(_by_gram, weights)
    if not float(rcond) >= SAFE_GRAM_RCOND:
        return None

    @functools.cache
    def on_host() -> np.ndarray:
        return to_numpy(right)

    def solve(targets: Array) -> Array:
        if not is_jax(targets) and len(targets) <= FEW_ON_A_DEVICE:
            return _times(targets, on_host())
        targets = ops.asarray(targets)
        return ops.matmul(targets, right).astype(targets.dtype)

    return solve


def _by_gram(ops: JaxBackend, weights: Array) -> tuple[Array, Array]:
    """Pseudoinverse, and the reciprocal condition of the matrix that it was found by."""
    weights, xp = weights.astype(np.float64), ops.xp
    tall = weights.shape[0] >= weights.shape[1]
    gram = weights.T @ weights if tall else weights @ weights.T
    factor = xp.linalg.cholesky(gram, upper=True)
    inverse = ops.scipy.linalg.cho_solve((factor, False), xp.eye(len(gram)))
    right = inverse @ weights.T if tall else weights.T @ inverse
    return right, 1 / (xp.linalg.norm(gram, 1) * xp.linalg.norm(inverse, 1))


def _cholesky_map(weights: np.ndarray) -> Map | None:
    """The map by a Gram matrix, or None where that would lose digits.

    ``T W' (W W')^-1``, or ``T (W' W)^-1 W'``.
    """
    tall = weights.shape[0] >= weights.shape[1]
    if not weights.size:
        return None
    gram = weights.T @ weights if tall else weights @ weights.T
    if not np.isfinite(gram).all():
        return None
    norm = np.abs(gram).sum(axis=0).max()
    factor, info = lapack.dpotrf(gram, lower=0, clean=1)
    if info != 0 or lapack.dpocon(factor, norm)[0] < SAFE_GRAM_RCOND:
        return None
    inverse = lapack.dpotrs(factor, weights.T if tall else weights, lower=0)[0]
    return functools.partial(_times, right=inverse if tall else inverse.T)
