"""What is in one column of a data frame or an array: its kind, and its numbers or levels."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EPOCH = dt.datetime(1970, 1, 1)


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
    values: Any
    order: tuple[str, ...] | None = None
    zone: bool = False


def of_series(series: Any, dtype: Any, name: object) -> Values:
    """The `Values` of a series of narwhals; errors call it `name`."""
    import narwhals as nw

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
    if dtype == nw.String:
        return _text(series.to_list())
    if dtype in (nw.Categorical, nw.Enum):
        order = tuple(map(_level, dtype.categories)) if dtype == nw.Enum else None
        values = series.to_list()
        levels = {value: _level(value) for value in set(values)}
        return _text([levels[value] for value in values], order)
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    return _of_objects(values, name)


def of_array(values: np.ndarray, name: object) -> Values:
    """The `Values` of an array of shape (n_rows,); errors call it `name`."""
    if values.dtype.kind in "biuf":
        return Values("number", values.astype(np.float64))
    if values.dtype.kind in "mM":
        missing = np.isnat(values)
        seconds = values.astype(f"{values.dtype.kind}8[us]").astype(np.float64) / 1e6
        seconds[missing] = np.nan
        return Values("time" if values.dtype.kind == "M" else "duration", seconds)
    return _of_objects(np.asarray(values, dtype=object), name)


def _is_gap(value: Any) -> bool:
    if value is None:
        return True
    different = value != value
    # to compare the missing value of pandas with itself gives a missing value again
    return bool(different) if isinstance(different, bool | np.bool_) else different is value


def _of_objects(values: np.ndarray, name: object) -> Values:
    """What Python objects are: all numbers, all text, all dates, ...; TypeError for a mixture."""
    missing = np.array([_is_gap(value) for value in values], dtype=bool)
    known = values[~missing]
    if not len(known):
        return Values("nothing", np.full(len(values), np.nan))
    for kind, types, number in (
        ("category", str, None), ("number", (Real, Decimal, np.bool_), _number),
        ("time", dt.datetime, _seconds), ("time", dt.date, _seconds),
        ("duration", dt.timedelta, dt.timedelta.total_seconds), ("duration", dt.time, _of_day),
    ):  # fmt: skip
        if all(isinstance(value, types) for value in known):
            if number is None:
                return _text(values.tolist())
            found = np.full(len(values), np.nan)
            found[~missing] = [number(value) for value in known]
            return Values(kind, found, zone=kind == "time" and _zoned(known, name))
    held = sorted({type(value).__name__ for value in known})
    example = next(value for value in known if type(value).__name__ == held[0])
    raise TypeError(
        f"column {name!r} of X holds {' and '.join(held)}, such as {example!r}: a column has to "
        "hold numbers only, text only, or dates only. Convert it, for instance to text."
    )


def _zoned(moments: Iterable[Any], name: object) -> bool:
    """Whether times are those of a time zone; TypeError where some are."""
    zones = {getattr(moment, "tzinfo", None) is not None for moment in moments}
    if len(zones) > 1:
        raise TypeError(
            f"column {name!r} of X holds times with and without a time zone: give all of them one."
        )
    return zones.pop()


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _seconds(moment: dt.date) -> float:
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime(moment.year, moment.month, moment.day)
    start = EPOCH if moment.tzinfo is None else EPOCH.replace(tzinfo=dt.UTC)
    return (moment - start).total_seconds()


def _of_day(time: dt.time) -> float:
    return 3600 * time.hour + 60 * time.minute + time.second + time.microsecond / 1e6


def _text(values: Sequence[Any], order: tuple[str, ...] | None = None) -> Values:
    texts = [value if isinstance(value, str) else None for value in values]
    if order is None and not any(text is not None for text in texts):
        return Values("nothing", np.full(len(values), np.nan))
    return Values("category", texts, order)


def _level(value: Any) -> Any:
    """The level that a value is: numbers of any type, and booleans, have one name each."""
    if isinstance(value, str) or _is_gap(value):
        return value
    return level_name(value) if isinstance(value, Real | np.bool_) else str(value)


def level_name(number: Any) -> str:
    """The level that a number is where numbers are categories: 1.0 is the level "1"."""
    whole = np.isfinite(number) and number == int(number)
    return str(int(number)) if whole else repr(float(number))
