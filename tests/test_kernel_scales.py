"""Feature scales of the kernel: what is learned of them, and what that costs in honesty."""

import numpy as np
import pytest

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Context, Identity, Kernel, Stack
from sklearn_zorb.layers.base import Solved
from sklearn_zorb.layers.distinct import group_rows
from sklearn_zorb.layers.kernel.choice import (
    FLOOR,
    FOLDS,
    Choice,
    _next_scales,
    _scaled,
    optimism,
    rescale,
)
from sklearn_zorb.layers.kernel.layer import KINDS
from sklearn_zorb.layers.kernel.ridge import (
    DECADES,
    distances,
    gradient_products,
    kernel_values,
)
from sklearn_zorb.memory import Memory
from sklearn_zorb.targets import Targets


@pytest.mark.parametrize("kind", KINDS)
def test_products_of_gradients_by_finite_differences(kind):
    rng = np.random.default_rng(3)
    halves = [(rng.normal(size=(n, 4)), rng.normal(size=(n, 2))) for n in (12, 9)]
    points, weight = rng.normal(size=(7, 4)), rng.uniform(1, 2, size=7)

    def slope(half, step):
        ends = (points + step, points - step)
        high, low = (kernel_values(kind, distances(kind, x, half[0])) @ half[1] for x in ends)
        return (high - low) / 2e-6

    products = gradient_products(kind, points, halves, weight)
    for j, step in enumerate(1e-6 * np.eye(4)):
        expected = weight @ (slope(halves[0], step) * slope(halves[1], step)).sum(axis=1)
        assert products[j] == pytest.approx(expected / weight.sum(), rel=1e-5)


def test_gradient_at_a_landmark_leaves_it_out():
    landmarks = np.random.default_rng(3).normal(size=(12, 4))
    halves = [(landmarks, np.ones((12, 1)))] * 2
    assert np.isfinite(gradient_products("laplace", landmarks, halves, np.ones(12))).all()


def test_scales_from_products():
    # one of three features has a product of the wrong sign: r = (3 + 2 - 1) / 6
    scales = rescale(np.array([1.0, 2.0, 1.0]), np.array([3.0, 0.5, -1.0]))
    r, mean = 4 / 6, 5 / 3
    shares = np.array([3.0, 2.0, 0.0]) / mean
    np.testing.assert_allclose(scales, (r * shares + 1 - r + FLOOR) ** 0.25)
    # halves that contradict each other everywhere say nothing
    np.testing.assert_array_equal(rescale(np.full(2, 3.0), -np.ones(2)), np.full(2, 3.0))


def solved_scales(X, y):
    y = y.reshape(len(y), -1)
    context = Context(rng=np.random.default_rng(0), y=y, y_targets=Targets(y))
    layer = Kernel(len(X), kind="laplace")
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    solved = layer.solve(params, X, Targets(y), context)
    return solved.params["feature_scales"], solved.report


def test_noise_leaves_many_features_at_nearly_equal_scales():
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(60, 300)), rng.normal(size=60)
    scales, _ = solved_scales(X, noise)
    assert scales.max() < 2.5 * scales.min()
    scales, _ = solved_scales(X, 3 * X[:, 0] + 0.1 * noise)
    assert scales[0] == scales.max() > 2 * np.median(scales)


def test_optimism_is_what_scales_of_other_rows_miss():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(40, 30))
    y = X[:, 0] + rng.normal(size=40)
    groups = group_rows(X, y[:, None], None, Memory())
    rows, targets = X[groups.first], groups.mean
    choice = Choice("gaussian", np.ones(30), 1.0, 0.5, 2, 4.0, 4)
    found = optimism(choice, rows, groups, np.random.default_rng(1))
    stream, total = np.random.default_rng(1), 0.0
    folds = stream.permutation(40) % FOLDS
    for fold in range(FOLDS):
        rest = np.flatnonzero(folds != fold)
        order, scales = stream.permutation(len(rest)), np.ones(30)
        for _ in range(2):
            scaled, _ = _scaled("gaussian", rows[rest], scales, 4.0, order)
            scales = _next_scales("gaussian", scales, scaled, groups.take(rest), order, 4)
        scaled, _ = _scaled("gaussian", rows, scales, 4.0, rest)
        K = kernel_values("gaussian", distances("gaussian", scaled, scaled))
        centred = K - K.mean(0) - K.mean(1)[:, None] + K.mean()
        alpha = DECADES[4] * centred.trace() / 40
        for i in np.flatnonzero(folds == fold):
            keep = np.delete(np.arange(40), i)
            inner = K[np.ix_(keep, keep)] + alpha * np.eye(39)
            system = np.block([[inner, np.ones((39, 1))], [np.ones((1, 39)), 0.0]])
            solution = np.linalg.solve(system, np.append(targets[keep, 0], 0.0))
            total += (targets[i, 0] - K[i, keep] @ solution[:39] - solution[39]) ** 2
    assert found == pytest.approx(total / 40 / 0.5, rel=1e-6)
    assert found > 1


class Optimist(Identity):
    solvable = True
    fits_targets = False

    def solve(self, params, inputs, targets, context):
        return Solved(params, report={"optimism": 4.0})


def test_a_stack_widens_left_out_errors_by_what_a_layer_reports():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, 2.0, 0.0] + rng.normal(size=50)
    plain = ZORBRegressor([Stack([[Identity()]])]).fit(X, y)
    wider = ZORBRegressor([Stack([[Optimist()]])]).fit(X, y)
    assert wider.history_[-1]["loo_error"] == pytest.approx(4 * plain.history_[-1]["loo_error"])
    np.testing.assert_allclose(wider.predict(X), plain.predict(X))


@pytest.mark.parametrize("n_rows, n_features", [(100, 200), (200, 500)])
def test_wide_tables_are_judged_honestly(n_rows, n_features):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows + 1000, n_features))
    signal = X[:, :5].sum(axis=1) / 5**0.5 + rng.normal(size=len(X))
    X, X_test, y, y_test = X[:n_rows], X[n_rows:], signal[:n_rows], signal[n_rows:]
    model = ZORBRegressor(random_state=0).fit(X, y)
    assert abs(model.loo_score_ - model.score(X_test, y_test)) < 0.2
    low, high = model.predict_interval(X_test, 0.9)
    assert 0.82 < ((low <= y_test) & (y_test <= high)).mean() < 0.97
    classifier = ZORBClassifier(random_state=0).fit(X, y > 0)
    shares = classifier.predict_proba(X_test)[np.arange(1000), (y_test > 0).astype(int)]
    # log(2) is what knowing nothing costs
    assert -np.log(shares).mean() < np.log(2) + 0.05


def test_halves_of_equal_targets_say_nothing_of_scales():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 5)), np.full((8, 1), 0.1)
    groups = group_rows(X, y, rng.uniform(1, 2, size=8), Memory())
    scales = _next_scales("laplace", np.ones(5), X[groups.first], groups, np.arange(8), 3)
    np.testing.assert_array_equal(scales, np.ones(5))
