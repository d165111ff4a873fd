"""X as it comes from users: numbers, and a schema where columns are of other types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import validate_data

from ..rows.frames import Table, as_frame, in_order, read_again, read_table
from ..rows.schema import Column, Schema, gaps_only, is_typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import FittedModel

PRECISIONS = [np.float64, np.float32]
# images stay bytes, which are converted a few at a time; floats would take four to eight times
# as much
PIXELS = [*PRECISIONS, np.uint8]


def check_columns(
    estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool, **options: Any
) -> tuple[Any, Schema | None]:
    """Check X, and y where it is given, and read columns that are not plain numbers.

    Parameters
    ----------
    estimator : object
        Its `categorical_features` say which columns of a new table are categories. The number
        and the names of the columns are written into it.
    X : data frame, array-like or sparse matrix
    y : array-like, optional
    reset : bool
        Whether columns are taken as they are, or read as those of the estimator's model.
    **options
        How scikit-learn is to check y.

    Returns
    -------
    checked : ndarray or sparse matrix, or tuple of it and y
    schema : Schema or None
        None for an array of numbers.
    """
    X = _gaps_of_mask(X)
    known = None if reset else estimator.model_.schema
    of_images = getattr(estimator, "input_shape", None) is not None
    kept = PIXELS if of_images else PRECISIONS
    options = {"accept_sparse": ("csr", "csc"), "dtype": kept, **options}
    options["ensure_all_finite"] = True if sp.issparse(X) else "allow-nan"
    table = _table(estimator, X, known, reset)
    if table is None:
        _refuse_sparse_nan(X)
        try:
            # it looks for overflow itself
            with np.errstate(over="ignore", invalid="ignore"):
                return validate_data(estimator, X, y, reset=reset, **options), known
        except ValueError as error:
            if "could not convert" not in str(error):
                raise
            raise ValueError(
                f"X holds text ({error}), and an array does not say which columns are categories: "
                "pass a data frame, or categorical_features=[...]."
            ) from error
    validate_data(estimator, table.source, reset=reset, skip_check_array=True)
    if reset:
        numbers, schema = read_table(table, estimator.categorical_features)
    else:
        schema = known or Schema(tuple(Column(str(name)) for name in table.names))
        numbers = read_again(table, schema)
    _refuse_infinity(numbers, table.names)
    if isinstance(y, str):
        return check_array(numbers, **options), schema
    return check_X_y(numbers, y, estimator=estimator, **options), schema


def _refuse_sparse_nan(X: Any) -> None:
    """Raise ValueError for NaN in a sparse matrix; scikit-learn would name other estimators."""
    if sp.issparse(X) and X.format in ("csr", "csc") and np.isnan(X.data).any():
        raise ValueError(
            "Input X contains NaN, and a sparse matrix has no missing values here: fill them, or "
            "pass an array or a data frame, in which NaN is a missing value."
        )


def _table(estimator: Any, X: Any, known: Schema | None, reset: bool) -> Table | None:
    """X as columns of any type; None where it is an array of numbers."""
    frame = as_frame(X)
    if frame is None:
        typed_array = _has_types(X, estimator.categorical_features) if reset else is_typed(known)
        return Table(_rectangular(X)) if typed_array else None
    table = Table(X)
    names = getattr(estimator, "feature_names_in_", None)
    return table if reset or names is None or not table.named else in_order(table, names)


def _gaps_of_mask(X: Any) -> Any:
    """Numbers of a masked array with NaN where they are masked; anything else as it is."""
    if not isinstance(X, np.ma.MaskedArray) or X.dtype.kind not in "biuf":
        return X
    return np.ma.filled(X.astype(np.result_type(X.dtype, np.float32)), np.nan)


def _refuse_infinity(numbers: np.ndarray, names: Sequence[Any]) -> None:
    """ValueError for a column of a table that is not finite; it is named."""
    found = np.flatnonzero(np.isinf(numbers).any(axis=0))
    if len(found):
        raise ValueError(
            f"column {names[found[0]]!r} of X contains infinity, or a value too large for "
            f"{numbers.dtype}: clip it, or make it a gap (NaN)."
        )


def _has_types(X: Any, chosen: Any) -> bool:
    """Whether the columns of an array are to be read one by one."""
    given = not (chosen is None or isinstance(chosen, str)) and len(chosen) > 0
    return given or getattr(getattr(X, "dtype", None), "kind", "f") in "mM"


def _rectangular(X: Any) -> np.ndarray:
    """An array-like of columns of any type as an array of two dimensions."""
    if sp.issparse(X):
        raise ValueError(
            "X is a sparse matrix, whose columns are plain numbers: pass a dense array or a data "
            "frame where columns are categories or times, or have gaps."
        )
    X = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=object)
    if X.ndim != 2 or 0 in X.shape:
        check_array(X, dtype=None)  # raises, and says why
    return X


def canonical(X: Any) -> Any:
    """Give every number and gap of X one form; X itself where it has.

    Entries of one place of a sparse matrix are added up, as moments and counts of entries would
    see them apart, and trees take indices of 32 bits only. Gaps get the same bits, as copies of
    rows are found by theirs.
    """
    if sp.issparse(X):
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) <= np.iinfo(np.int32).max:
            X = type(X)((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), X.shape)
        return X
    if has_gaps(X):
        X = np.where(np.isnan(X), np.asarray(np.nan, X.dtype), X)
    return X


def has_gaps(X: Any) -> bool:
    """Whether a dense array holds NaN."""
    return bool(np.isnan(np.min(X, initial=0.0)))


def learned(schema: Schema | None, X: Any, weights: np.ndarray | None) -> Schema | None:
    """Add to the schema what training rows say; None stays for plain numbers of an array."""
    if sp.issparse(X) or (schema is None and not has_gaps(X)):
        return schema
    return (schema or gaps_only(X.shape[1])).counted(X, weights)


def read_rows(estimator: Any, X: Any) -> Any:
    """Check rows to predict; gaps in columns without any in fit become the columns' means.

    Parameters
    ----------
    estimator : object
        Fitted.
    X : data frame, array-like or sparse matrix

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
    """
    X, schema = check_columns(estimator, X, reset=False)
    X = canonical(X)
    return X.tocsr() if sp.issparse(X) else filled(estimator.model_, X, schema)


def filled(model: FittedModel, X: Any, schema: Schema | None) -> Any:
    """Put means in place of gaps in columns of numbers that had none in fit."""
    means: Any = model.means
    if sp.issparse(X) or is_typed(schema) or not has_gaps(X):
        return X
    return np.where(np.isnan(X), means.astype(X.dtype), X)
