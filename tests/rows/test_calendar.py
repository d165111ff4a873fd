"""Parts of a moment, against Python's own calendar."""

import datetime as dt

import numpy as np

from sklearn_zorb.rows.calendar import calendar


def test_parts_are_those_of_datetime(rng):
    start = dt.datetime(1970, 1, 1)
    seconds = np.concatenate([
        rng.integers(-60_000_000_000, 60_000_000_000, size=2000).astype(float),
        [0.0, -1.0, 951_782_400.0, 951_868_799.5],  # 29 February 2000, first and last
    ])  # fmt: skip
    expected = []
    for second in seconds:
        moment = start + dt.timedelta(seconds=float(second))
        hour = (moment - dt.datetime(moment.year, moment.month, moment.day)).total_seconds() / 3600
        expected.append([second / 86_400, moment.year, moment.month, moment.weekday(), hour])
    np.testing.assert_allclose(calendar(seconds), expected, atol=1e-9)
    assert np.isnan(calendar(np.array([np.nan]))).all()
