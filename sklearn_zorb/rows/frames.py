"""Data frames of any library, read through narwhals, as numbers and a schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from .schema import NEW_LEVEL, Column, Schema
from .values import Values, level_name, of_array, of_series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

NAMES_SHOWN = 10


class Table:
    """A data frame or an array, column by column.

    Parameters
    ----------
    X : data frame of pandas, polars or pyarrow, or array of shape (n_rows, n_columns)
    """

    def __init__(self, X: Any) -> None:
        self.frame = as_frame(X)
        self.array: Any = X if self.frame is None else None
        self.shape = X.shape if self.frame is None else self.frame.shape
        self.names = list(range(self.shape[1])) if self.frame is None else self.frame.columns
        # pandas looks through a column of objects to tell its type: once is enough
        self._dtypes = [] if self.frame is None else self.frame.schema.dtypes()
        self._plain = {} if self.frame is None else _plain_columns(self.frame, self._dtypes)

    @property
    def source(self) -> Any:
        """The frame of its own library, or the array."""
        return self.array if self.frame is None else self.frame.to_native()

    @property
    def named(self) -> bool:
        """Whether all names of columns are text."""
        return all(isinstance(name, str) for name in self.names)

    def values(self, j: int) -> Values:
        """The column of index j, as `Values`."""
        name = self.names[j]
        if j in self._plain:
            return Values("number", self._plain[j])
        if self.frame is not None:
            return of_series(self.frame.get_column(name), self._dtypes[j], name)
        return of_array(self.array[:, j], name)

    def empty(self) -> np.ndarray:
        """An array for the numbers of the table, in single precision where all of them are."""
        kinds = {column.dtype for column in self._plain.values()}
        single = len(self._plain) == self.shape[1] and kinds == {np.dtype(np.float32)}
        return np.empty(self.shape, np.float32 if single else np.float64)


def _plain_columns(frame: Any, dtypes: Iterable[Any]) -> dict[int, np.ndarray]:
    """Columns of floats and integers, and of booleans, by their indices.

    They are read at once: one by one, thousands of them take as long as a fit.
    """
    import narwhals as nw

    columns: dict[int, np.ndarray] = {}
    dtypes = list(enumerate(dtypes))
    wide = (nw.Int128, nw.UInt128)  # NumPy has no such integers
    whole = [j for j, dtype in dtypes if dtype.is_integer() and dtype not in wide]
    floats = [j for j, dtype in dtypes if dtype.is_float()]
    for places in (sorted(whole + floats), [j for j, dtype in dtypes if dtype == nw.Boolean]):
        block = frame[:, places].to_numpy() if places else np.empty((0, 0))
        if block.dtype.kind in "fiub":  # with gaps, booleans are objects
            columns.update(zip(places, block.T, strict=True))
    return columns


def as_frame(X: Any) -> Any:
    """X as a frame of narwhals; None where it is none; TypeError where it is not computed yet."""
    if isinstance(X, np.ndarray | list | tuple) or hasattr(X, "tocsr"):
        return None
    if hasattr(X, "__dask_graph__"):
        raise TypeError(
            f"X is a {type(X).__module__}.{type(X).__name__}, which is not in memory: pass "
            "X.compute()."
        )
    import narwhals as nw

    try:
        frame = nw.from_native(X, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        what = re.sub(r"\s+", " ", str(error))
        raise ValueError(f"columns of X share a name: {what}; rename them.") from error
    if isinstance(frame, nw.LazyFrame):
        raise TypeError(
            f"X is a {type(X).__name__} of {type(X).__module__.partition('.')[0]}, of which "
            "nothing is computed yet: pass X.collect()."
        )
    return frame if isinstance(frame, nw.DataFrame) else None


def _as_levels(column: Values, name: Any) -> Values:
    """A column as a category, whatever it holds."""
    if column.kind == "number":
        texts = [None if np.isnan(value) else level_name(value) for value in column.values]
        return Values("category", texts)
    if column.kind in ("time", "duration"):
        raise ValueError(
            f"column {name!r} of X holds {column.kind}s, which are no category: leave it out of "
            "categorical_features, or convert it to text."
        )
    return column


def chosen_categories(table: Table, categorical_features: ArrayLike | None) -> set[int] | None:
    """Indices of the columns that a parameter says are categories; None where types say it.

    Parameters
    ----------
    table : Table
    categorical_features : "from_dtype", None, or array-like of bool, int or str
    """
    if isinstance(categorical_features, str):
        return None
    given = np.asarray([] if categorical_features is None else categorical_features)
    width = table.shape[1]
    if given.dtype.kind in "OU":
        unknown = [name for name in given.tolist() if name not in table.names]
        if unknown:
            raise ValueError(
                f"categorical_features names {shown(unknown)}, which are no columns of X: "
                f"{shown(table.names)}."
            )
        return {table.names.index(name) for name in given.tolist()}
    if given.dtype.kind == "b":
        if given.shape != (width,):
            raise ValueError(
                f"categorical_features is a mask of shape {given.shape}, and X has {width} "
                "columns: pass one entry for each."
            )
        return set(np.flatnonzero(given).tolist())
    if given.size and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= width):
        raise ValueError(
            f"categorical_features={categorical_features!r}; pass 'from_dtype', a mask, names, or "
            f"indices from 0 to {width - 1}."
        )
    return set(given.tolist())


def read_table(table: Table, categorical_features: ArrayLike | None) -> tuple[np.ndarray, Schema]:
    """Numbers of a table to learn from, and its schema.

    Parameters
    ----------
    table : Table
    categorical_features : "from_dtype", None, or array-like of bool, int or str

    Returns
    -------
    X : ndarray of float of shape (n_rows, n_columns)
    schema : Schema
        Without counts.
    """
    chosen = chosen_categories(table, categorical_features)
    numbers, columns = table.empty(), []
    for j, name in enumerate(table.names):
        column = table.values(j)
        if chosen is not None and j in chosen:
            column = _as_levels(column, name)
        elif chosen is not None and column.kind == "category":
            raise ValueError(
                f"column {name!r} of X holds text, and is not among categorical_features: add it, "
                "or leave 'from_dtype'."
            )
        label = str(name) if table.array is None else f"x{name}"
        column_schema, numbers[:, j] = _described(column, label)
        columns.append(column_schema)
    return numbers, Schema(tuple(columns))


def _described(column: Values, name: Any) -> tuple[Column, np.ndarray]:
    """The `Column` of what came in training, and its numbers."""
    if column.kind != "category":
        return Column(name, column.kind, zone=column.zone), column.values
    found = dict.fromkeys(column.values)
    found.pop(None, None)
    levels = sorted(found) if column.order is None else column.order
    described = Column(name, "category", tuple(levels), ordered=column.order is not None)
    return described, _codes(column.values, levels)


def _codes(values: Iterable[str | None], levels: Iterable[str]) -> np.ndarray:
    """Codes of levels, -1 for new ones and NaN for gaps."""
    wanted = set(values)  # few at prediction
    known: dict[str | None, float] = {
        level: float(code) for code, level in enumerate(levels) if level in wanted
    }
    known[None] = np.nan
    return np.array([known.get(value, NEW_LEVEL) for value in values])


def read_again(table: Table, schema: Schema) -> np.ndarray:
    """Numbers of a table whose columns, by their names or places, a schema describes.

    Returns
    -------
    X : ndarray of float of shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        Where a column holds something else than in training; it is named.
    """
    numbers = table.empty()
    for j, expected in enumerate(schema.columns):
        if expected.kind == "nothing":
            numbers[:, j] = np.nan
            continue
        column = table.values(j)
        if expected.kind == "category" and column.kind == "number":
            column = _of_known_levels(column, expected)
        if (column.kind, column.zone) == (expected.kind, expected.zone):
            category = column.kind == "category"
            values = column.values
            numbers[:, j] = _codes(values, expected.levels) if category else values
        elif _only_gaps(column):
            numbers[:, j] = np.nan
        else:
            raise ValueError(
                f"column {expected.name!r} of X holds {_told(column)}, and held "
                f"{_told(expected)} in fit: convert it."
            )
    return numbers


def _only_gaps(column: Values) -> bool:
    """Whether a column has no value; libraries give it some type or other."""
    if column.kind == "category":
        return all(value is None for value in column.values)
    return bool(np.isnan(column.values).all())


def _of_known_levels(column: Values, expected: Column) -> Values:
    """Numbers as levels, where all levels are numbers or one of these is known; else numbers."""
    levels, known = _as_levels(column, expected.name), set(expected.levels)
    numeric = all(map(_is_number, known))
    return levels if numeric or not known.isdisjoint(levels.values) else column


def _is_number(level: str) -> bool:
    try:
        return level_name(float(level)) == level
    except ValueError:
        return False


def _told(column: Values | Column) -> str:
    words = {"number": "numbers", "category": "text", "time": "times", "duration": "durations"}
    zones = " of a time zone" if column.zone else " without a time zone"
    return words[column.kind] + (zones if column.kind == "time" else "")


def in_order(table: Table, names: Iterable[Any]) -> Table:
    """The table with its columns in the order of `names`; ValueError where they differ."""
    if table.names == list(names):
        return table
    known = set(table.names)
    missing = [name for name in names if name not in known]
    strange = [name for name in table.names if name not in set(names)]
    if missing or strange:
        parts = [f"fit saw {shown(missing)}, which are missing now"] if missing else []
        parts += [f"fit did not see {shown(strange)}"] if strange else []
        raise ValueError(
            f"The feature names should match those that were passed during fit: "
            f"{'; '.join(parts)}. Pass the same columns, in any order."
        )
    return Table(table.frame.select(*names).to_native())


def shown(names: Iterable[Any]) -> str:
    """Names for a message, the first ones where there are many."""
    names = [re.sub(r"\s+", " ", repr(name)) for name in names]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
