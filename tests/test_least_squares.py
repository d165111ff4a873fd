"""Solvers against SciPy and brute force."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from sklearn_zorb.linalg import Gram, LeastSquares, Status, System, engines, get_backend, to_numpy
from sklearn_zorb.linalg import least_squares as module
from sklearn_zorb.linalg.pseudoinverse import minimum_norm_map, solve_minimum_norm

SHAPES = {"tall": (60, 7), "wide": (20, 40), "square": (30, 30)}


def make(shape, seed=0, offset=3.0):
    rng = np.random.default_rng(seed)
    n_rows, n_features = SHAPES[shape]
    rows = rng.normal(size=(n_rows, n_features)) + offset
    targets = rng.normal(size=(n_rows, 3)) + rows[:, :3]
    weights = rng.integers(1, 4, size=n_rows).astype(float)
    return rows, targets, weights


def in_chunks(rows, targets, weights=None, size=7, **options):
    """The system read in uneven chunks."""

    def read(part):
        return rows[part], targets[part], None if weights is None else weights[part]

    parts = [slice(start, start + size) for start in range(0, len(targets), size)]
    return System(read, parts, *rows.shape, targets.shape[1], **options)


def brute_force_loo(rows, targets, alpha, weights=None, fit_intercept=True):
    """Prediction of each distinct row by a ridge fitted without one copy of it."""
    counts = np.ones(len(rows), int) if weights is None else weights.astype(int)
    index = np.repeat(np.arange(len(rows)), counts)
    outputs = np.empty_like(targets)
    for i in range(len(rows)):
        kept = np.delete(index, np.flatnonzero(index == i)[0])
        model = Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(rows[kept], targets[kept])
        outputs[i] = model.predict(rows[i : i + 1])[0]
    return outputs


@pytest.fixture(params=["numpy", "jax"])
def backend(request):
    with get_backend(request.param).scope():
        yield request.param


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_loo_alpha_equals_brute_force(shape, weighted, backend):
    rows, targets, weights = make(shape)
    weights = weights if weighted else None
    system = in_chunks(rows, targets, weights, backend=backend)
    solution = LeastSquares().solve(system, loo_outputs=True)
    assert solution.criterion == "loo"
    reference = Ridge(alpha=solution.alpha).fit(rows, targets, sample_weight=weights)
    np.testing.assert_allclose(to_numpy(solution.coef), reference.coef_.T, atol=1e-9)
    np.testing.assert_allclose(to_numpy(solution.intercept), reference.intercept_, atol=1e-8)
    expected = brute_force_loo(rows, targets, solution.alpha, weights)
    np.testing.assert_allclose(to_numpy(solution.loo_outputs), expected, atol=1e-8)
    error = np.average(((targets - expected) ** 2).mean(axis=1), weights=weights)
    assert solution.loo_error == pytest.approx(error, rel=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", ["wide", "alone"])
def test_minimum_norm_without_a_row_that_it_meets_exactly(shape, weighted):
    """Every row of a wide system; one row of a tall system that has a column of its own."""
    rows, targets, weights = make("wide" if shape == "wide" else "tall")
    if shape == "alone":
        rows = np.column_stack([rows, np.eye(len(rows))[:, 4] * 2.0])
    weights = np.where(np.arange(len(rows)) == 4, 1.0, weights) if weighted else None
    solution = LeastSquares(alpha=0).solve(in_chunks(rows, targets, weights), loo_outputs=True)
    for i in (2, 4):
        fewer = np.ones(len(rows)) if weights is None else weights.copy()
        fewer[i] -= 1
        keep = fewer > 0
        left = LeastSquares(alpha=0).solve(in_chunks(rows[keep], targets[keep], fewer[keep]))
        expected = rows[i] @ left.coef + left.intercept
        np.testing.assert_allclose(solution.loo_outputs[i], expected, atol=1e-7)


@pytest.mark.parametrize("shape", ["tall", "wide"])
def test_loo_takes_the_best_alpha_of_the_grid(shape):
    rows, targets, _ = make(shape)
    solution = LeastSquares().solve(in_chunks(rows, targets))
    centred = rows - rows.mean(axis=0)
    grid = module.RELATIVE_ALPHAS * (centred**2).sum() / rows.shape[1]
    errors = [((targets - brute_force_loo(rows, targets, a)) ** 2).mean() for a in grid]
    assert solution.alpha == pytest.approx(grid[int(np.argmin(errors))], rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_intercept(shape):
    rows, targets, weights = make(shape)
    system = in_chunks(rows, targets, weights, fit_intercept=False)
    solution = LeastSquares(alpha=2.5).solve(system, loo_outputs=True)
    reference = Ridge(alpha=2.5, fit_intercept=False).fit(rows, targets, sample_weight=weights)
    np.testing.assert_allclose(solution.coef, reference.coef_.T, atol=1e-9)
    np.testing.assert_allclose(solution.intercept, 0, atol=1e-12)
    expected = brute_force_loo(rows, targets, 2.5, weights, fit_intercept=False)
    np.testing.assert_allclose(solution.loo_outputs, expected, atol=1e-8)


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


def test_minimum_norm_resolves_what_a_gram_matrix_cannot():
    """Columns of scales 1e-4 to 1e4: their squares span more than a double resolves."""
    rng = np.random.default_rng(1)
    scales = 10.0 ** np.linspace(-4, 4, 6)
    rows = rng.normal(size=(50, 6)) * scales
    truth = rng.normal(size=(6, 2)) / scales[:, None]
    solution = LeastSquares(alpha=0).solve(in_chunks(rows, rows @ truth + 1))
    np.testing.assert_allclose(solution.coef * scales[:, None], truth * scales[:, None], rtol=1e-4)


@pytest.mark.parametrize("alpha", ["loo", 1.0, 0])
@pytest.mark.parametrize("rows", [np.zeros((9, 2)), np.full((9, 2), 1e8), np.zeros((3, 5))])
def test_constant_rows_predict_the_mean(alpha, rows):
    targets = np.arange(len(rows), dtype=float)[:, None]
    solution = LeastSquares(alpha=alpha).solve(in_chunks(rows, targets))
    fitted = rows @ solution.coef + solution.intercept
    np.testing.assert_allclose(fitted, targets.mean(), atol=1e-6)


def test_large_offsets_cost_no_digits():
    rows, targets, _ = make("tall", offset=0.0)
    near = LeastSquares().solve(in_chunks(rows, targets))
    far = LeastSquares().solve(in_chunks(rows + 1e7, targets))
    np.testing.assert_allclose(far.coef, near.coef, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", ["tall", "wide"])
@pytest.mark.parametrize("alpha", ["loo", 0.5])
def test_sparse_rows_equal_dense_ones(shape, alpha):
    rng = np.random.default_rng(0)
    n_rows, n_features = SHAPES[shape]
    rows = sp.random(n_rows, n_features, density=0.3, random_state=0, format="csr")
    targets, weights = rng.normal(size=(n_rows, 2)), rng.integers(1, 4, n_rows).astype(float)
    solver = LeastSquares(alpha=alpha)
    sparse = solver.solve(in_chunks(rows, targets, weights), loo_outputs=True)
    dense = solver.solve(in_chunks(rows.toarray(), targets, weights), loo_outputs=True)
    assert sparse.alpha == pytest.approx(dense.alpha)
    np.testing.assert_allclose(sparse.coef, dense.coef, atol=1e-9)
    np.testing.assert_allclose(sparse.loo_outputs, dense.loo_outputs, atol=1e-8)


def test_cholesky_path_equals_eigenvalues(monkeypatch):
    rows, targets, weights = make("tall")
    spectral = LeastSquares().solve(in_chunks(rows, targets, weights), loo_outputs=True)
    monkeypatch.setattr(module, "EIGH_LIMIT", 0)
    cholesky = LeastSquares().solve(in_chunks(rows, targets, weights), loo_outputs=True)
    assert (spectral.method, cholesky.method) == ("primal-eigh", "primal-cholesky")
    assert cholesky.alpha == pytest.approx(spectral.alpha)
    assert cholesky.dof == pytest.approx(spectral.dof)
    np.testing.assert_allclose(cholesky.coef, spectral.coef, atol=1e-10)
    np.testing.assert_allclose(cholesky.loo_outputs, spectral.loo_outputs, atol=1e-9)


def test_degrees_of_freedom_are_estimated_where_columns_are_many(monkeypatch):
    rng = np.random.default_rng(0)
    rows = np.maximum(rng.normal(size=(3000, 40)) @ rng.normal(size=(40, 900)), 0)
    system = System.from_arrays(rows, rng.normal(size=(3000, 2)))
    exact = [LeastSquares(alpha=alpha).solve(system).dof for alpha in (1e2, 1e4, 1e6)]
    monkeypatch.setattr(engines, "PROBED", 0)
    for alpha, dof in zip((1e2, 1e4, 1e6), exact, strict=True):
        solution = LeastSquares(alpha=alpha).solve(system)
        assert solution.method == "primal-cholesky"
        assert solution.dof != dof
        assert solution.dof == pytest.approx(dof, rel=0.02)
        assert solution.dof == LeastSquares(alpha=alpha).solve(system).dof


@pytest.mark.parametrize("limit", [0, 10**9])
@pytest.mark.parametrize("weighted", [False, True])
def test_some_rows_left_out_where_all_are_too_dear(monkeypatch, limit, weighted):
    rows, targets, _ = make("tall")
    weights = np.random.default_rng(0).integers(1, 4, len(rows)) * 1.0 if weighted else None
    monkeypatch.setattr(module, "EIGH_LIMIT", limit)
    every = LeastSquares(alpha=3.0).solve(in_chunks(rows, targets, weights), loo_outputs=True)
    monkeypatch.setattr(module, "EXACT_LOO_FLOPS", 0)
    monkeypatch.setattr(module, "ROWS_PER_COLUMN", np.inf)
    monkeypatch.setattr(module, "SAMPLED_ROWS", len(rows) // 3)
    some = LeastSquares(alpha=3.0).solve(in_chunks(rows, targets, weights), loo_outputs=True)
    assert (every.criterion, some.criterion) == ("loo", "sampled-loo")
    np.testing.assert_allclose(some.loo_outputs, every.loo_outputs)
    squares = ((targets - every.loo_outputs) ** 2)[::3].mean(axis=1)
    expected = np.average(squares, weights=None if weights is None else weights[::3])
    assert some.loo_error == pytest.approx(expected)


def test_spread_of_what_is_fitted_through_an_orthonormal_basis():
    rows, targets, weights = make("tall")
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(7, targets.shape[1])))[0].T
    solution = LeastSquares().solve(in_chunks(rows, targets, weights))
    before = solution.fitted_spread()
    assert before == pytest.approx(solution.spread(solution.coef))
    solution.expand(basis)
    fitted = rows @ solution.coef
    mean = np.average(fitted, axis=0, weights=weights)
    variance = np.average((fitted - mean) ** 2, axis=0, weights=weights).mean()
    assert solution.fitted_spread() == pytest.approx(variance**0.5)
    assert solution.fitted_spread() == pytest.approx(solution.spread(solution.coef))


def test_outputs_that_are_too_many_for_all_alphas_are_kept_for_the_best(monkeypatch):
    rows, targets, _ = make("tall")
    expected = LeastSquares().solve(in_chunks(rows, targets), loo_outputs=True)
    monkeypatch.setattr("sklearn_zorb.linalg.left_out.KEPT_OUTPUTS", 0)
    found = LeastSquares().solve(in_chunks(rows, targets), loo_outputs=True)
    np.testing.assert_allclose(found.loo_outputs, expected.loo_outputs)


def test_gcv_does_not_see_rows_with_columns_of_their_own(monkeypatch):
    rng = np.random.default_rng(0)
    rows = np.hstack([rng.normal(size=(900, 5)), 3 * np.eye(900, 200)])
    # these columns can fit the noise of their rows, and cannot predict it
    noise = np.where(np.arange(900) < 200, 3.0, 0.3)[:, None] * rng.normal(size=(900, 1))
    targets = rows[:, :5].sum(axis=1, keepdims=True) + noise
    found = {}
    for flops, per_column in ((1e12, 10), (0, 10), (0, 1)):
        monkeypatch.setattr(module, "EXACT_LOO_FLOPS", flops)
        monkeypatch.setattr(module, "ROWS_PER_COLUMN", per_column)
        solution = LeastSquares().solve(in_chunks(rows, targets))
        found[solution.criterion] = solution
    assert found["gcv"].loo_error < found["loo"].loo_error / 10
    # 900 rows are no more than a sample
    assert found["sampled-loo"].loo_error == pytest.approx(found["loo"].loo_error)
    assert found["sampled-loo"].alpha == found["loo"].alpha


def test_leave_one_out_gives_way_to_gcv_as_long_as_it_hardly_rises():
    alphas = np.arange(5.0)
    scores = [np.array([9.0, 1.2, 1.04, 1.0, 1.3]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])]
    first, other = (lambda some, s=s: (s[some.astype(int)], None) for s in scores)
    tried = np.where(alphas == 3, 1.0, np.inf)  # the others are asked for
    assert module._descend(first, other, alphas, tried, 3) == 2
    np.testing.assert_array_equal(tried, [np.inf, 1.2, 1.04, 1.0, np.inf])
    assert module._descend(first, lambda some: (-other(some)[0], None), alphas, tried, 3) == 3
    assert module._descend(other, first, alphas, scores[1], 0) == 0


@pytest.mark.parametrize("step", [1, 2])
def test_a_search_finds_what_a_sweep_does(step):
    alphas, places, most = np.arange(19.0), range(0, 19, step), {1: 6, 2: 5}[step]
    for bottom in np.arange(-2, 22, 0.25):
        tried = []

        def score(some, bottom=bottom, tried=tried):
            tried.append(some[0])
            return 1 + (some - bottom) ** 2, [some[0]]

        best, errors, kept = module._search(score, alphas, places)
        least = max(places, key=lambda i, bottom=bottom: (-((i - bottom) ** 2), i))
        assert best == kept == least
        assert len(tried) == len(set(tried)) <= most
        assert np.isfinite(errors).sum() == len(tried)


def test_a_search_among_equals_goes_for_more_penalty():
    def score(some):
        return 1 + 1e-12 * some, None

    assert module._search(score, np.arange(19.0), range(19))[0] == 18


@pytest.mark.parametrize("shape", [(6, 10), (40, 4)])
def test_rows_met_exactly_that_weigh_less_are_left_out_whole(shape):
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
    # of the tall rows one alone fills a column
    rows[1:, 0] *= shape[0] < shape[1]
    weights = rng.uniform(0.1, 1.0, size=shape[0])

    def solve(some):
        system = System.from_arrays(rows[some], targets[some], weights[some])
        return LeastSquares(alpha=0).solve(system, loo_outputs=True)

    expected = np.empty_like(targets)
    for i in range(shape[0]):
        model = solve(np.arange(shape[0]) != i)
        expected[i] = rows[i] @ model.coef + model.intercept
    solution = solve(np.arange(shape[0]))
    np.testing.assert_allclose(solution.loo_outputs, expected, atol=1e-8)
    squares = ((targets - expected) ** 2).mean(axis=1)
    assert solution.loo_error == pytest.approx(np.average(squares, weights=weights))


@pytest.mark.parametrize("size", [13, 50, 200])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_sums_count_rows_that_weigh_something(kind, size):
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(200, 3)), rng.normal(size=(200, 1))
    weights = np.r_[np.zeros(60), rng.uniform(size=140)]
    gram = Gram()
    for first in range(0, 200, size):
        part = slice(first, first + size)
        gram.add(kind(rows[part]), targets[part], weights[part])
    assert gram.n_rows == 140


@pytest.mark.parametrize("unit", [1e-6, 1e-2, 1.0])
def test_gcv_counts_rows_and_not_how_little_they_weigh(unit):
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(60, 40)), rng.normal(size=(60, 2))
    targets[:, 0] += rows[:, 0]
    solver, weights = LeastSquares(), np.full(60, unit)
    expected = solver.solve_sums(Gram().add(rows, targets))
    found = solver.solve_sums(Gram().add(rows, targets, weights))
    assert found.alpha == pytest.approx(unit * expected.alpha)
    np.testing.assert_allclose(found.coef, expected.coef)
    assert found.loo_error == pytest.approx(expected.loo_error)


@pytest.mark.parametrize("limit", [0, 10**9])
def test_gcv_where_a_pass_is_too_dear(monkeypatch, limit):
    rows, targets, _ = make("tall")
    monkeypatch.setattr(module, "EXACT_LOO_FLOPS", 0)
    monkeypatch.setattr(module, "ROWS_PER_COLUMN", 0)
    monkeypatch.setattr(module, "EIGH_LIMIT", limit)
    solution = LeastSquares(alpha=3.0).solve(in_chunks(rows, targets), loo_outputs=True)
    model = Ridge(alpha=3.0).fit(rows, targets)
    centred = rows - rows.mean(axis=0)
    gram = centred.T @ centred
    dof = np.trace(gram @ np.linalg.inv(gram + 3.0 * np.eye(len(gram))))
    spare = 1 - (dof + 1) / len(rows)
    residuals = (targets - model.predict(rows)) / spare
    assert solution.criterion == "gcv"
    assert solution.loo_error == pytest.approx((residuals**2).mean())
    np.testing.assert_allclose(solution.loo_outputs, targets - residuals, atol=1e-10)


def test_a_failed_factorisation_falls_back_to_eigenvalues(monkeypatch):
    monkeypatch.setattr(module, "EIGH_LIMIT", 0)
    rows = np.random.default_rng(0).normal(size=(40, 3))
    rows = np.hstack([rows, rows])  # singular, and alpha below its rounding
    solution = LeastSquares(alpha=1e-30).solve(in_chunks(rows, rows[:, :1]))
    assert solution.status is Status.FALLBACK
    np.testing.assert_allclose(rows @ solution.coef + solution.intercept, rows[:, :1], atol=1e-6)


def test_gram_sums_equal_numpy():
    rows, targets, weights = make("tall")
    gram = Gram()
    for start in range(0, 60, 13):
        part = slice(start, start + 13)
        gram.add(rows[part], targets[part], weights[part])
    mean = np.average(rows, axis=0, weights=weights)
    target_mean = np.average(targets, axis=0, weights=weights)
    centred, deviation = rows - mean, targets - target_mean
    np.testing.assert_allclose(gram.mean, mean)
    np.testing.assert_allclose(gram.full(), (centred.T * weights) @ centred)
    np.testing.assert_allclose(gram.cross, (centred.T * weights) @ deviation)
    np.testing.assert_allclose(gram.target_squares, weights @ deviation**2)


def test_gram_merges_in_any_order_and_keeps_its_parts():
    rows, targets, _ = make("tall")
    parts = [Gram().add(rows[i::3], targets[i::3]) for i in range(3)]
    before = parts[1].full()
    forward = Gram().merge(parts[0]).merge(parts[1]).merge(parts[2]).merge(Gram())
    backward = Gram().merge(parts[2]).merge(parts[1]).merge(parts[0])
    np.testing.assert_allclose(forward.full(), backward.full())
    np.testing.assert_allclose(forward.full(), Gram().add(rows, targets).full())
    np.testing.assert_array_equal(parts[1].full(), before)


def test_float32_rows_are_summed_in_float64():
    """Many blocks of float32 rows: the error is that of one block, not of their number."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 800)).astype(np.float32) + 100
    targets = rng.normal(size=(200, 1))
    gram = Gram()
    for _ in range(20):
        gram.add(rows, targets)
    centred = rows.astype(float) - rows.mean(axis=0, dtype=float)
    expected = 20 * centred.T @ centred
    assert np.abs(gram.full() - expected).max() / np.abs(expected).max() < 1e-5


