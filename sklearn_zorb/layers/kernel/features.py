"""Features from landmarks: projections of kernels, and what takes their mean away."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from ...linalg import get_backend
from ...linalg.threads import all_threads

# of the mean eigenvalue: a direction with so little variance is shrunk to a ten-thousandth by the
# least penalty of a read-out, and rounding keeps it from being orthogonal to others
NO_WEIGHT = 1e-10


def centre(kernel: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel between features from which their weighted mean is taken away.

    Returns the centred matrix and the weighted mean of the rows of `kernel`.
    """
    share = weight / weight.sum()
    mean = share @ kernel
    centred = kernel - mean
    centred -= mean[:, None] - mean @ share
    return centred, mean


def whitening(kernel: np.ndarray) -> np.ndarray:
    """R^-1 with R.T @ R = K: the square root is as good in any rotation, and this is fast."""
    rounding = max(np.finfo(np.float64).eps * len(kernel), np.finfo(kernel.dtype).eps)
    jitter = rounding * float(kernel.trace())
    factor = get_backend("numpy").cholesky(kernel, jitter)
    if factor is None:
        raise np.linalg.LinAlgError("the kernel of the landmarks is not positive definite.")
    return lapack.dtrtri(factor, lower=0, overwrite_c=1)[0]


def principal(
    kernel: np.ndarray, weight: np.ndarray, precision: float
) -> tuple[np.ndarray, np.ndarray]:
    """Projection on the principal axes of the training features, and the offset to centre.

    From D K D = U S U.T, K centred and D the square roots of the weights, the features
    k(x) D U S^-1/2 of the training rows are orthogonal and have weighted mean zero.
    """
    centred, mean = centre(kernel, weight)
    root = np.sqrt(weight)
    centred *= root
    centred *= root[:, None]
    # what centring took away comes first, far from the small eigenvalues it would mix with
    null = root / np.linalg.norm(root)
    centred += 2 * max(centred.trace(), 1e-300) * np.outer(null, null)
    with all_threads(len(centred)):
        values, vectors = get_backend("numpy").eigh(centred)
    values, vectors = values[:-1], vectors[:, :-1]
    rounding = 4 * precision * np.sqrt(len(root)) * values.max(initial=0.0)
    kept = values > max(rounding, NO_WEIGHT * values.sum() / len(root))
    if not kept.any():
        return np.zeros((len(root), 1)), np.zeros(1)
    projection = root[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    return projection, mean @ projection


def principal_features(projection: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What `principal` makes of the training rows, in their order: D^-1 U S^1/2, no product."""
    scaled = projection / weight[:, None]
    squares = (projection * scaled).sum(axis=0)
    return np.divide(scaled, squares, out=np.zeros_like(scaled), where=squares > 0)
