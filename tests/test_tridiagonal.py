"""Penalties by GCV from a tridiagonal form, against eigenvalues and SciPy."""

import numpy as np
import pytest
import scipy.linalg

from sklearn_zorb.linalg import Gram, LeastSquares, Status, System
from sklearn_zorb.linalg import least_squares as module
from sklearn_zorb.linalg.engines import SpectralEngine
from sklearn_zorb.linalg.tridiagonal import LEAST_WIDTH, TridiagonalEngine

ALPHAS = (1e-6, 1e-2, 3.0, 1e4)


def sums(width=LEAST_WIDTH, rank=None, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(400, width if rank is None else rank))
    rows = rows if rank is None else rows @ rng.normal(size=(rank, width))
    rows = scale * (rows + 3)
    return rows, Gram().add(rows, rng.normal(size=(400, 3)) + rows[:, :3] / scale)


@pytest.mark.parametrize("rank", [None, 7])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("relative", ALPHAS)
def test_every_figure_equals_that_of_scipy(rank, scale, relative):
    _, gram = sums(rank=rank, scale=scale)
    alpha = relative * gram.mean_eigenvalue
    engine, width = TridiagonalEngine(gram), len(gram.mean)
    matrix, tolerance = gram.full(), 1e-7 if relative < 1e-3 else 1e-9
    coef = scipy.linalg.solve(matrix + alpha * np.eye(width), gram.cross, assume_a="pos")
    values = np.maximum(scipy.linalg.eigvalsh(matrix), 0)
    np.testing.assert_allclose(engine.coef(alpha), coef, atol=tolerance * np.abs(coef).max())
    assert engine.dof(alpha) == pytest.approx((values / (values + alpha)).sum(), rel=tolerance)
    fitted = (2 * coef * gram.cross).sum() - (coef * (matrix @ coef)).sum()
    residual = gram.target_squares.sum() - fitted
    total = gram.target_squares.sum()
    assert engine.residual_squares(alpha) == pytest.approx(residual, abs=tolerance * total)
    spread = (coef * (matrix @ coef)).sum() / gram.weight
    assert engine.variance(coef) == pytest.approx(spread, rel=1e-9)
    assert engine.status(alpha) is Status.OK


@pytest.mark.parametrize("intercept", [True, False])
def test_a_solution_is_that_of_eigenvalues(monkeypatch, intercept):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3000, 120)) @ rng.normal(size=(120, 120)) + 2
    targets = rows[:, :2] + 30 * rng.normal(size=(3000, 2))
    monkeypatch.setattr(module, "EXACT_LOO_FLOPS", 0)
    system = System.from_arrays(rows, targets, fit_intercept=intercept)
    fast = LeastSquares().solve(system, loo_outputs=True)
    monkeypatch.setattr(module, "LEAST_WIDTH", 10**9)
    plain = LeastSquares().solve(system, loo_outputs=True)
    assert (fast.method, plain.method) == ("primal-tridiagonal", "primal-eigh")
    assert fast.criterion == plain.criterion == "gcv"
    assert fast.alpha == pytest.approx(plain.alpha, rel=1e-12)
    for name in ("coef", "intercept", "dof", "loo_error", "loo_outputs"):
        np.testing.assert_allclose(getattr(fast, name), getattr(plain, name), rtol=1e-8, atol=1e-8)
    weights = rng.normal(size=(120, 5))
    assert fast.spread(weights) == pytest.approx(plain.spread(weights), rel=1e-10)
    assert fast.fitted_spread() == pytest.approx(plain.fitted_spread(), rel=1e-8)


def test_rows_left_out_are_told_by_eigenvalues(monkeypatch):
    rng = np.random.default_rng(2)
    rows, targets = rng.normal(size=(300, 110)), rng.normal(size=(300, 2))
    system = System.from_arrays(rows, targets)
    solution = LeastSquares().solve(system, loo_outputs=True)
    assert (solution.criterion, solution.method) == ("loo", "primal-eigh")
    monkeypatch.setattr(module, "LEAST_WIDTH", 10**9)
    other = LeastSquares().solve(system, loo_outputs=True)
    np.testing.assert_allclose(solution.loo_outputs, other.loo_outputs, rtol=1e-9, atol=1e-10)


def test_a_given_penalty_has_eigenvalues():
    """At one that rounding exceeds, what lies along directions that it made is left out."""
    _, gram = sums(rank=7)
    solution = LeastSquares(alpha=1e-300).solve_sums(gram)
    assert solution.method == "primal-eigh"
    assert np.abs(solution.coef).max() < 10


def test_a_matrix_that_is_not_definite_falls_back_to_eigenvalues():
    _, gram = sums()
    gram.product = gram.product - 10 * np.eye(len(gram.mean))
    gram.product[0, 0] = -1.0
    engine, plain = TridiagonalEngine(gram), SpectralEngine.from_gram(gram)
    assert engine.status(0.5) is Status.FALLBACK
    np.testing.assert_allclose(engine.coef(0.5), plain.coef(0.5))
    assert engine.dof(0.5) == pytest.approx(plain.dof(0.5))
    assert engine.residual_squares(0.5) == pytest.approx(plain.residual_squares(0.5))
