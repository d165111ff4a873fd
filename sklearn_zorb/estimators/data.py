"""Rows and targets as they come from users: checked, weighed, copies merged."""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from .._compat import check_sample_weight
from ..memory import CACHE_BYTES, Memory
from ..rows import merge_copies
from ..rows.constant import ConstantColumns
from .weights import check_class_weight, copied, drop_weightless, per_row, total_weight

# beyond, sums of squares over some thousand rows overflow in double precision
LARGEST = 1e152
LABELS = ("binary", "multiclass", "multilabel-indicator")


@dataclass(frozen=True)
class Data:
    """What a fit is given.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,) or None
        All positive.
    columns : dict
        What the estimator keeps of them: ``n_features_in_`` and ``feature_names_in_``.
    constant : ConstantColumns or None
    """

    X: Any
    y: np.ndarray
    weights: np.ndarray | None
    columns: dict
    constant: ConstantColumns | None

    def relative(self, by_class):
        """Weights that count copies as they are, others relative to the largest."""
        weights = per_row(self.weights, by_class)
        # beside a far larger one, a weight may be nothing
        X, y, weights = drop_weightless(self.X, self.y, weights)
        return replace(self, X=X, y=y, weights=weights)

    def merged(self, memory):
        """Distinct rows, each with the weight of its copies."""
        X, y, weights = merge_copies(self.X, self.y, self.weights, memory)
        return replace(self, X=X, y=y, weights=weights)


def read_data(estimator, X, y, sample_weight, *, class_weight=None, classes=None, reset=True):
    """Check what `fit` of an estimator was given; the estimator stays as it is.

    Parameters
    ----------
    estimator : object
    X, y, sample_weight
        As the user passed them.
    class_weight : dict, list of dict, "balanced" or None
    classes : ndarray or None
        All classes, where some may be missing in y.
    reset : bool, default=True
        Whether columns are taken as they are, or compared with those seen before.

    Returns
    -------
    Data
    """
    # validation writes what it learns of columns into the estimator
    scratch = copy(estimator)
    numeric = not is_classifier(estimator)
    y = y.toarray() if sp.issparse(y) else y  # one column an output: narrow
    try:
        # sums that overflow are looked at there
        with np.errstate(over="ignore", invalid="ignore"):
            X, y = validate_data(
                scratch, X, y, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32],
                multi_output=True, y_numeric=numeric, reset=reset,
            )  # fmt: skip
    except (ValueError, TypeError) as error:
        _name_columns(X, error)
        raise
    X = _canonical(X)
    y = _numbers(y) if numeric else _labels(y, type(estimator).__name__)
    if reset and isinstance(class_weight, dict | list):
        check_class_weight(class_weight, y, classes)
    if sample_weight is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            sample_weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        if class_weight is not None:
            X, y, sample_weight = copied(X, y, sample_weight)
    X, y, weights = drop_weightless(X, y, total_weight(class_weight, y, sample_weight))
    names = ("n_features_in_", "feature_names_in_")
    columns = {name: vars(scratch)[name] for name in names if name in vars(scratch)}
    return Data(X, y, weights, columns, ConstantColumns.of(X))


def read_rows(estimator, X):
    """Check rows to predict."""
    with np.errstate(over="ignore", invalid="ignore"):
        X = validate_data(
            estimator, X, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32], reset=False
        )
    return _canonical(X).tocsr() if sp.issparse(X) else X


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


def _canonical(X):
    """X, or a copy of a sparse matrix as trees and sums take it.

    Moments and counts of entries would see apart those of one place, which are added up; trees
    take indices of 32 bits only.
    """
    if not sp.issparse(X):
        return X
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) <= np.iinfo(np.int32).max:
        X = type(X)((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), X.shape)
    return X


def _numbers(y):
    """y, or as numbers where it is text that spells them; ValueError for all other kinds."""
    if y.dtype.kind in "US":
        try:
            y = y.astype(np.float64)
        except ValueError as error:
            raise ValueError(f"y holds text: {error}; a regressor needs numbers.") from None
    if y.dtype.kind not in "biuf":
        raise ValueError(f"y holds {y.dtype}; a regressor needs numbers: convert it first.")
    check_size(y, "y", np.float64)
    return y


def _labels(y, name):
    """y as one label for each row, or as a matrix of labels; ValueError for all other kinds."""
    if y.dtype == object:
        _check_types(y)
    kind = _kind_of_labels(y)
    if kind == "multiclass-multioutput":
        raise ValueError(
            f"y is multiclass-multioutput, which {name} does not fit; wrap it: "
            f"sklearn.multioutput.MultiOutputClassifier({name}())."
        )
    if kind not in LABELS:
        check_classification_targets(y)  # raises, and says why
    return y if kind == "multilabel-indicator" else y.ravel()


def _check_types(y):
    """ValueError where labels are of types that have no order among each other."""
    try:
        np.unique(y)
    except TypeError as error:
        types = sorted({type(label).__name__ for label in y.ravel()})
        raise ValueError(
            f"y mixes labels of the types {', '.join(types)}, which have no common order; pass "
            "labels of one type, such as all of them as text, and a name for missing ones."
        ) from error


def _kind_of_labels(y):
    """What scikit-learn's `type_of_target` says; it warns where plain integers are many."""
    if y.ndim == 1 and y.dtype.kind in "biu":
        return "multiclass"
    return type_of_target(y, input_name="y")


def check_size(table, name, dtype, squared=False):
    """ValueError for numbers too large to be squared, or for `dtype`; it names the largest.

    Squares are of double precision unless they are `squared` in `dtype`.
    """
    values = table.data if sp.issparse(table) else table
    most = float(np.finfo(dtype).max)
    most = min(LARGEST, 1e-2 * most**0.5 if squared else most / 2)
    row_bytes = values[:1].nbytes
    for part in Memory().chunks(len(values), row_bytes, CACHE_BYTES):
        piece = values[part]
        largest = float(max(piece.max(initial=0), piece.min(initial=0), key=abs))
        if abs(largest) > most:
            raise ValueError(
                f"{name} holds {largest:g}: numbers beyond {most:.2g} overflow in "
                f"{np.dtype(dtype).name}, if only where they are squared; scale that column down "
                "first."
            )
