"""What validation asks of rows beyond scikit-learn: squares that do not overflow, no duplicates."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from ..linalg.threads import in_order
from ..memory import CACHE_BYTES

# beyond, sums of squares over some thousand rows overflow in double precision
LARGEST = 1e152


def checked(estimator, X, y, **options):
    """As `validate_data`; an error names the columns of a frame that hold no numbers."""
    try:
        return validate_data(estimator, X, y, **options)
    except (ValueError, TypeError) as error:
        _name_columns(X, error)
        raise


def _name_columns(X, error):
    """ValueError that names the columns of a frame which hold no numbers, where there are any."""
    if not (hasattr(X, "columns") and hasattr(X, "dtypes")):
        return
    found = [name for name in X.columns if not _holds_numbers(X[name])]
    if found:
        raise ValueError(
            f"X: columns {found} hold text, categories or dates, and layers take numbers: encode "
            "them first, as by a OneHotEncoder in a ColumnTransformer in front of the estimator."
        ) from error


def _holds_numbers(column):
    values = np.asarray(column)
    if values.dtype.kind in "mM":
        return False
    try:
        values.astype(np.float64)
    except (ValueError, TypeError):
        return False
    return True


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


def _largest(values):
    """The largest size of any number, from one pass in pieces that stay in the cache."""
    step = max(1, int(CACHE_BYTES // max(1, values[:1].nbytes)))
    parts = [values[start : start + step] for start in range(0, len(values), step)]

    def extent(part):
        return max(float(part.max(initial=0)), -float(part.min(initial=0)))

    return max(in_order(extent, parts), default=0.0)


def check_size(table, name, dtype):
    """ValueError for numbers too large to be squared, or for `dtype`; it names the largest."""
    values = table.data if sp.issparse(table) else table
    most = min(LARGEST, float(np.finfo(dtype).max) / 2)
    if _largest(values) <= most:
        return
    sizes = np.abs(values)
    largest = float(values.ravel()[sizes.argmax()])
    raise ValueError(
        f"{name} holds {largest:g}: numbers beyond {most:.2g} overflow in {np.dtype(dtype).name}, "
        "if only where they are squared; scale that column down first."
    )
