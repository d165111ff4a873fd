"""Weighted means and variances of columns, over rows that come in chunks."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.sparsefuncs import mean_variance_axis

from ..linalg import namespace, to_numpy


def moments(chunks):
    """Mean and variance of each column.

    Each chunk is summed about its own mean and merged by the pairwise update of Chan, Golub
    and LeVeque (1983), so that large offsets cost no digits.

    Parameters
    ----------
    chunks : iterable of (rows, weights)
        Arrays, or sparse matrices, of shape (n, n_columns), and (n,) or None.

    Returns
    -------
    mean, variance : ndarray of shape (n_columns,)
    """
    total, mean, squares = 0.0, 0.0, 0.0
    for rows, weights in chunks:
        weight = float(rows.shape[0] if weights is None else weights.sum())
        if weight <= 0:
            continue
        own_mean, own_variance = _of_chunk(rows, weights)
        shift, share = own_mean - mean, weight / (total + weight)
        mean = mean + share * shift
        squares = squares + weight * own_variance + total * share * shift**2
        total += weight
    if total == 0:
        raise ValueError("There is no row of positive weight to take means of.")
    return mean, squares / total


def _of_chunk(rows, weights):
    if sp.issparse(rows):
        mean, variance = mean_variance_axis(rows.tocsr().astype(float), axis=0, weights=weights)
        # rounding leaves variances of constants on either side of zero
        return mean, np.maximum(variance, 0)
    xp = namespace(rows)
    rows = rows.astype(xp.result_type(float))
    if weights is None:
        mean = rows.mean(axis=0)
        return to_numpy(mean), to_numpy(((rows - mean) ** 2).mean(axis=0))
    share = xp.asarray(weights / weights.sum(), dtype=rows.dtype)
    mean = share @ rows
    return to_numpy(mean), to_numpy(share @ (rows - mean) ** 2)


def is_constant(mean, variance, n_rows):
    """Whether a column's variance is no more than what rounding leaves of a constant."""
    eps = np.finfo(np.float64).eps
    return variance <= n_rows * eps * variance + (n_rows * mean * eps) ** 2
