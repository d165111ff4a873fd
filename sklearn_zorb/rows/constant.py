"""Columns that never varied in training: nothing is known of what another value means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

# rows that are compared at a time
STEP = 1000


@dataclass(frozen=True)
class ConstantColumns:
    """Columns of one value in all rows but for gaps, and that value.

    Attributes
    ----------
    places : ndarray of int
        In ascending order.
    values : ndarray
        NaN for columns of gaps only.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.rows.constant import ConstantColumns
    >>> constant = ConstantColumns.of(np.array([[1.0, 7.0], [2.0, 7.0]]))
    >>> constant.restore(np.array([[3.0, 9.0]])).tolist()
    [[3.0, 7.0]]
    """

    places: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, X: Any) -> Self | None:
        """The constant columns of an array or a sparse matrix; None where there are none."""
        places, values = _of_sparse(X.tocsc()) if sp.issparse(X) else _of_dense(X)
        return cls(places, values) if len(places) else None

    def within(self, X: Any) -> ConstantColumns | None:
        """Those of the columns that have the same value in all of these rows, too, or None."""
        return self.shared(ConstantColumns.of(X))

    def shared(self, other: ConstantColumns | None) -> ConstantColumns | None:
        """The columns that others have too, with the same value; None where there are none."""
        if other is None:
            return None
        places, mine, theirs = np.intersect1d(self.places, other.places, return_indices=True)
        same = _equal(self.values[mine], other.values[theirs])
        return ConstantColumns(places[same], self.values[mine][same]) if same.any() else None

    def restore(self, X: Any) -> Any:
        """Rows in which these columns have the value of training; X itself where they have.

        Gaps stay gaps.
        """
        if sp.issparse(X):
            return self._restore_sparse(X)
        found = X[:, self.places]
        wanted = np.where(np.isnan(found), found, self.values)
        if _equal(found, wanted).all():
            return X
        X = X.astype(np.result_type(X, self.values))
        X[:, self.places] = wanted
        return X

    def _restore_sparse(self, X: Any) -> Any:
        """Of most such columns the value is zero, and no entry may stand in them."""
        stored = np.zeros(X.shape[1], dtype=bool)
        stored[self.places] = True
        constant = stored[X.indices]
        filled = self.values != 0
        if not constant.any() and not filled.any():
            return X
        X = X.copy()
        X.data[constant] = 0
        X.eliminate_zeros()
        columns = np.zeros((1, X.shape[1]), dtype=X.dtype)
        columns[0, self.places] = self.values
        extra = sp.csr_matrix(columns)
        return (X + sp.vstack([extra] * X.shape[0], format="csr")) if filled.any() else X


def _equal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where two arrays have the same number, or both a gap."""
    return (left == right) | (np.isnan(left) & np.isnan(right))


def _of_dense(X: Any) -> tuple[np.ndarray, np.ndarray]:
    places, low, high = np.arange(X.shape[1]), np.asarray(X[0]), np.asarray(X[0])
    for start in range(0, X.shape[0], STEP):
        part = X[start : start + STEP][:, places]
        low = np.fmin(low, np.fmin.reduce(part))
        high = np.fmax(high, np.fmax.reduce(part))
        same = ~(low < high)
        places, low, high = places[same], low[same], high[same]
        if not len(places):
            break
    return places, low


def _of_sparse(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same for columns of a sparse matrix: empty ones, and full ones of one value."""
    counts = np.diff(X.indptr)
    full = [
        j for j in np.flatnonzero(counts == X.shape[0])
        if np.ptp(X.data[X.indptr[j] : X.indptr[j + 1]]) == 0
    ]  # fmt: skip
    places = np.union1d(np.flatnonzero(counts == 0), np.asarray(full, dtype=int))
    values = np.zeros(len(places), dtype=X.dtype)
    values[np.isin(places, full)] = [X.data[X.indptr[j]] for j in full]
    return places, values
