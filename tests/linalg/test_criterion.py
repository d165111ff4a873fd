"""By what penalties are judged: leave-one-out, some rows, or generalised cross-validation."""

import numpy as np
import pytest
from left_out import left_out_ridge
from sklearn.linear_model import Ridge
from systems import in_chunks, make

from sklearn_zorb.linalg import Gram, LeastSquares, System
from sklearn_zorb.linalg.criterion import choose, descend
from sklearn_zorb.linalg.gcv import gcv_errors
from sklearn_zorb.linalg.left_out import LeftOut
from sklearn_zorb.linalg.penalties import RELATIVE_ALPHAS
from sklearn_zorb.linalg.solvers import Cholesky, Eigen


@pytest.mark.parametrize("solver", [Eigen, Cholesky])
def test_gcv_is_that_of_equal_leverages(solver):
    rows, targets, weights = make("tall")
    gram = Gram().add(rows, targets, weights)
    model = Ridge(alpha=3.0).fit(rows, targets, sample_weight=weights)
    dof = np.trace(gram.product @ np.linalg.inv(gram.product + 3.0 * np.eye(7)))
    spare = 1 - (dof + 1) / weights.sum()
    squares = weights @ ((targets - model.predict(rows)) ** 2).mean(axis=1) / weights.sum()
    found = gcv_errors(gram, solver.prepare(gram), np.array([3.0]))
    np.testing.assert_allclose(found, squares / spare**2)


@pytest.mark.parametrize("unit", [1e-6, 1.0])
def test_gcv_counts_rows_and_not_how_little_they_weigh(unit):
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(60, 40)), rng.normal(size=(60, 2))
    targets[:, 0] += rows[:, 0]
    expected = LeastSquares().solve_sums(Gram().add(rows, targets))
    found = LeastSquares().solve_sums(Gram().add(rows, targets, np.full(60, unit)))
    assert found.alpha == pytest.approx(unit * expected.alpha)
    np.testing.assert_allclose(found.coef, expected.coef)
    assert found.loo_error == pytest.approx(expected.loo_error)


@pytest.mark.parametrize("alpha", [0.5, 40.0])
@pytest.mark.parametrize("solver", [Eigen, Cholesky])
def test_judges_are_the_only_rows_left_out(solver, alpha):
    rows, targets, weights = make("tall")
    every = in_chunks(rows, targets, weights)
    some = in_chunks(rows[:20], targets[:20], weights[:20])
    missed = targets - left_out_ridge(rows, targets, alpha, weights)
    error = np.average((missed[:20] ** 2).mean(axis=1), weights=weights[:20])
    left_out = LeftOut(every, solver.prepare(every.gram()))
    assert choose("loo", left_out, np.array([alpha]), some) == pytest.approx((alpha, error))
    assert LeastSquares(alpha).solve(every, judges=some).loo_error == pytest.approx(error)


def test_leave_one_out_gives_way_to_gcv_as_long_as_it_hardly_rises():
    alphas, rising = np.arange(5.0), np.arange(1.0, 6.0)
    of_rows = np.array([9.0, 1.2, 1.04, 1.0, 1.3])
    tried = np.where(alphas == 3, 1.0, np.inf)  # the others are asked for

    def of(errors):
        return lambda some: errors[some.astype(int)]

    assert descend(of(of_rows), of(rising), alphas, tried, 3) == 2
    np.testing.assert_array_equal(tried, [np.inf, 1.2, 1.04, 1.0, np.inf])
    assert descend(of(of_rows), of(-rising), alphas, tried, 3) == 3
    assert descend(of(rising), of(of_rows), alphas, rising, 0) == 0


def test_many_rows_and_many_columns_choose_their_own():
    """At sizes at which users meet them."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 400))
    targets = rows[:, :2] + rng.normal(size=(20_000, 2))
    many = LeastSquares().solve(System.from_arrays(rows, targets), left_out=True)
    assert (many.criterion, many.method) == ("gcv", "primal-cholesky")
    model = Ridge(many.alpha).fit(rows, targets)
    np.testing.assert_allclose(many.coef, model.coef_.T, atol=1e-10)
    spare = 1 - (many.dof + 1) / 20_000
    fitted = model.predict(rows)
    np.testing.assert_allclose(many.left_out, targets - (targets - fitted) / spare, atol=1e-8)
    wide = rng.normal(size=(2000, 1900))
    some = LeastSquares().solve(System.from_arrays(wide, wide[:, :1]), left_out=True)
    assert (some.criterion, some.method) == ("sampled-loo", "primal-cholesky")
    mean = (wide.var(axis=0)).mean() * 2000
    assert np.isclose(some.alpha / mean, RELATIVE_ALPHAS).any()
