"""Categories that came as one column for each: found again, and joined for trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .typed import TypedColumns

# codes that histograms of scikit-learn's boosting have room for
MOST_CATEGORIES = 255


class JoinedCategories:
    """Rows with one column of codes in place of each group of one-hot columns.

    A group are neighbouring columns, of two values each, of which every training row has
    exactly one at its higher value. A tree parts the codes of a category at one node, where it
    would need one for each one-hot column, and has fewer columns to look at.

    Parameters
    ----------
    rows : ndarray or CSR matrix of shape (n_samples, n_features)
        Columns of sparse rows stay as they are.
    dense : bool, default=False
        Whether sparse rows are made dense.

    Attributes
    ----------
    groups : list of slice
        The columns of each category.
    categorical : ndarray of bool of shape (n_joined,)
        Which columns of what `transform` returns are codes: those behind the others.
    """

    def __init__(self, rows: Any, *, dense: bool = False) -> None:
        self.dense, self.groups = dense, []
        rows = self._dense(rows)
        if not hasattr(rows, "tocsr"):
            lowest, highest = rows.min(axis=0), rows.max(axis=0)
            self.groups = one_hot_groups(rows, lowest, highest)
            # a category that no training row has would show above its constant
            self.between = lowest + (highest - lowest) / 2
        alone = np.ones(rows.shape[1], dtype=bool)
        for group in self.groups:
            alone[group] = False
        self.others = np.flatnonzero(alone)
        self.categorical = np.arange(len(self.others) + len(self.groups)) >= len(self.others)

    def transform(self, rows: Any) -> Any:
        """Joined rows of shape (n_samples, n_joined); -1 where a row has no category of a group."""
        rows = self._dense(rows)
        if not self.groups:
            return rows
        codes = [_codes(rows[:, group] > self.between[group]) for group in self.groups]
        return np.column_stack([rows[:, self.others], *codes])

    def apart(self, values: np.ndarray) -> np.ndarray:
        """Values of joined columns for the columns that rows have; a group shares out its own."""
        found = np.empty(len(self.others) + sum(group.stop - group.start for group in self.groups))
        found[self.others] = values[: len(self.others)]
        for group, value in zip(self.groups, values[len(self.others) :], strict=True):
            found[group] = value / (group.stop - group.start)
        return found

    def _dense(self, rows: Any) -> Any:
        wanted = hasattr(rows, "tocsr") and (self.dense or self.groups)
        return rows.toarray() if wanted else rows


class OfJoined:
    """A model of joined rows, for rows as they come."""

    def __init__(self, model: Any, joined: JoinedCategories | TypedColumns) -> None:
        self.model, self.joined = model, joined

    def predict(self, rows: Any) -> np.ndarray:
        return self.model.predict(self.joined.transform(rows))

    @property
    def importances(self) -> np.ndarray:
        return self.joined.apart(self.model.importances)


def _codes(high: np.ndarray) -> np.ndarray:
    return np.where(high.any(axis=1), high.argmax(axis=1), -1)


def one_hot_groups(rows: Any, lowest: np.ndarray, highest: np.ndarray) -> list[slice]:
    """Slices of columns of which each row has exactly one at its highest value."""
    # the only value of a constant column is one that no row stands out by
    high = (rows == highest) & (highest > lowest)
    pairs = (high | (rows == lowest)).all(axis=0)
    groups = []
    for first, last in _runs(pairs):
        # a group's counts sum to the number of rows: that leaves one end for each start
        ends = np.append(0, np.cumsum(high[:, first:last].sum(axis=0)))
        start = 0
        while start < last - first:
            stop = int(np.searchsorted(ends, ends[start] + len(rows)))
            here = slice(first + start, first + stop)
            fits = stop < len(ends) and ends[stop] == ends[start] + len(rows)
            if fits and stop - start <= MOST_CATEGORIES and high[:, here].any(axis=1).all():
                groups.append(here)
                start = stop
            else:
                start += 1
    return groups


def _runs(flags: np.ndarray) -> list[list[int]]:
    """(first, last) of each run of true flags, the last one exclusive."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return steps.reshape(-1, 2).tolist()
