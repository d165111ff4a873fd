"""Rows and targets as they come from users: checked, weighed, copies merged."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._compat import check_sample_weight
from ..memory import CACHE_BYTES, Memory
from ..rows import merge_copies
from ..rows.constant import ConstantColumns
from ..rows.remote import total
from ..rows.schema import Schema, is_typed
from .columns import canonical, check_columns, filled, learned
from .weights import check_class_weight, copied, drop_weightless, per_row, total_weight

if TYPE_CHECKING:
    from .weights import ClassWeight

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
    schema : Schema or None
        Of a data frame, or of columns that are not plain numbers.
    """

    X: Any
    y: np.ndarray
    weights: np.ndarray | None
    columns: dict[str, Any]
    constant: ConstantColumns | None
    schema: Schema | None = None

    @property
    def typed(self) -> bool:
        """Whether layers need `Encode` to read the columns."""
        return is_typed(self.schema)

    def means(self) -> np.ndarray | None:
        """Means of columns of plain numbers; None where gaps are read by a layer, or are zeros."""
        if self.typed or sp.issparse(self.X):
            return None
        return np.average(self.X, axis=0, weights=self.weights)

    def relative(self, by_class: bool) -> Data:
        """Weights that count copies as they are, others relative to the largest."""
        weights = per_row(self.weights, by_class)
        # beside a far larger one, a weight may round to zero
        X, y, weights = drop_weightless(self.X, self.y, weights)
        return replace(self, X=X, y=y, weights=weights)

    def merged(self, memory: Memory) -> Data:
        """Distinct rows, each with the weight of its copies."""
        X, y, weights = merge_copies(self.X, self.y, self.weights, memory)
        return replace(self, X=X, y=y, weights=weights)


def read_data(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    class_weight: ClassWeight | None = None,
    classes: np.ndarray | None = None,
    reset: bool = True,
) -> Data:
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
    numeric = not reads_labels(estimator, y)
    y = y.toarray() if sp.issparse(y) else y  # one column an output: narrow
    _check_gaps(y)
    (X, y), schema = check_columns(scratch, X, y, reset=reset, multi_output=True, y_numeric=numeric)
    X = canonical(X)
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
    if reset:
        schema = learned(schema, X, weights)
    else:
        X = filled(estimator.model_, X, schema)
    return Data(X, y, weights, columns, ConstantColumns.of(X), schema)


def _check_gaps(y: Any) -> None:
    """ValueError where a series or a frame of pandas has missing values."""
    gaps = np.argwhere(y.isna()) if hasattr(y, "isna") else np.empty((0, 1))
    if len(gaps):
        raise ValueError(
            f"y has missing values, {len(gaps)} in all, the first in row {gaps[0, 0]}: drop these "
            "rows, or give them a label of their own."
        )


def reads_labels(estimator: Any, y: Any) -> bool:
    """Whether an estimator takes y for labels: classifiers do, transformers by their `task`."""
    task = getattr(estimator, "task", None)
    if task is None:
        return is_classifier(estimator)
    if task == "auto":
        return y is not None and "continuous" not in type_of_target(y, input_name="y")
    return task == "classification"


def _numbers(y: np.ndarray) -> np.ndarray:
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


def _labels(y: np.ndarray, name: str) -> np.ndarray:
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


def _check_types(y: np.ndarray) -> None:
    """ValueError where labels are of types that have no order among each other."""
    try:
        np.unique(y)
    except TypeError as error:
        types = sorted({type(label).__name__ for label in y.ravel()})
        raise ValueError(
            f"y mixes labels of the types {', '.join(types)}, which have no common order; pass "
            "labels of one type, such as all of them as text, and a name for missing ones."
        ) from error


def _kind_of_labels(y: np.ndarray) -> str:
    """What scikit-learn's `type_of_target` says; it warns where plain integers are many."""
    if y.ndim == 1 and y.dtype.kind in "biu":
        return "multiclass"
    return type_of_target(y, input_name="y")


def check_size(table: Any, name: str, dtype: Any, squared: bool = False) -> None:
    """ValueError for numbers too large to be squared, or for `dtype`; it names the largest.

    Squares are of double precision unless they are `squared` in `dtype`.
    """
    values = table.data if sp.issparse(table) else table
    most = float(np.finfo(dtype).max)
    most = min(LARGEST, 1e-2 * most**0.5 if squared else most / 2)
    known = getattr(values, "largest", None)
    found = float(total(largest, _farther, values) if known is None else known)
    if abs(found) > most:
        raise ValueError(
            f"{name} holds {found:g}: numbers beyond {most:.2g} overflow in "
            f"{np.dtype(dtype).name}, at the latest where they are squared; scale that column "
            "down first."
        )


def largest(values: Any) -> Any:
    """The number that is farthest from zero; gaps are left out."""
    found = 0.0
    for part in Memory().chunks(len(values), values[:1].nbytes, CACHE_BYTES):
        piece = values[part]
        ends = piece.max(initial=0), piece.min(initial=0)
        if np.isnan(ends[0]):  # gaps
            ends = np.nanmax(piece, initial=0), np.nanmin(piece, initial=0)
        found = max(found, *ends, key=abs)
    return found


def _farther(one: Any, other: Any) -> Any:
    return max(one, other, key=abs)
