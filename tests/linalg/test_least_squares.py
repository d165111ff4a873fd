"""Whole solves against scikit-learn and SciPy, and which solver they take."""

import gc
import pickle
import sys

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from left_out import left_out_ridge
from sklearn.linear_model import Ridge
from systems import SHAPES, in_chunks, make

from sklearn_zorb.linalg import (
    Gram,
    LeastSquares,
    Status,
    System,
    check_alpha,
    get_backend,
    to_numpy,
)
from sklearn_zorb.linalg.penalties import RELATIVE_ALPHAS


@pytest.fixture(params=["numpy", "jax"])
def backend(request):
    with get_backend(request.param).scope():
        yield request.param


@pytest.mark.quick(7)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_ridge_is_that_of_scikit_learn(shape, intercept, backend):
    rows, targets, weights = make(shape)
    system = in_chunks(rows, targets, weights, backend=backend, fit_intercept=intercept)
    for alpha in ("loo", 2.5):
        solution = LeastSquares(alpha=alpha).solve(system)
        model = Ridge(solution.alpha, fit_intercept=intercept)
        model.fit(rows, targets, sample_weight=weights)
        np.testing.assert_allclose(to_numpy(solution.coef), model.coef_.T, atol=1e-9)
        np.testing.assert_allclose(to_numpy(solution.intercept), model.intercept_, atol=1e-8)


@pytest.mark.parametrize("shape", ["tall", "wide"])
def test_loo_takes_the_best_alpha_of_the_grid(shape):
    rows, targets, _ = make(shape)
    solution = LeastSquares().solve(in_chunks(rows, targets))
    centred = rows - rows.mean(axis=0)
    grid = RELATIVE_ALPHAS * (centred**2).sum() / rows.shape[1]
    errors = [((targets - left_out_ridge(rows, targets, a)) ** 2).mean() for a in grid]
    assert solution.alpha == pytest.approx(grid[int(np.argmin(errors))], rel=1e-9)


@pytest.mark.quick(7)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rcond", [None, 1e-3])
def test_minimum_norm_equals_lstsq(shape, rcond, backend):
    rows, targets, _ = make(shape)
    rows[:, 1] = rows[:, 0]  # rank deficient
    solution = LeastSquares(alpha=0, rcond=rcond).solve(in_chunks(rows, targets, backend=backend))
    cutoff = np.finfo(float).eps * max(rows.shape) if rcond is None else rcond
    centred, deviation = rows - rows.mean(axis=0), targets - targets.mean(axis=0)
    expected, _, rank, _ = scipy.linalg.lstsq(centred, deviation, cond=cutoff)
    np.testing.assert_allclose(to_numpy(solution.coef), expected, atol=1e-8)
    assert round(solution.dof) == rank
    assert solution.status is Status.RANK_DEFICIENT


@pytest.mark.parametrize("width, method", [(40, "primal-eigh"), (120, "primal-cholesky")])
def test_sums_alone_give_the_solution_of_all_rows(width, method):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3000, width)) @ rng.normal(size=(width, width)) + 2
    targets = rows[:, :2] + 30 * rng.normal(size=(3000, 2))
    solution = LeastSquares().solve_sums(Gram().add(rows, targets))
    assert (solution.criterion, solution.method) == ("gcv", method)
    model = Ridge(solution.alpha).fit(rows, targets)
    np.testing.assert_allclose(solution.coef, model.coef_.T, atol=1e-9)
    # no penalty of the grid has a smaller error of generalised cross-validation
    centred, errors = rows - rows.mean(axis=0), []
    values, vectors = np.linalg.eigh(centred.T @ centred)
    scores = centred @ vectors
    for alpha in RELATIVE_ALPHAS * values.mean():
        fitted = scores / (values + alpha) @ (scores.T @ targets)
        spare = 1 - ((values / (values + alpha)).sum() + 1) / 3000
        errors.append((((targets - targets.mean(axis=0) - fitted) / spare) ** 2).mean())
    assert solution.loo_error == pytest.approx(min(errors), rel=2e-4)


