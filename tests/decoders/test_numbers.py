"""Targets that are numbers: their units, their range, and the score of rows left out."""

import numpy as np
import pytest
from left_out import left_out_ridge
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import r2_score

from sklearn_zorb import NetworkRegressor, ZORBRegressor

X, Y = load_iris(return_X_y=True)
BOTH = pytest.mark.parametrize("Estimator", [ZORBRegressor, NetworkRegressor])


def test_several_outputs_and_their_units():
    targets = np.column_stack([X[:, 0] * 1000, X[:, 1] / 1000])
    model = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(X, targets)
    assert model.predict(X).shape == (150, 2)
    assert model.score(X, targets) > 0.99
    assert model.loo_score_ == pytest.approx(model.score(X, targets), abs=0.01)


def test_clip_keeps_predictions_in_range():
    rows = np.linspace(-1, 1, 40)[:, None]
    kept = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(rows, rows[:, 0])
    free = clone(kept).set_params(clip=False).fit(rows, rows[:, 0])
    assert kept.predict([[5.0]])[0] == 1 and free.predict([[5.0]])[0] > 1


@pytest.mark.parametrize("weighted", [False, True])
def test_loo_score_is_r2_of_left_out_outputs(weighted):
    rows, y = load_diabetes(return_X_y=True)
    rows, targets = rows[:60], np.column_stack([y[:60], y[59::-1], 0 * y[:60]])
    weights = np.random.default_rng(0).integers(1, 4, size=60) if weighted else None
    model = ZORBRegressor([], alpha=0.1, standardize=False, clip=False)
    model.fit(rows, targets, sample_weight=weights)
    predicted = left_out_ridge(rows, targets, 0.1, weights)
    expected = r2_score(targets, predicted, sample_weight=weights)
    assert model.loo_score_ == pytest.approx(expected)


@pytest.mark.parametrize("options", [{}, {"alpha": 0.0}, {"memory_limit": "5KB"}], ids=str)
def test_equal_targets_are_predicted(options):
    model = ZORBRegressor("Dense[5] Sigmoid Dense[4] Tanh", **options).fit(X, np.full(150, 7.0))
    np.testing.assert_allclose(model.predict(X), 7.0)


def test_targets_of_any_numeric_type():
    for kind in (bool, np.uint8, np.int64):
        model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(X, (Y == 0).astype(kind))
        assert model.loo_score_ > 0.8


@BOTH
def test_targets_that_are_no_numbers(Estimator):
    for targets in (np.array(["low", "high"] * 75), np.arange(150).astype("datetime64[D]")):
        with pytest.raises(ValueError, match="y holds .* a regressor needs numbers"):
            Estimator().fit(X, targets)
    spelled = Estimator("Dense[4] Tanh", random_state=0).fit(X, Y.astype(str)).predict(X)
    expected = Estimator("Dense[4] Tanh", random_state=0).fit(X, Y).predict(X)
    np.testing.assert_array_equal(spelled, expected)


@BOTH
def test_targets_that_overflow(Estimator):
    with pytest.raises(ValueError, match=r"y holds 1\.49e\+162"):
        Estimator("Dense[3] Tanh").fit(X, np.arange(150) * 1e160)


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e150])
def test_no_unit_of_targets_is_too_small_or_too_large(unit):
    model = ZORBRegressor("Identity").fit(X[:, 1:], unit * X[:, 0])
    expected = ZORBRegressor("Identity").fit(X[:, 1:], X[:, 0])
    np.testing.assert_allclose(model.predict(X[:, 1:]) / unit, expected.predict(X[:, 1:]))


def test_single_precision_takes_equal_targets_of_any_size_and_refuses_unscaled_ones(rng):
    weights = rng.random(len(X))  # the mean of equal numbers is off by rounding
    model = ZORBRegressor("Dense[8] Tanh", dtype="float32", random_state=0)
    model.fit(X, np.full(len(X), 1e60), sample_weight=weights)
    np.testing.assert_allclose(model.predict(X), 1e60)
    with pytest.raises(ValueError, match="y holds .*e\\+49: numbers beyond .* in float32"):
        model.set_params(standardize=False).fit(X, 1e49 * X[:, 0])
