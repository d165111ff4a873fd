"""Leave-one-out predictions against refits without the row."""

import numpy as np
import pytest
from left_out import left_out_ridge
from systems import in_chunks, make
from threadpoolctl import threadpool_limits

from sklearn_zorb.linalg import LeastSquares, System


@pytest.mark.parametrize("shape", ["tall", "wide"])
def test_weights_below_one_are_rows_that_are_taken_away_whole(shape):
    rows, targets, _ = make(shape)
    weights = np.random.default_rng(0).uniform(0.1, 1, size=len(rows))
    solution = LeastSquares(alpha=1.0).solve(in_chunks(rows, targets, weights), left_out=True)
    expected = left_out_ridge(rows, targets, 1.0, weights)
    np.testing.assert_allclose(solution.left_out, expected, atol=1e-8)


@pytest.mark.parametrize("kind", ["none", "copies", "shares"])
@pytest.mark.parametrize("shape", ["wide", "tall", "rank"])
def test_minimum_norm_without_a_row_that_it_meets_exactly(shape, kind):
    """Every row of a wide system; of a tall one a row that alone fills a column."""
    rows, targets, weights = make("wide" if shape == "wide" else "tall")
    if shape != "wide":
        rows = np.column_stack([rows, np.eye(len(rows))[:, 4] * 2.0])
    if shape == "rank":
        rows[:, 1] = rows[:, 0]
    weights = np.where(np.arange(len(rows)) == 4, 1.0, weights)
    weights = {"none": None, "copies": weights, "shares": weights / 4}[kind]
    solution = LeastSquares(alpha=0).solve(in_chunks(rows, targets, weights), left_out=True)
    for i in (2, 4):
        fewer = np.ones(len(rows)) if weights is None else weights.copy()
        fewer[i] -= min(fewer[i], 1)
        keep = fewer > 0
        left = LeastSquares(alpha=0).solve(in_chunks(rows[keep], targets[keep], fewer[keep]))
        expected = rows[i] @ left.coef + left.intercept
        np.testing.assert_allclose(solution.left_out[i], expected, atol=1e-7)


@pytest.mark.parametrize("alpha", ["loo", 0.0, 2.0])
def test_rows_left_out_are_the_same_for_any_number_of_threads(alpha):
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(20_000, 8)), rng.normal(size=(20_000, 3))
    rows[700, 5] = 1e4  # with a leverage of nearly one
    weights, solved = rng.uniform(0.5, 3, size=20_000), []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            system = System.from_arrays(rows, targets, weights)
            solved.append(LeastSquares(alpha=alpha).solve(system, left_out=True))
    one, two = solved
    np.testing.assert_array_equal(one.left_out, two.left_out)
    assert one.loo_error == two.loo_error and one.alpha == two.alpha
    missed = ((targets - one.left_out) ** 2).mean(axis=1)
    assert one.loo_error == pytest.approx(np.average(missed, weights=weights), rel=1e-12)
