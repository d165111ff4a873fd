"""Schemas of blocks of rows, and the one that holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from ..rows.schema import Column, Schema, gaps_only


def joined(schemas: Sequence[Schema | None]) -> Schema | None:
    """The schema of all blocks: every level that one of them has; None of numbers without gaps.

    Raises
    ------
    ValueError
        Where a column is of different kinds in two blocks.
    """
    known = [schema for schema in schemas if schema is not None]
    if not known:
        return None
    width = len(known[0])
    return reduce(_join, [gaps_only(width) if one is None else one for one in schemas])


def _join(one: Schema, other: Schema) -> Schema:
    pairs = zip(one.columns, other.columns, strict=True)
    return Schema(tuple(_join_columns(*pair) for pair in pairs))


def _join_columns(one: Column, other: Column) -> Column:
    gaps = one.gaps or other.gaps
    if "nothing" in (one.kind, other.kind) or not (one.levels or other.levels):
        told = other if one.kind == "nothing" else one
        if "nothing" not in (one.kind, other.kind) and _kind(one) != _kind(other):
            raise _different(one, other)
        return replace(told, gaps=gaps)
    if _kind(one) != _kind(other) or (one.ordered and one.levels != other.levels):
        raise _different(one, other)
    levels = one.levels if one.ordered else tuple(sorted({*one.levels, *other.levels}))
    counts = dict.fromkeys(levels, 0.0)
    for column in (one, other):
        for level, count in zip(column.levels, column.counts, strict=False):
            counts[level] += count
    return replace(one, levels=levels, counts=tuple(counts.values()), gaps=gaps)


def _kind(column: Column) -> tuple[str, bool, bool]:
    return column.kind, column.zone, column.ordered


def _different(one: Column, other: Column) -> ValueError:
    return ValueError(
        f"column {one.name!r} of X holds a {one.kind} in one partition and a {other.kind} in "
        "another, or categories of another order: convert it."
    )


def recoded(X: np.ndarray, given: Schema | None, common: Schema) -> np.ndarray:
    """Rows with the codes of a common schema in place of those of their own."""
    X = X.copy()
    pairs = [] if given is None else zip(given.columns, common.columns, strict=True)
    for j, (column, wanted) in enumerate(pairs):
        if column.levels and column.levels != wanted.levels:
            codes = np.array([wanted.levels.index(level) for level in column.levels], X.dtype)
            known = ~np.isnan(X[:, j])
            X[known, j] = codes[X[known, j].astype(int)]
    return X
