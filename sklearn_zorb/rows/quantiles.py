"""Weighted quantiles of columns, of a sample where rows are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..linalg import to_numpy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..typing import Array, Float

# rows that quantiles are taken of, at most
QUANTILE_ROWS = 20_000


def sampled(
    rng: np.random.Generator, inputs: Any, sample_weight: Array | None
) -> tuple[Any, Array | None]:
    """No more than `QUANTILE_ROWS` of the rows, drawn evenly, and their weights."""
    n_rows = inputs.shape[0]
    if n_rows <= QUANTILE_ROWS:
        return inputs[:], None if sample_weight is None else sample_weight[:]
    drawn = np.sort(rng.choice(n_rows, size=QUANTILE_ROWS, replace=False))
    return inputs[drawn], None if sample_weight is None else sample_weight[drawn]


class Ordered:
    """One column in ascending order, without the rows that weigh nothing.

    Parameters
    ----------
    column : array of shape (n_rows,)
    sample_weight : array of shape (n_rows,) or None
    """

    def __init__(self, column: np.ndarray, sample_weight: Array | None = None) -> None:
        if sample_weight is None:
            # finding their order takes twice as long
            self.values, self.weight = np.sort(column), np.ones(len(column))
        else:
            weight, order = to_numpy(sample_weight), np.argsort(column, kind="stable")
            order = order[weight[order] > 0]
            self.values, self.weight = column[order], weight[order]
        self._total = np.cumsum(self.weight)

    def quantiles(self, parts: ArrayLike, of: Float) -> np.ndarray:
        """The value up to which each number of parts goes, `of` parts being all of the weight.

        That is the first one with no less than their share of the weight at or below it: a
        weight of 2 is exactly two copies of a row.
        """
        places = np.searchsorted(self._total, np.asarray(parts) * self._total[-1] / of)
        return self.values[np.minimum(places, len(self.values) - 1)]

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct values in ascending order, and the weight of each."""
        first = np.flatnonzero(np.append(True, self.values[1:] != self.values[:-1]))
        return self.values[first], np.add.reduceat(self.weight, first)
