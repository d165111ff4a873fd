"""The kernel layer beside kernel ridge regression, in lists, and on tables of all sorts."""

import numpy as np
import pytest
import scipy.sparse as sp
from kernel_tables import (
    centred_ridge,
    mean_eigenvalue,
    naive_kernel,
    solve,
    squared_left_out,
    table,
)
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.metrics.pairwise import laplacian_kernel

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Dense, Kernel, Tanh
from sklearn_zorb.layers.kernel.functions import KINDS
from sklearn_zorb.linalg import LeastSquares, System


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


def test_exact_without_eigenvalues(monkeypatch):
    """What is done with more rows than eigenvalues are worth is kernel ridge regression too."""
    monkeypatch.setattr("sklearn_zorb.layers.kernel.layer.EIGEN_ROWS", 10)
    X, y = table()
    layer = Kernel(80, kind="laplace", bandwidth=2.0, reweight=0)
    params, alpha = solve(layer, X, y).params, 0.3
    system = System.from_arrays(layer.forward(params, X), y[:, None])
    ridge = LeastSquares(alpha=alpha).solve(system)
    kernel = naive_kernel("laplace", X, X, float(params["bandwidth"]))
    dual, intercept = centred_ridge(kernel, y, alpha)
    found = (layer.forward(params, X) @ ridge.coef + ridge.intercept).ravel()
    np.testing.assert_allclose(found, kernel @ dual + intercept, atol=1e-6)


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
def test_many_columns_in_single_precision(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 1100)) + 5
    X[1] = X[0] + 1e-4  # as near as makes no difference
    layer, y = Kernel(40, kind=kind, bandwidth=1.0, reweight=0), X[:, 0]
    params = solve(layer, X, y).params
    single = {
        name: value.astype(np.float32) if value.dtype.kind == "f" else value
        for name, value in params.items()
    }
    found = layer.forward(single, X.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, layer.forward(params, X), atol=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_reported_error_is_that_of_refits(kind):
    X, y = table(25)
    solved = solve(Kernel(25, kind=kind, reweight=0), X, y)
    K = naive_kernel(kind, X, X, float(solved.params["bandwidth"]))
    alphas = 10.0 ** np.arange(-6, 4) * mean_eigenvalue(K)
    least = min(squared_left_out(K, y, alpha).mean() for alpha in alphas)
    assert solved.report["kernel_loo_error"] == pytest.approx(least, rel=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_are_all_landmarks_have_the_features_of_new_rows_like_them(weighted):
    X, y = table(60)
    weight = np.random.default_rng(0).integers(1, 4, 60).astype(float) if weighted else None
    layer = Kernel(70)
    solved = solve(layer, X, y, sample_weight=weight)
    np.testing.assert_allclose(solved.outputs, layer.forward(solved.params, X), atol=1e-9)
    # of copies, which share a landmark, it leaves them to `forward`
    assert solve(layer, np.tile(X, (2, 1)), np.tile(y, 2)).outputs is None


def test_drawn_landmarks_give_the_nystrom_kernel():
    X, y = table()
    layer = Kernel(40, kind="laplace_l1", bandwidth=1.0, reweight=0)
    params = solve(layer, X, y).params
    features, landmarks = layer.forward(params, X), params["landmarks"]
    across = laplacian_kernel(X, landmarks, gamma=1 / float(params["bandwidth"]))
    among = laplacian_kernel(landmarks, gamma=1 / float(params["bandwidth"]))
    expected = across @ np.linalg.solve(among, across.T)
    np.testing.assert_allclose(features @ features.T, expected, atol=1e-8)


def test_read_out_of_exact_features_needs_no_eigenvalues():
    X, y = table()
    layer = Kernel(80)
    features = layer.forward(solve(layer, X, y).params, X)
    system = System.from_arrays(features, y[:, None])
    solution = LeastSquares().solve(system, left_out=True)
    assert solution.method == "diagonal"
    # the same by the general route, on rotated features
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(80, 80)))[0]
    general = LeastSquares().solve(
        System.from_arrays(features @ rotation, y[:, None]), left_out=True
    )
    assert general.method != "diagonal"
    assert solution.alpha == pytest.approx(general.alpha)
    assert solution.dof == pytest.approx(general.dof)
    np.testing.assert_allclose(solution.left_out, general.left_out, atol=1e-8)
    np.testing.assert_allclose(rotation @ general.coef, solution.coef, atol=1e-7)


