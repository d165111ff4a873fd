"""Every solver against SciPy, NumPy and refits."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from left_out import left_out_ridge
from sklearn.linear_model import Ridge
from systems import in_chunks, make

from sklearn_zorb.linalg import Gram, LeastSquares, Status, System, get_backend, to_numpy
from sklearn_zorb.linalg.left_out import LeftOut
from sklearn_zorb.linalg.solvers import Cholesky, Diagonal, Dual, DualRidge, Eigen, QrSvd

CASES = [
    (Eigen, "numpy", False), (Eigen, "numpy", True), (Cholesky, "numpy", False),
    (Cholesky, "numpy", True), (Diagonal, "numpy", False), (Diagonal, "numpy", True),
    (QrSvd, "numpy", True), (Dual, "numpy", False), (Dual, "numpy", True),
    (Eigen, "jax", False), (Eigen, "jax", True), (Cholesky, "jax", False),
    (Cholesky, "jax", True), (QrSvd, "jax", False), (Dual, "jax", True),
]  # fmt: skip


def orthogonal(n_rows=60, weights=None):
    """Columns that are orthogonal and have mean zero, of the scales 1, 2, 3."""
    root = np.ones(n_rows) if weights is None else np.sqrt(weights)
    basis = np.random.default_rng(0).normal(size=(n_rows, 4)) * root[:, None]
    basis[:, 0] = root
    return np.linalg.qr(basis)[0][:, 1:] * [1.0, 2.0, 3.0] / root[:, None]


@pytest.mark.quick(22)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("solver, backend, weighted", CASES)
def test_what_a_solver_knows_of_its_system(solver, backend, weighted, intercept):
    rows, targets, weights = make("wide" if solver is Dual else "tall")
    weights, alpha = weights if weighted else None, 2.5
    if solver is Diagonal:
        rows = orthogonal(weights=weights if intercept else None)
        if not intercept and weighted:
            rows /= np.sqrt(weights)[:, None]
    with get_backend(backend).scope():
        system = in_chunks(rows, targets, weights, backend=backend, fit_intercept=intercept)
        by_sums = solver in (Eigen, Cholesky, Diagonal)
        factors = solver.prepare(system.gram() if by_sums else system)
        found = {
            "coef": factors.solve(alpha),
            "dof": factors.dof(alpha),
            "squares": factors.residual_squares(alpha),
            "variance": factors.variance(np.arange(2.0 * rows.shape[1]).reshape(-1, 2)),
            "left_out": LeftOut(system, factors).predictions(alpha),
            "error": LeftOut(system, factors).errors(np.array([alpha]))[0],
        }
        found = {name: np.asarray(to_numpy(value)) for name, value in found.items()}
        assert factors.status(alpha) is Status.OK
    copies = np.ones(len(rows)) if weights is None else weights
    model = Ridge(alpha, fit_intercept=intercept).fit(rows, targets, sample_weight=weights)
    np.testing.assert_allclose(found["coef"], model.coef_.T, atol=1e-8)
    centred = rows - intercept * np.average(rows, axis=0, weights=copies)
    matrix = (centred.T * copies) @ centred
    dof = np.trace(matrix @ np.linalg.inv(matrix + alpha * np.eye(len(matrix))))
    assert found["dof"] == pytest.approx(dof)
    squares = copies @ ((targets - model.predict(rows)) ** 2).sum(axis=1)
    assert found["squares"] == pytest.approx(squares)
    moved = centred @ np.arange(2.0 * rows.shape[1]).reshape(-1, 2)
    assert found["variance"] == pytest.approx(copies @ (moved**2).sum(axis=1) / copies.sum())
    expected = left_out_ridge(rows, targets, alpha, weights, intercept)
    np.testing.assert_allclose(found["left_out"], expected, atol=1e-7)
    error = np.average(((targets - expected) ** 2).mean(axis=1), weights=weights)
    assert found["error"] == pytest.approx(error, rel=1e-7)


@pytest.mark.parametrize("rank", [None, 7])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("relative", [1e-6, 3.0, 1e4])
def test_factors_of_ill_conditioned_sums_are_those_of_scipy(rank, scale, relative):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, rank or 100)) @ rng.normal(size=(rank or 100, 100)) + 3
    gram = Gram().add(scale * rows, rng.normal(size=(400, 3)) + rows[:, :3])
    alpha, tolerance = relative * gram.mean_eigenvalue, 1e-7 if relative < 1e-3 else 1e-9
    coef = scipy.linalg.solve(gram.product + alpha * np.eye(100), gram.cross, assume_a="pos")
    values = np.maximum(scipy.linalg.eigvalsh(gram.product), 0)
    residual = gram.target_squares.sum() - (coef * (2 * gram.cross - gram.product @ coef)).sum()
    for solver in (Eigen, Cholesky):
        factors = solver.prepare(gram)
        np.testing.assert_allclose(
            factors.solve(alpha), coef, atol=tolerance * np.abs(coef).max(), err_msg=solver.__name__
        )
        assert factors.dof(alpha) == pytest.approx((values / (values + alpha)).sum(), rel=tolerance)
        total = gram.target_squares.sum()
        assert factors.residual_squares(alpha) == pytest.approx(residual, abs=tolerance * total)


def test_a_matrix_that_is_not_definite_falls_back_to_eigenvalues():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    gram = Gram().add(np.hstack([rows, rows]), rows[:, :1])
    gram.product[0, 0] -= 1e-3
    factors, plain = Cholesky.prepare(gram), Eigen.prepare(gram)
    assert factors.status(1e-8) is Status.FALLBACK
    np.testing.assert_allclose(factors.solve(1e-8), plain.solve(1e-8))
    assert factors.dof(1e-8) == pytest.approx(plain.dof(1e-8))
    assert factors.residual_squares(1e-8) == pytest.approx(plain.residual_squares(1e-8))
    chunk = rows @ np.eye(3, 6), rows[:, :1], None
    for found, other in zip(factors.left_out(chunk, [1e-8]), plain.left_out(chunk, [1e-8]),
                          strict=True):  # fmt: skip
        np.testing.assert_allclose(found, other)


def test_degrees_of_freedom_are_estimated_where_columns_are_many():
    rng = np.random.default_rng(0)
    rows = np.maximum(rng.normal(size=(2200, 40)) @ rng.normal(size=(40, 2100)), 0)
    gram = Gram().add(rows, rng.normal(size=(2200, 2)))
    values, found = np.maximum(scipy.linalg.eigvalsh(gram.product), 0), Cholesky.prepare(gram)
    for alpha in (1e2, 1e6):
        exact = (values / (values + alpha)).sum()
        assert found.dof(alpha) != exact
        assert found.dof(alpha) == pytest.approx(exact, rel=0.02)
        assert found.dof(alpha) == Cholesky.prepare(gram).dof(alpha)


@pytest.mark.parametrize("sparse", [False, True])
def test_copies_of_rows_at_a_penalty_of_next_to_nothing(sparse):
    """Rounding of the eigenvalues, zero for each copy, would drown the penalty."""
    rows, targets, _ = make("wide")
    rows, targets = np.vstack([rows, rows[:5]]), np.vstack([targets, targets[:5]])
    system = System.from_arrays(sp.csr_matrix(rows) if sparse else rows, targets)
    factors = Dual.prepare(system)
    coef = np.asarray(factors.solve(1e-13))
    fitted = rows @ coef + factors.target_mean - factors.mean @ coef
    np.testing.assert_allclose(fitted, targets, atol=1e-7)
    assert factors.dof(1e-13) == pytest.approx(19, abs=1e-3)


def test_a_ridge_of_inner_products_needs_no_rows():
    """What a kernel asks of it: here of the inner products of 30 weighted rows."""
    rows, targets, weights = make("square")
    centred = rows - np.average(rows, axis=0, weights=weights)
    deviation = targets - np.average(targets, axis=0, weights=weights)
    root, alpha = np.sqrt(weights)[:, None], 0.3
    inner = root * (centred @ centred.T) * root.T
    ridge = DualRidge(get_backend("numpy"), inner, deviation * root, weights)
    model = Ridge(alpha).fit(rows, targets, sample_weight=weights)
    np.testing.assert_allclose(centred.T @ (root * ridge.at(alpha)[0]), model.coef_.T, atol=1e-9)
    # a leverage is how fast the fit of a row follows its target
    i, moved = 4, targets.copy()
    moved[4] += 1
    follows = Ridge(alpha).fit(rows, moved, sample_weight=weights).predict(rows)[i]
    assert ridge.at(alpha)[1][i] == pytest.approx((follows - model.predict(rows)[i])[0])


def test_minimum_norm_resolves_what_a_gram_matrix_cannot():
    """Columns of scales 1e-4 to 1e4: their squares span more than a double resolves."""
    rng = np.random.default_rng(1)
    scales = 10.0 ** np.linspace(-4, 4, 6)
    rows = rng.normal(size=(50, 6)) * scales
    truth = rng.normal(size=(6, 2)) / scales[:, None]
    solution = LeastSquares(alpha=0).solve(in_chunks(rows, rows @ truth + 1))
    assert solution.method == "qr-svd"
    np.testing.assert_allclose(solution.coef * scales[:, None], truth * scales[:, None], rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_columns_are_a_diagonal_unless_they_correlate(scale):
    rows, targets = scale * orthogonal(), make("tall")[1]
    assert LeastSquares().solve(in_chunks(rows, targets)).method == "diagonal"
    rows[:, 0] += 1e-4 * rows[:, 1]
    solution = LeastSquares(1e-6 * scale**2).solve(in_chunks(rows, targets))
    assert solution.method != "diagonal"
    model = Ridge(1e-6).fit(rows / scale, targets)
    np.testing.assert_allclose(solution.coef * scale, model.coef_.T, atol=1e-8)