def test_fractional_weights_leave_out_the_whole_row():
    """A weight below one is one row, taken away whole."""
    rows, targets, _ = make("tall")
    weights = np.random.default_rng(0).uniform(0.1, 1, size=len(rows))
    solution = LeastSquares(alpha=1.0).solve(in_chunks(rows, targets, weights), loo_outputs=True)
    for i in (0, 17):
        keep = np.arange(len(rows)) != i
        model = Ridge(alpha=1.0).fit(rows[keep], targets[keep], sample_weight=weights[keep])
        np.testing.assert_allclose(solution.loo_outputs[i], model.predict(rows[i : i + 1])[0])


@pytest.mark.parametrize("alpha", [-1, "best", np.inf, np.nan, None, True])
def test_bad_alpha(alpha):
    rows, targets, _ = make("tall")
    with pytest.raises(ValueError, match="alpha=.*pass 'loo' or a finite number"):
        LeastSquares(alpha=alpha).solve(in_chunks(rows, targets))


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (6, 6)])
@pytest.mark.parametrize("deficient", [False, True])
def test_targets_through_a_pseudoinverse(shape, deficient):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=shape)
    if deficient:
        weights[0] = weights[1]
        weights[:, 0] = weights[:, 1]
    targets = rng.normal(size=(4, shape[1]))
    expected = targets @ scipy.linalg.pinv(weights)
    np.testing.assert_allclose(solve_minimum_norm(weights, targets), expected, atol=1e-9)
    cut = targets @ np.linalg.pinv(weights, rcond=0.3)
    np.testing.assert_allclose(solve_minimum_norm(weights, targets, 0.3), cut, atol=1e-9)


@pytest.mark.parametrize("size", [1e-150, 1e-155, 1e-158, 1e-160, 1e-162, 1e-200])
def test_columns_whose_squares_underflow(size):
    rows, targets, _ = make("tall")
    solution = LeastSquares().solve(in_chunks(rows * size, targets), loo_outputs=True)
    assert solution.alpha > 0
    assert np.isfinite(solution.coef).all() and np.isfinite(solution.loo_outputs).all()


@pytest.mark.parametrize("shape", [(60, 40), (40, 60)])
def test_a_few_targets_go_through_no_inverse(shape):
    rng = np.random.default_rng(0)
    weights, targets = rng.normal(size=shape), rng.normal(size=(50, shape[1]))
    inverse = minimum_norm_map(weights)
    expected = targets @ scipy.linalg.pinv(weights)
    np.testing.assert_allclose(inverse(targets[:3]), expected[:3], atol=1e-11)
    np.testing.assert_allclose(inverse(targets), expected, atol=1e-11)
    single = inverse(targets[:3].astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected[:3], atol=1e-3)
