"""Typed columns as trees read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...rows.calendar import PARTS, calendar
from ...rows.schema import Schema
from ..encode import Encode

if TYPE_CHECKING:
    from ...rows.schema import Column

# levels of a category that forests see apart; of more, a node would hardly look at other columns
FEW_LEVELS = 12


class TypedColumns:
    """Rows for trees: gaps stay gaps, categories are codes, times are parts of the calendar.

    Parameters
    ----------
    schema : Schema
    max_levels : int
        Most codes of a category; all other levels, and new ones, share one more.
    indicators : bool
        Whether a column of 0 and 1 for each level stands beside the codes where levels are few,
        for trees that know thresholds only: one split tells a level apart, another one a range of
        them.

    Attributes
    ----------
    categorical : ndarray of bool of shape (n_outputs,)
        Which columns of what `transform` returns are codes.
    sources : ndarray of int of shape (n_outputs,)
        Input column of each output.
    """

    def __init__(self, schema: Schema, *, max_levels: int, indicators: bool) -> None:
        self.schema = schema
        self.numbers = schema.of_kind("number", "duration", "nothing")
        self.times, self.categories = schema.of_kind("time"), schema.of_kind("category")
        self.codes = [_codes(schema.columns[j], max_levels) for j in self.categories]
        self.few = [j for j in self.categories if indicators and _are_few(schema.columns[j])]
        self.encode = Encode(
            kinds="categories", schema=Schema(tuple(schema.columns[j] for j in self.few))
        )
        shown = [self.few[i] for i in self.encode.output_sources()]
        times = np.repeat(self.times, len(PARTS))
        self.sources = np.array([*self.numbers, *times, *self.categories, *shown], dtype=int)
        start = len(self.numbers) + len(times)
        places = np.arange(len(self.sources))
        self.categorical = (places >= start) & (places < start + len(self.categories))

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """Rows of shape (n_samples, n_outputs)."""
        parts = [rows[:, self.numbers], *(calendar(rows[:, j]) for j in self.times)]
        for j, codes in zip(self.categories, self.codes, strict=True):
            missing = np.isnan(rows[:, j])
            # the last code is that of new levels, which are -1
            found = codes[np.where(missing, -1, rows[:, j]).astype(int)]
            parts.append(np.where(missing, np.nan, found)[:, None])
        if self.few:
            # no level is a median
            params = {"medians": np.zeros(len(self.few))}
            parts.append(self.encode.forward(params, rows[:, self.few]))
        return np.concatenate(parts, axis=1).astype(rows.dtype, copy=False)

    def apart(self, values: np.ndarray) -> np.ndarray:
        """Values of the outputs, summed for the columns that they come from."""
        return np.bincount(self.sources, values, minlength=len(self.schema))


def _are_few(column: Column) -> bool:
    return 2 < len(column.levels) <= FEW_LEVELS


def _codes(column: Column, max_levels: int) -> np.ndarray:
    """The code of each level, and behind them that of new ones."""
    kept = column.frequent(max_levels)
    codes = np.full(len(column.levels) + 1, float(len(kept)))
    codes[kept] = np.arange(len(kept))
    if len(kept) == sum(count > 0 for count in column.counts):
        codes[-1] = np.nan  # nothing like a new level came in training
    return codes