def test_a_given_penalty_below_rounding_has_eigenvalues():
    """What lies along directions that rounding made is left out."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 7)) @ rng.normal(size=(7, 100))
    solution = LeastSquares(alpha=1e-300).solve_sums(Gram().add(rows, rows[:, :3]))
    assert solution.method == "primal-eigh"
    assert np.abs(solution.coef).max() < 10


@pytest.mark.parametrize("alpha", ["loo", 1.0, 0])
@pytest.mark.parametrize("rows", [np.zeros((9, 2)), np.full((9, 2), 1e8), np.zeros((3, 5))])
def test_constant_rows_predict_the_mean(alpha, rows):
    targets = np.arange(len(rows), dtype=float)[:, None]
    solution = LeastSquares(alpha=alpha).solve(in_chunks(rows, targets))
    fitted = rows @ solution.coef + solution.intercept
    np.testing.assert_allclose(fitted, targets.mean(), atol=1e-6)


@pytest.mark.parametrize("size", [1e-150, 1e-160, 1e-200])
def test_columns_whose_squares_underflow(size):
    rows, targets, _ = make("tall")
    solution = LeastSquares().solve(in_chunks(rows * size, targets), left_out=True)
    assert solution.alpha > 0
    assert np.isfinite(solution.coef).all() and np.isfinite(solution.left_out).all()


@pytest.mark.parametrize("shape", ["tall", "wide"])
@pytest.mark.parametrize("alpha", ["loo", 0.5])
def test_sparse_rows_equal_dense_ones(shape, alpha):
    rng = np.random.default_rng(0)
    n_rows, n_features = SHAPES[shape]
    rows = sp.random(n_rows, n_features, density=0.3, random_state=0, format="csr")
    targets, weights = rng.normal(size=(n_rows, 2)), rng.integers(1, 4, n_rows).astype(float)
    solver = LeastSquares(alpha=alpha)
    sparse = solver.solve(in_chunks(rows, targets, weights), left_out=True)
    dense = solver.solve(in_chunks(rows.toarray(), targets, weights), left_out=True)
    assert sparse.alpha == pytest.approx(dense.alpha)
    np.testing.assert_allclose(sparse.coef, dense.coef, atol=1e-9)
    np.testing.assert_allclose(sparse.left_out, dense.left_out, atol=1e-8)


@pytest.mark.quick(3)
@pytest.mark.parametrize("shape", ["tall", "wide"])
def test_spread_of_what_is_linear_in_the_rows(shape, backend):
    rows, targets, weights = make(shape)
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(7, targets.shape[1])))[0].T
    initial = rng.normal(size=(rows.shape[1], 5))
    system = in_chunks(rows, targets, weights, backend=backend)
    ops = get_backend(backend)
    solution = LeastSquares().solve(system, initial=ops.asarray(initial))
    assert LeastSquares().solve(system).spread is None

    def spread(values):
        mean = np.average(values, axis=0, weights=weights)
        return np.average((values - mean) ** 2, axis=0, weights=weights).mean() ** 0.5

    for _ in range(2):
        assert solution.spread.initial == pytest.approx(spread(rows @ initial))
        assert solution.spread.fitted == pytest.approx(spread(rows @ to_numpy(solution.coef)))
        assert solution.spread.targets == pytest.approx(spread(targets))
        solution.expand(ops.asarray(basis))
        targets = targets @ basis
        basis = np.eye(7)
    np.testing.assert_allclose(
        to_numpy(solution.spread.mean), np.average(rows, axis=0, weights=weights)
    )


def test_a_solution_holds_arrays_and_no_more(backend):
    rows, targets, weights = make("tall")
    system = in_chunks(rows, targets, weights, backend=backend)
    solution = LeastSquares().solve(system, left_out=True, initial=system.ops.asarray(rows.T[:7]))
    again = pickle.loads(pickle.dumps(solution))
    np.testing.assert_array_equal(to_numpy(again.coef), to_numpy(solution.coef))
    for kept in (solution, solution.spread):
        kinds = {type(value).__module__.partition(".")[0] for value in vars(kept).values()}
        assert kinds <= {"builtins", "numpy", "jaxlib", "sklearn_zorb"}
    reachable = gc.get_referents(solution, vars(solution), vars(solution.spread))
    assert not any(thing is sys.modules["sklearn_zorb"] or thing is system for thing in reachable)


@pytest.mark.parametrize("alpha", [-1, "best", np.inf, np.nan, None, True])
def test_bad_alpha(alpha):
    rows, targets, _ = make("tall")
    system = in_chunks(rows, targets)
    for refuse in (
        check_alpha,
        lambda penalty: LeastSquares(penalty).solve(system),
        lambda penalty: LeastSquares(penalty).solve_sums(system.gram()),
    ):
        with pytest.raises(ValueError, match="alpha=.*pass 'loo' or a finite number"):
            refuse(alpha)


@pytest.mark.parametrize("shape", [(40, 5), (5, 40)])
@pytest.mark.parametrize("alpha", [1e-300, 1e-100, 1e-20])
def test_a_penalty_below_rounding_is_none(shape, alpha, rng):
    rows, targets = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
    rows[:, 1] = rows[:, 0]  # of deficient rank
    system = System.from_arrays(rows, targets)
    expected, found = (LeastSquares(one).solve(system, left_out=True) for one in (0, alpha))
    np.testing.assert_array_equal(found.coef, expected.coef)
    np.testing.assert_array_equal(found.left_out, expected.left_out)
