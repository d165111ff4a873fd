"""The choice of a kernel: its kind, its feature scales, and what those cost in honesty."""

import numpy as np
import pytest
import scipy.linalg
from kernel_tables import mean_eigenvalue, naive_kernel, squared_left_out, table
from scipy.spatial.distance import pdist
from sklearn.linear_model import RidgeCV

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Identity, Solved, Stack, Traits
from sklearn_zorb.layers.kernel.choice import (
    FOLDS,
    Choice,
    judged_on,
    next_scales,
    optimism,
)
from sklearn_zorb.layers.kernel.ridge import DECADES
from sklearn_zorb.linalg.penalties import RELATIVE_ALPHAS
from sklearn_zorb.memory import Memory
from sklearn_zorb.rows.duplicates import group_rows


@pytest.mark.parametrize("n_rows, judges", [(240, slice(None)), (280, slice(60, None))])
def test_nystrom_errors_are_those_of_ridge_regression_on_the_features(n_rows, judges):
    X, y = table(n_rows)
    groups = group_rows(X, y[:, None], None, Memory())
    rows = X[groups.first]
    for kind in ("laplace", "laplace_l1"):
        choice = Choice(kind, np.linspace(0.5, 2, X.shape[1]), 3.0, np.inf, 0, 1.0, 3)
        scaled = rows * choice.scales / 3
        kernel = naive_kernel(kind, scaled, scaled[:60])
        features = kernel @ np.linalg.inv(scipy.linalg.sqrtm(kernel[:60]))
        centred = features - features.mean(axis=0)
        alphas = RELATIVE_ALPHAS * (centred**2).sum() / 60
        ridge = RidgeCV(alphas, store_cv_results=True).fit(features, groups.mean.ravel())
        # with enough rows that are no landmarks, these judge
        least = ridge.cv_results_[judges].mean(axis=0).min()
        (judged,) = judged_on([choice], rows, groups, 60)
        assert judged.error == pytest.approx(least, rel=1e-3)
        assert choice.error == np.inf


def test_optimism_is_what_scales_of_other_rows_miss():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(40, 30))
    y = X[:, 0] + rng.normal(size=40)
    groups = group_rows(X, y[:, None], None, Memory())
    rows = X[groups.first]
    choice = Choice("gaussian", np.ones(30), 1.0, 0.5, 2, 4.0, 4)
    found = optimism(choice, rows, groups, np.random.default_rng(1))
    stream, total = np.random.default_rng(1), 0.0
    folds = stream.permutation(40) % FOLDS
    for fold in range(FOLDS):
        rest = np.flatnonzero(folds != fold)
        order, scales = stream.permutation(len(rest)), np.ones(30)
        for _ in range(2):
            train = rows[rest] * scales
            train /= 4.0 * np.median(pdist(train))
            scales = next_scales("gaussian", scales, train, groups.take(rest), order, 4)
        scaled = rows * scales
        K = naive_kernel("gaussian", scaled, scaled, 4.0 * np.median(pdist(scaled[rest])))
        losses = squared_left_out(K, groups.mean[:, 0], DECADES[4] * mean_eigenvalue(K))
        total += losses[folds == fold].sum()
    assert found == pytest.approx(total / 40 / 0.5, rel=1e-6)
    assert found > 1


class Optimist(Identity):
    traits = Traits(learns=True, fits_targets=False)

    def solve(self, params, inputs, targets, context):
        return Solved(params, optimism=3.0)


def test_a_stack_widens_left_out_errors_by_what_a_layer_reports():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, 2.0, 0.0] + rng.normal(size=50)
    plain = ZORBRegressor([Stack([[Identity()]])]).fit(X, y)
    wider = ZORBRegressor([Stack([[Optimist()]])]).fit(X, y)
    assert wider.history_[-1]["loo_error"] == pytest.approx(4 * plain.history_[-1]["loo_error"])
    np.testing.assert_allclose(wider.predict(X), plain.predict(X))


@pytest.mark.quick(1)
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
    scales = next_scales("laplace", np.ones(5), X[groups.first], groups, np.arange(8), 3)
    np.testing.assert_array_equal(scales, np.ones(5))
