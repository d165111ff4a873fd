"""Weighted quantiles, beside those of rows repeated."""

import numpy as np

from sklearn_zorb.rows.quantiles import Ordered


def test_weights_are_copies(rng):
    column, weights = rng.integers(0, 9, size=40) / 4, rng.integers(0, 4, size=40)
    copies = np.repeat(column, weights)
    ordered = Ordered(column, weights)
    values, counts = np.unique(copies, return_counts=True)
    np.testing.assert_array_equal(ordered.distinct(), [values, counts])
    found = ordered.quantiles(np.arange(1, 8), 8)
    expected = np.quantile(copies, np.arange(1, 8) / 8, method="inverted_cdf")
    np.testing.assert_array_equal(found, expected)