@pytest.mark.parametrize("kind, n_features", [("laplace", 40), ("laplace_l1", 3)])
def test_a_kernel_that_is_given_is_taken_as_it_is(kind, n_features):
    X, y = table(80, n_features)
    X[40:45] = X[:5]
    given = Kernel(80, kind=kind, bandwidth=0.7, reweight=0)
    searched = solve(clone(given).set_params(bandwidth="loo"), X, y)
    solved = solve(given, X, y)
    metric = "cityblock" if kind == "laplace_l1" else "euclidean"
    middle = np.median(pdist(np.unique(X, axis=0), metric))
    assert solved.params["bandwidth"] == pytest.approx(0.7 * middle)
    np.testing.assert_array_equal(solved.params["landmarks"], searched.params["landmarks"])
    np.testing.assert_array_equal(solved.params["feature_scales"], np.ones(n_features))
    # there is nothing to compare
    assert "kernel_loo_error" in searched.report and "kernel_loo_error" not in solved.report


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_of_all_columns_changes_nothing(kind):
    X, y = table(60)
    X, layer = np.round(X * 1024) / 1024, Kernel(60, kind=kind, reweight=0)
    near, far = (layer.forward(solve(layer, rows, y).params, rows) for rows in (X, X + 2.0**27))
    np.testing.assert_allclose(far @ far.T, near @ near.T, atol=1e-7)


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


def test_fixed_width_with_fewer_distinct_rows():
    X, y = table(10)
    layer = Kernel(64)
    outputs = layer.forward(solve(layer, X, y).params, X)
    assert outputs.shape == (10, 64)
    assert not outputs[:, 10:].any()


def test_constant_inputs_and_constant_targets():
    X, y = table(20)
    for rows, values in [(np.ones((20, 3)), y), (X, np.ones(20))]:
        layer = Kernel(20)
        solved = solve(layer, rows, values)
        assert np.isfinite(layer.forward(solved.params, rows)).all()


def test_anywhere_in_a_list():
    X, y = table(150)
    for layers in (
        [Dense(8), Tanh(), Kernel(60), Dense(8), Tanh()],
        [Kernel(60), Kernel(60)],
        "Kernel[60, kind=gaussian] Dense[16] Tanh",
    ):
        model = ZORBRegressor(layers, random_state=0).fit(X[:100], y[:100])
        assert model.score(X[100:], y[100:]) > 0.5


def test_sparse_rows_give_the_same_as_dense_ones():
    X, y = table(60)
    X[X < 0.5] = 0
    layer, rows = Kernel(30), sp.csr_matrix(X)
    dense, sparse = solve(layer, X, y), solve(layer, rows, y)
    np.testing.assert_allclose(layer.forward(sparse.params, rows), layer.forward(dense.params, X))


def test_errors_name_what_to_do():
    X, y = table(20)
    with pytest.raises(ValueError, match="put Flatten"):
        Kernel().output_shape((3, 3))
    with pytest.raises(ValueError, match="TruncatedSVD"):
        ZORBRegressor([Kernel()]).fit(sp.random(20, 10_001, 0.01, format="csr"), y)


@pytest.mark.parametrize("smooth", [True, False])
def test_auto_takes_the_gaussian_for_smooth_targets(smooth):
    X, _ = table(300)
    y = X[:, 0] ** 2 + X[:, 1] * X[:, 2] if smooth else np.sign(X).sum(axis=1)
    params = solve(Kernel(300), X, y).params
    assert (KINDS[int(params["kind"])] == "gaussian") == smooth


def test_the_fewer_landmarks_the_smoother_a_kernel():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 3))
    y = np.sign(X[:, 0]) * X[:, 1] + 0.05 * rng.normal(size=800)
    every, few = (solve(Kernel(units, reweight=0), X, y).report for units in (800, 40))
    assert (every["landmarks"], few["landmarks"]) == (800, 40)
    assert (every["kind"], few["kind"]) == ("laplace_l1", "gaussian")
    assert few["kernel_loo_error"] > every["kernel_loo_error"]
