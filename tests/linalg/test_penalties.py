"""The grid of penalties, and the walk over it."""

import numpy as np
import pytest

from sklearn_zorb.linalg import check_alpha
from sklearn_zorb.linalg.penalties import least, search


@pytest.mark.parametrize("steps, most", [((1,), 14), ((2, 1), 10), ((2,), 8)])
def test_a_walk_finds_what_a_sweep_does(steps, most):
    places = range(8 % steps[-1], 19, steps[-1])
    for bottom in np.arange(-2, 22, 0.25):
        tried, valley = [], 1 + (np.arange(19.0) - bottom) ** 2

        def score(place, tried=tried, valley=valley):
            tried.append(place)
            return valley[place]

        found, errors = search(score, 19, 8, steps)
        assert found == max(places, key=lambda place, valley=valley: (-valley[place], place))
        assert len(tried) == len(set(tried)) <= most
        np.testing.assert_array_equal(np.flatnonzero(np.isfinite(errors)), sorted(tried))


@pytest.mark.parametrize("steps", [(1,), (2, 1)])
def test_among_equals_it_goes_on_to_more_penalty(steps):
    slowly = 1 + 1e-12 * np.arange(19.0)
    assert search(slowly.__getitem__, 19, 8, steps)[0] == 18
    # as far as a tolerance reaches from the least error, as a sweep of all places does
    rising = 1 + 3e-5 * np.arange(19.0)
    assert search(rising.__getitem__, 19, 8, steps, tolerance=1e-4)[0] == least(rising) == 3
    assert search(rising.__getitem__, 19, 8, steps)[0] == 0


def test_errors_that_are_no_numbers_end_a_walk():
    errors = np.array([3.0, np.inf, 2.0, 1.0, np.inf, np.nan])
    assert search(errors.__getitem__, 6, 2)[0] == 3


@pytest.mark.parametrize("alpha", [-1, "best", np.inf, np.nan, None, True])
def test_bad_alpha(alpha):
    with pytest.raises(ValueError, match="alpha=.*pass 'loo' or a finite number"):
        check_alpha(alpha)
