"""The kernel layer beside scikit-learn's kernel ridge and brute-force leave-one-out."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import RidgeCV

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Context, Dense, Kernel, Tanh
from sklearn_zorb.layers.distinct import count_distinct, group_rows
from sklearn_zorb.layers.kernel.choice import SEARCH_ROWS, Choice, choose_kernels, judged_on
from sklearn_zorb.layers.kernel.layer import KINDS
from sklearn_zorb.layers.kernel.ridge import (
    DECADES,
    distances,
    fit_ridge,
    kernel_matrix,
    project,
    whitening,
)
from sklearn_zorb.linalg import LeastSquares, System
from sklearn_zorb.linalg.least_squares import RELATIVE_ALPHAS
from sklearn_zorb.memory import Memory
from sklearn_zorb.targets import Targets
from sklearn_zorb.testing import check_layer


def table(n_rows=80, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=n_rows)
    return X, y


def naive_kernel(kind, A, B, width):
    metric = "cityblock" if kind == "laplace_l1" else "euclidean"
    d = cdist(A, B, metric) / width
    return np.exp(-(d**2) / 2) if kind == "gaussian" else np.exp(-d)


def solve(layer, X, y, **changes):
    y = np.asarray(y, dtype=float).reshape(X.shape[0], -1)
    context = Context(rng=np.random.default_rng(0), y=y, y_targets=Targets(y))
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    return layer.solve(params, X, Targets(y), context.replace(**changes))


def centred_ridge(K, y, alpha):
    """Dual coefficients and intercept, from the saddle point of kernel ridge regression."""
    n = len(K)
    system = np.block([[K + alpha * np.eye(n), np.ones((n, 1))], [np.ones((1, n)), 0.0]])
    solution = np.linalg.solve(system, np.append(y, 0.0))
    return solution[:n], solution[n]


@pytest.mark.parametrize("kind", KINDS)
def test_exact_features_and_ridge_are_kernel_ridge(kind):
    X, y = table()
    new = np.random.default_rng(5).normal(size=(20, 3))
    layer = Kernel(80, kind=kind, bandwidth=2.0, reweight=0)
    params = solve(layer, X, y).params
    alpha, width = 0.3, float(params["bandwidth"])
    system = System.from_arrays(layer.forward(params, X), y[:, None])
    ridge = LeastSquares(alpha=alpha).solve(system)
    found = (layer.forward(params, new) @ ridge.coef + ridge.intercept).ravel()
    dual, intercept = centred_ridge(naive_kernel(kind, X, X, width), y, alpha)
    np.testing.assert_allclose(
        found, naive_kernel(kind, new, X, width) @ dual + intercept, atol=1e-6
    )


def test_agrees_with_sklearn_kernel_ridge_without_intercept():
    X, y = table()
    layer = Kernel(40, kind="laplace_l1", bandwidth=1.0, reweight=0)
    X, y = X[:40], y[:40]
    params = solve(layer, X, y).params
    # landmarks without centring: the Nyström form on the same rows
    width = float(params["bandwidth"])
    plain = layer._with_landmarks(X, np.ones(3), width, "laplace_l1")
    features = layer.forward(plain, X)
    coef = np.linalg.solve(features.T @ features + 0.5 * np.eye(40), features.T @ y)
    reference = KernelRidge(alpha=0.5, kernel="laplacian", gamma=1 / width).fit(X, y)
    np.testing.assert_allclose(features @ coef, reference.predict(X), atol=1e-8)


def test_a_smooth_kernel_needs_none_either(monkeypatch):
    """Its features of next to no variance are orthogonal up to rounding only."""
    X = np.random.default_rng(0).normal(size=(400, 3))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    layer = Kernel(400, kind="gaussian", bandwidth=2.0, reweight=0)
    features = layer.forward(solve(layer, X, y).params, X)
    kept = (features != 0).any(axis=0).sum()
    assert 50 < kept < 300
    system = System.from_arrays(features, y[:, None])
    solution = LeastSquares().solve(system, loo_outputs=True)
    assert solution.method == "diagonal"
    monkeypatch.setattr("sklearn_zorb.linalg.least_squares.is_diagonal", lambda *_: False)
    general = LeastSquares().solve(system, loo_outputs=True)
    assert general.method != "diagonal" and solution.alpha == pytest.approx(general.alpha)
    np.testing.assert_allclose(solution.loo_outputs, general.loo_outputs, atol=5e-6)
    fitted, expected = (features @ own.coef for own in (solution, general))
    np.testing.assert_allclose(fitted, expected, atol=5e-6)


def test_columns_that_correlate_are_no_diagonal(monkeypatch):
    rows = np.linalg.qr(np.random.default_rng(0).normal(size=(60, 5)))[0]
    rows -= rows.mean(axis=0)
    rows = np.linalg.qr(rows)[0] * [1, 1, 1, 1e-4, 1e-4]
    assert LeastSquares().solve(System.from_arrays(rows, rows[:, :1])).method == "diagonal"
    # a correlation of one in a hundred thousand: of two columns that count, and of two that
    # count for nothing beside the least penalty of the grid
    for pair, alpha, method in (
        ((0, 1), 1e-12, "primal-eigh"),
        ((0, 1), "loo", "primal-eigh"),
        ((3, 4), 1e-12, "primal-eigh"),
        ((3, 4), "loo", "diagonal"),
    ):
        mixed = rows.copy()
        mixed[:, pair[0]] += 1e-5 * rows[:, pair[1]]
        found = LeastSquares(alpha=alpha).solve(System.from_arrays(mixed, rows[:, :1]))
        assert found.method == method, (pair, alpha)
        monkeypatch.setattr("sklearn_zorb.linalg.least_squares.is_diagonal", lambda *_: False)
        general = LeastSquares(alpha=alpha).solve(System.from_arrays(mixed, rows[:, :1]))
        monkeypatch.undo()
        np.testing.assert_allclose(mixed @ found.coef, mixed @ general.coef, atol=1e-6)


def test_read_out_of_exact_features_needs_no_eigenvalues():
    X, y = table()
    layer = Kernel(80)
    features = layer.forward(solve(layer, X, y).params, X)
    system = System.from_arrays(features, y[:, None])
    solution = LeastSquares().solve(system, loo_outputs=True)
    assert solution.method == "diagonal"
    # the same by the general route, on rotated features
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(80, 80)))[0]
    general = LeastSquares().solve(
        System.from_arrays(features @ rotation, y[:, None]), loo_outputs=True
    )
    assert general.method != "diagonal"
    assert solution.alpha == pytest.approx(general.alpha)
    assert solution.dof == pytest.approx(general.dof)
    np.testing.assert_allclose(solution.loo_outputs, general.loo_outputs, atol=1e-8)
    np.testing.assert_allclose(rotation @ general.coef, solution.coef, atol=1e-7)


def test_leave_one_out_error_by_brute_force():
    X, y = table(25)
    groups = group_rows(X, y, None, Memory())
    K = naive_kernel("laplace", X, X, 2.0)[np.ix_(groups.first, groups.first)]
    fit = fit_ridge(K, groups, 3)
    level = np.trace(K - K.mean(0) - K.mean(1)[:, None] + K.mean()) / 25
    errors, losses = [], []
    for alpha in DECADES * level:
        residuals = []
        for i in range(25):
            keep = np.delete(np.arange(25), i)
            dual, intercept = centred_ridge(K[np.ix_(keep, keep)], groups.mean[keep, 0], alpha)
            residuals.append(groups.mean[i, 0] - K[i, keep] @ dual - intercept)
        errors.append(np.mean(np.square(residuals)))
        losses.append(np.square(residuals))
    assert fit.error == pytest.approx(errors[fit.decade], rel=1e-9)
    assert fit.error == pytest.approx(min(errors), rel=1e-4)
    np.testing.assert_allclose(fit.losses, losses[fit.decade], rtol=1e-8)
    np.testing.assert_allclose(fit_ridge(K, groups, 1, search=False).losses, losses[1], rtol=1e-8)


@pytest.mark.parametrize("n_features", [3, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_that_is_given_is_taken_as_it_is(kind, n_features, monkeypatch):
    X, y = table(80, n_features)
    X[40:45] = X[:5]
    given = Kernel(80, kind=kind, bandwidth=0.7, reweight=0)
    searched = solve(clone(given).set_params(bandwidth="loo"), X, y)

    def refuse(*_, **__):
        raise AssertionError("there is nothing to compare")

    monkeypatch.setattr("sklearn_zorb.layers.kernel.choice.fit_ridge", refuse)
    solved = solve(given, X, y)
    metric = "cityblock" if kind == "laplace_l1" else "euclidean"
    distinct = np.unique(X, axis=0)
    middle = np.median(cdist(distinct, distinct, metric)[np.triu_indices(75, 1)])
    assert solved.params["bandwidth"] == pytest.approx(0.7 * middle)
    np.testing.assert_array_equal(solved.params["landmarks"], searched.params["landmarks"])
    np.testing.assert_array_equal(solved.params["feature_scales"], np.ones(n_features))
    assert "kernel_loo_error" in searched.report and "kernel_loo_error" not in solved.report


def test_weights_are_repetition():
    X, y = table(30)
    counts = np.arange(30) % 3 + 1
    order = np.random.default_rng(2).permutation(counts.sum())
    repeated = np.repeat(np.arange(30), counts)[order]
    weighted = solve(Kernel(30), X, y, sample_weight=counts.astype(float))
    copied = solve(Kernel(30), X[repeated], y[repeated])
    assert weighted.report["kernel_loo_error"] == pytest.approx(copied.report["kernel_loo_error"])
    np.testing.assert_allclose(weighted.params["feature_scales"], copied.params["feature_scales"])
    np.testing.assert_array_equal(weighted.params["landmarks"], copied.params["landmarks"])


def test_copies_with_different_targets_count_in_the_error():
    X, y = table(30)
    clean = solve(Kernel(30, reweight=0), np.vstack([X, X]), np.append(y, y))
    noisy = solve(Kernel(30, reweight=0), np.vstack([X, X]), np.append(y + 1, y - 1))
    assert noisy.report["kernel_loo_error"] > clean.report["kernel_loo_error"] + 1


def test_irrelevant_features_are_scaled_down_and_the_score_gains():
    X, y = table(200, 12)
    learned = solve(Kernel(200), X, y)
    plain = solve(Kernel(200, reweight=0), X, y)
    scales = learned.params["feature_scales"]
    assert scales[0] > 2 * scales[1:].max()
    assert learned.report["kernel_loo_error"] < 0.7 * plain.report["kernel_loo_error"]


def test_nystrom_features_come_close_to_the_exact_ones():
    X, y = table(600, 2)
    exact, drawn = Kernel(600, reweight=0), Kernel(300, reweight=0)
    fits = []
    for layer in (exact, drawn):
        features = layer.forward(solve(layer, X, y).params, X)
        ridge = LeastSquares().solve(System.from_arrays(features, y[:, None]))
        fits.append(features @ ridge.coef)
    assert fits[1].shape == (600, 1)
    assert np.corrcoef(fits[0][:, 0], fits[1][:, 0])[0, 1] > 0.99


def test_fixed_width_with_fewer_distinct_rows():
    X, y = table(10)
    layer = Kernel(64)
    outputs = layer.forward(solve(layer, X, y).params, X)
    assert outputs.shape == (10, 64)
    assert not outputs[:, 10:].any()


def test_distinct_rows_are_counted_whatever_their_order_and_sign_of_zero():
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert count_distinct(X, Memory()) == 2


def test_constant_inputs_and_constant_targets():
    X, y = table(20)
    for rows, values in [(np.ones((20, 3)), y), (X, np.ones(20))]:
        layer = Kernel(20)
        solved = solve(layer, rows, values)
        assert np.isfinite(layer.forward(solved.params, rows)).all()


@pytest.mark.parametrize(
    "layer", [Kernel(12, kind=kind) for kind in KINDS] + [Kernel(200), Kernel(40, reweight=0)]
)
def test_contract(layer):
    check_layer(layer, (3,), exact_inverse=False)


def test_anywhere_in_a_list():
    X, y = table(150)
    for layers in (
        [Dense(8), Tanh(), Kernel(60), Dense(8), Tanh()],
        [Kernel(60), Kernel(60)],
        "Kernel[60, kind=gaussian] Dense[16] Tanh",
    ):
        model = ZORBRegressor(layers, random_state=0).fit(X[:100], y[:100])
        assert model.score(X[100:], y[100:]) > 0.5


def test_same_seed_same_model_and_float32():
    X, y = table(100)
    labels = (y > 0).astype(int)
    model = ZORBClassifier([Kernel(50)], random_state=3, dtype="float32")
    first, second = clone(model).fit(X, labels), clone(model).fit(X, labels)
    assert first.params_[1]["landmarks"].dtype == np.float32
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_sparse_rows_give_the_same_as_dense_ones():
    import scipy.sparse as sp

    X, y = table(60)
    X[X < 0.5] = 0
    layer, rows = Kernel(30), sp.csr_matrix(X)
    dense, sparse = solve(layer, X, y), solve(layer, rows, y)
    np.testing.assert_allclose(layer.forward(sparse.params, rows), layer.forward(dense.params, X))


def test_errors_name_what_to_do():
    import scipy.sparse as sp

    X, y = table(20)
    with pytest.raises(ValueError, match="put Flatten"):
        Kernel().output_shape((3, 3))
    with pytest.raises(ValueError, match="TruncatedSVD"):
        ZORBRegressor([Kernel()]).fit(sp.random(20, 10_001, 0.01, format="csr"), y)
    with pytest.raises(ValueError, match="kind"):
        ZORBRegressor([Kernel(kind="rbf")]).fit(X, y)


@pytest.mark.parametrize("smooth", [True, False])
def test_auto_takes_the_gaussian_for_smooth_targets(smooth):
    X, _ = table(300)
    y = X[:, 0] ** 2 + X[:, 1] * X[:, 2] if smooth else np.sign(X).sum(axis=1)
    params = solve(Kernel(300), X, y).params
    assert (KINDS[int(params["kind"])] == "gaussian") == smooth


@pytest.mark.parametrize("units", [20, 900])
def test_kernels_are_compared_on_a_bounded_number_of_rows(monkeypatch, units):
    seen = []

    def choose(kinds, bandwidth, reweight, rows, *others):
        seen.append(len(rows))
        return choose_kernels(kinds, bandwidth, reweight, rows, *others)

    monkeypatch.setattr("sklearn_zorb.layers.kernel.layer.choose_kernels", choose)
    X, y = table(1000)
    params = solve(Kernel(units, kind="gaussian", reweight=0), X, y).params
    assert seen == [SEARCH_ROWS]
    assert len(params["landmarks"]) == units


@pytest.mark.parametrize("n_rows, judges", [(240, slice(None)), (280, slice(60, None))])
def test_nystrom_errors_are_those_of_ridge_regression_on_the_features(n_rows, judges):
    X, y = table(n_rows)
    groups = group_rows(X, y[:, None], None, Memory())
    rows = X[groups.first]
    for kind, metric in (("laplace", "euclidean"), ("laplace_l1", "cityblock")):
        choice = Choice(kind, np.linspace(0.5, 2, X.shape[1]), 3.0, np.inf, 0, 1.0, 3)
        scaled = rows * choice.scales / 3
        kernel = np.exp(-cdist(scaled, scaled[:60], metric))
        features = kernel @ np.linalg.inv(scipy.linalg.sqrtm(kernel[:60]))
        centred = features - features.mean(axis=0)
        alphas = RELATIVE_ALPHAS * (centred**2).sum() / 60
        ridge = RidgeCV(alphas, store_cv_results=True).fit(features, groups.mean.ravel())
        # with enough rows that are no landmarks, these judge
        least = ridge.cv_results_[judges].mean(axis=0).min()
        (judged,) = judged_on([choice], rows, groups, 60)
        assert judged.error == pytest.approx(least, rel=1e-3)
        assert choice.error == np.inf


@pytest.mark.parametrize(
    ("units", "expected"), [(100, [(900, 100)]), (600, [(450, 300)]), (900, [])]
)
def test_kinds_are_compared_again_where_landmarks_are_few(monkeypatch, units, expected):
    seen = []
    monkeypatch.setattr("sklearn_zorb.layers.kernel.layer.MODEL_LANDMARKS", 300)

    def judged(choices, rows, groups, n_landmarks):
        seen.append((len(rows), n_landmarks))
        return [replace(c, error=0.0 if c.kind == "laplace" else 1.0) for c in choices]

    monkeypatch.setattr("sklearn_zorb.layers.kernel.layer.judged_on", judged)
    X, y = table(900)
    params = solve(Kernel(units), X, y).params
    # all rows are landmarks: what few hundred of them say stands
    assert seen == expected
    if expected:
        assert KINDS[int(params["kind"])] == "laplace"


@pytest.mark.parametrize("triangular", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("block", [2, 5, 256])
def test_projection_is_a_product(triangular, dtype, block, monkeypatch):
    monkeypatch.setattr("sklearn_zorb.layers.kernel.ridge.BLOCK", block)
    rng = np.random.default_rng(0)
    kernel, projection = rng.normal(size=(9, 5)), rng.normal(size=(5, 5)).astype(dtype)
    projection = np.triu(projection) if triangular else projection
    np.testing.assert_allclose(project(kernel.copy(), projection), kernel @ projection)


def test_whitening_is_an_inverse_square_root():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    kernel = kernel_matrix("laplace", rows, rows)
    before = kernel.copy()
    root = whitening(kernel)
    np.testing.assert_array_equal(kernel, before)
    np.testing.assert_allclose(root @ root.T, scipy.linalg.inv(kernel), atol=1e-10)
    assert not np.tril(root, -1).any()
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        whitening(-kernel)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_features", [3, 40])
def test_a_kernel_is_the_same_in_parts(kind, n_features, monkeypatch):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(200, n_features)), rng.normal(size=(8, n_features))
    metric = "cityblock" if kind == "laplace_l1" else "euclidean"
    distance = cdist(left, right, metric)
    expected = np.exp(-(distance**2) / 2 if kind == "gaussian" else -distance)
    np.testing.assert_allclose(kernel_matrix(kind, left, right), expected, rtol=1e-10)
    monkeypatch.setattr("sklearn_zorb.layers.kernel.ridge.CACHE_BYTES", 8 * 8 * 70)
    np.testing.assert_allclose(kernel_matrix(kind, left, right), expected, rtol=1e-10)


def test_projection_on_a_column_of_zeros():
    # what is kept of a kernel that does not vary
    assert project(np.ones((9, 5)), np.zeros((5, 1))).tolist() == [[0.0]] * 9


@pytest.mark.parametrize("width", [8, 40])
def test_distances_do_not_mind_an_offset(width):
    rng = np.random.default_rng(0)
    rows = np.round(rng.normal(size=(30, width)) * 1024) / 1024
    found = distances("laplace", rows + 2.0**27, rows[:20] + 2.0**27)
    np.testing.assert_allclose(found, cdist(rows, rows[:20]), atol=1e-6)
