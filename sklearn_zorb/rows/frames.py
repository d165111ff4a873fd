"""Data frames of any library, read through narwhals: what is in a column, and its numbers."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real

import numpy as np

from .schema import NEW_LEVEL, Column, Schema

EPOCH = dt.datetime(1970, 1, 1)
NAMES_SHOWN = 10


@dataclass(frozen=True)
class Values:
    """One column as it came: of what kind, and numbers, or a list of levels and None for gaps.

    Attributes
    ----------
    kind : {"number", "category", "time", "duration", "nothing"}
        A column of gaps only is "nothing", which fits any kind.
    values : ndarray of float of shape (n_rows,), or list of str or None
    order : tuple of str or None
        All levels, where the type of the column gives them an order.
    zone : bool
    """

    kind: str
    values: object
    order: tuple | None = None
    zone: bool = False


class Table:
    """A data frame or an array, column by column.

    Parameters
    ----------
    X : data frame of pandas, polars or pyarrow, or array of shape (n_rows, n_columns)
    """

    def __init__(self, X):
        self.frame = as_frame(X)
        self.array = X if self.frame is None else None
        self.shape = X.shape if self.frame is None else self.frame.shape
        self.names = list(range(self.shape[1])) if self.frame is None else self.frame.columns

    @property
    def source(self):
        """The frame of its own library, or the array."""
        return self.array if self.frame is None else self.frame.to_native()

    @property
    def named(self):
        """Whether all names of columns are text."""
        return all(isinstance(name, str) for name in self.names)

    def values(self, j):
        """The column of index j, as `Values`."""
        name = self.names[j]
        if self.frame is not None:
            return _of_series(self.frame[:, j], name)
        return _of_array(self.array[:, j], name)


def as_frame(X):
    """X as a frame of narwhals; None where it is none; TypeError where it is not computed yet."""
    if isinstance(X, np.ndarray | list | tuple) or hasattr(X, "tocsr"):
        return None
    if hasattr(X, "__dask_graph__"):
        raise TypeError(
            f"X is a {type(X).__module__}.{type(X).__name__}, which is not in memory: pass "
            "X.compute()."
        )
    import narwhals as nw

    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise TypeError(
            f"X is a {type(X).__name__} of {type(X).__module__.partition('.')[0]}, of which "
            "nothing is computed yet: pass X.collect()."
        )
    return frame if isinstance(frame, nw.DataFrame) else None


def _of_series(series, name):
    import narwhals as nw

    dtype = series.dtype
    if dtype.is_numeric() or dtype == nw.Boolean:
        return Values("number", series.cast(nw.Float64).to_numpy().astype(np.float64))
    if dtype in (nw.Datetime, nw.Date):
        zone = getattr(dtype, "time_zone", None) is not None
        moments = series if dtype == nw.Datetime else series.cast(nw.Datetime("us"))
        seconds = moments.dt.timestamp("us").cast(nw.Float64).to_numpy() / 1e6
        return Values("time", seconds, zone=zone)
    if dtype == nw.Duration:
        microseconds = series.dt.total_microseconds().cast(nw.Float64).to_numpy()
        return Values("duration", microseconds / 1e6)
    missing = series.is_null().to_numpy()
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        order = tuple(map(str, dtype.categories)) if dtype == nw.Enum else None
        return _text(series.cast(nw.String).to_list(), missing, order)
    return _of_objects(np.asarray(series.to_native(), dtype=object), missing, name)


def _of_array(values, name):
    if values.dtype.kind in "biuf":
        return Values("number", values.astype(np.float64))
    if values.dtype.kind in "mM":
        missing = np.isnat(values)
        seconds = values.astype(f"{values.dtype.kind}8[us]").astype(np.float64) / 1e6
        seconds[missing] = np.nan
        return Values("time" if values.dtype.kind == "M" else "duration", seconds)
    values = np.asarray(values, dtype=object)
    missing = np.array([value is None or _is_nan(value) for value in values], dtype=bool)
    return _of_objects(values, missing, name)


def _is_nan(value):
    try:
        return bool(value != value)
    except TypeError:  # the missing value of pandas is neither equal to itself nor different
        return True


def _of_objects(values, missing, name):
    """What Python objects are: all numbers, all text, all dates, ...; TypeError for a mixture."""
    known = values[~missing]
    if not len(known):
        return Values("nothing", np.full(len(values), np.nan))
    for kind, types, number in (
        ("category", str, None), ("number", (Real, Decimal, np.bool_), float),
        ("time", dt.datetime, _seconds), ("time", dt.date, _seconds),
        ("duration", dt.timedelta, dt.timedelta.total_seconds), ("duration", dt.time, _of_day),
    ):  # fmt: skip
        if all(isinstance(value, types) for value in known):
            if number is None:
                return _text(list(values), missing, None)
            found = np.full(len(values), np.nan)
            found[~missing] = [number(value) for value in known]
            zoned = kind == "time" and getattr(known[0], "tzinfo", None) is not None
            return Values(kind, found, zone=zoned)
    held = sorted({type(value).__name__ for value in known})
    example = next(value for value in known if type(value).__name__ == held[0])
    raise TypeError(
        f"column {name!r} of X holds {' and '.join(held)}, such as {example!r}: a column has to "
        "hold numbers only, text only, or dates only. Convert it, for instance to text."
    )


def _seconds(moment):
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime(moment.year, moment.month, moment.day)
    start = EPOCH if moment.tzinfo is None else EPOCH.replace(tzinfo=dt.UTC)
    return (moment - start).total_seconds()


def _of_day(time):
    return 3600 * time.hour + 60 * time.minute + time.second + time.microsecond / 1e6


def _text(values, missing, order):
    if missing.all() and order is None:
        return Values("nothing", np.full(len(values), np.nan))
    texts = [None if gap else value for value, gap in zip(values, missing, strict=True)]
    return Values("category", texts, order)


def level_name(number):
    """The level that a number is where numbers are categories: 1.0 is the level "1"."""
    whole = np.isfinite(number) and number == int(number)
    return str(int(number)) if whole else repr(float(number))


def _as_levels(column, name):
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


def chosen_categories(table, categorical_features):
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


def read_table(table, categorical_features):
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
    numbers, columns = np.empty(table.shape), []
    for j, name in enumerate(table.names):
        column = table.values(j)
        if chosen is not None and j in chosen:
            column = _as_levels(column, name)
        elif chosen is not None and column.kind == "category":
            raise ValueError(
                f"column {name!r} of X holds text, and is not among categorical_features: add it, "
                "or leave 'from_dtype'."
            )
        column_schema, numbers[:, j] = _described(column, str(name))
        columns.append(column_schema)
    return numbers, Schema(tuple(columns))


def _described(column, name):
    """The `Column` of what came in training, and its numbers."""
    if column.kind == "nothing":
        return Column(name), column.values
    if column.kind != "category":
        return Column(name, column.kind, zone=column.zone), column.values
    found = dict.fromkeys(column.values)
    found.pop(None, None)
    levels = sorted(found) if column.order is None else column.order
    described = Column(name, "category", tuple(levels), ordered=column.order is not None)
    return described, _codes(column.values, levels)


def _codes(values, levels):
    """Codes of levels, -1 for new ones and NaN for gaps."""
    known = {level: float(code) for code, level in enumerate(levels)}
    known[None] = np.nan
    return np.array([known.get(value, NEW_LEVEL) for value in values])


def read_again(table, schema):
    """Numbers of a table whose columns, by their names or places, a schema describes.

    Returns
    -------
    X : ndarray of float of shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        Where a column holds something else than in training; it is named.
    """
    numbers = np.empty(table.shape)
    for j, expected in enumerate(schema.columns):
        column = table.values(j)
        if expected.kind == "category" and column.kind == "number":
            column = _of_known_levels(column, expected)
        if column.kind != "nothing" and (column.kind, column.zone) != (
            expected.kind,
            expected.zone,
        ):
            raise ValueError(
                f"column {expected.name!r} of X holds {_told(column)}, and held "
                f"{_told(expected)} in fit: convert it."
            )
        values = column.values
        category = expected.kind == "category" and column.kind == "category"
        numbers[:, j] = _codes(values, expected.levels) if category else values
    return numbers


def _of_known_levels(column, expected):
    """Numbers as levels, where at least one of them is one; else the numbers."""
    levels = _as_levels(column, expected.name)
    known = set(expected.levels)
    return levels if any(level in known for level in levels.values) else column


def _told(column):
    words = {"number": "numbers", "category": "text", "time": "times", "duration": "durations"}
    zones = " of a time zone" if column.zone else " without a time zone"
    return words[column.kind] + (zones if column.kind == "time" else "")


def in_order(table, names):
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


def shown(names):
    """Names for a message, the first ones where there are many."""
    names = [re.sub(r"\s+", " ", repr(name)) for name in names]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
