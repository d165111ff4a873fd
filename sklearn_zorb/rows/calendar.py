"""Parts of a time: year, month, weekday and hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..linalg import namespace

if TYPE_CHECKING:
    from ..typing import Array

PARTS = ("days", "year", "month", "weekday", "hour")
DAY = 86_400


def calendar(seconds: Array) -> Array:
    """Parts of times in seconds since 1970, NaN for NaN.

    Years begin in March while they are counted, so that the leap day comes last; 400 of them
    are 146 097 days (proleptic Gregorian calendar).

    Parameters
    ----------
    seconds : array of shape (n_rows,)

    Returns
    -------
    parts : array of shape (n_rows, 5)
        Days since 1970 with their fraction, year, month from 1, weekday from 0 for Monday, and
        hour with its fraction.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.rows.calendar import calendar
    >>> moment = np.array(["2024-02-29T18:30"], dtype="datetime64[s]")
    >>> calendar(moment.astype(float)).tolist()
    [[19782.770833333332, 2024.0, 2.0, 3.0, 18.5]]
    """
    xp = namespace(seconds)
    days = xp.floor(seconds / DAY)
    shifted = days + 719_468
    era = xp.floor(shifted / 146_097)
    of_era = shifted - 146_097 * era
    leaps = xp.floor(of_era / 1460) - xp.floor(of_era / 36_524) + xp.floor(of_era / 146_096)
    year = xp.floor((of_era - leaps) / 365)
    of_year = of_era - (365 * year + xp.floor(year / 4) - xp.floor(year / 100))
    month = xp.floor((5 * of_year + 2) / 153)
    month = xp.where(month < 10, month + 3, month - 9)
    year = year + 400 * era + xp.where(month <= 2, 1.0, 0.0)
    weekday = (days + 3) % 7
    return xp.stack([seconds / DAY, year, month, weekday, (seconds - DAY * days) / 3600], axis=1)
