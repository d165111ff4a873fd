"""What validation asks of rows beyond scikit-learn: squares that do not overflow, no duplicates."""

import numpy as np
import scipy.sparse as sp

# beyond, sums of squares over some thousand rows overflow in double precision
LARGEST = 1e152


def canonical(X):
    """X, or a copy of a sparse matrix in which entries of one place are added up.

    Moments and counts of entries would see them apart.
    """
    if sp.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def numbers(y):
    """y, or as numbers where it is text that spells them; ValueError for all other kinds."""
    if y.dtype.kind in "US":
        try:
            return y.astype(np.float64)
        except ValueError as error:
            raise ValueError(f"y holds text: {error}; a regressor needs numbers.") from None
    if y.dtype.kind not in "biuf":
        raise ValueError(f"y holds {y.dtype}; a regressor needs numbers: convert it first.")
    return y


def check_size(table, name, dtype):
    """ValueError for numbers too large to be squared, or for `dtype`; it names the largest."""
    values = table.data if sp.issparse(table) else table
    most = min(LARGEST, float(np.finfo(dtype).max) / 2)
    if max(float(values.max(initial=0)), -float(values.min(initial=0))) <= most:
        return
    sizes = np.abs(values)
    largest = float(values.ravel()[sizes.argmax()])
    raise ValueError(
        f"{name} holds {largest:g}: numbers beyond {most:.2g} overflow in {np.dtype(dtype).name}, "
        "if only where they are squared; scale that column down first."
    )
