"""Prediction intervals: ranks, weights and coverage."""

import numpy as np
import pytest
from left_out import left_out_ridge
from sklearn.datasets import make_friedman1

from sklearn_zorb import ZORBRegressor

LINEAR = {"alpha": 1.0, "standardize": False, "clip": False}


def half_width(model, X, coverage):
    low, high = model.predict_interval(X, coverage)
    np.testing.assert_allclose((low + high) / 2, model.predict(X), rtol=1e-9)
    return (high - low)[0] / 2


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_half_width_is_the_rank_of_the_jackknife(n_outputs):
    X, y = make_friedman1(99, noise=1.0, random_state=0)
    Y = np.stack([y, X[:, 0] ** 2], axis=1)[:, :n_outputs]
    model = ZORBRegressor([], **LINEAR).fit(X, Y if n_outputs > 1 else y)
    errors = np.sort(np.abs(Y - left_out_ridge(X, Y, 1.0).reshape(99, -1)), axis=0)
    # a new row counts too: 0.905 of 100, not of 99
    for coverage, rank in ((0.9, 89), (0.905, 90), (0.999, 98), (0.01, 0)):
        np.testing.assert_allclose(half_width(model, X, coverage), errors[rank], rtol=1e-7)


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.9, 0.99])
def test_weights_are_repetition(coverage):
    X, y = make_friedman1(40, noise=1.0, random_state=0)
    weights = np.random.default_rng(0).integers(1, 5, size=40)
    weighted = ZORBRegressor([], **LINEAR).fit(X, y, sample_weight=weights)
    copied = ZORBRegressor([], **LINEAR).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    expected = half_width(copied, X, coverage)
    np.testing.assert_allclose(half_width(weighted, X, coverage), expected, rtol=1e-7)


def covered(model, X, y, coverage):
    """Share of targets inside their intervals."""
    low, high = model.predict_interval(X, coverage)
    return ((low <= y) & (y <= high)).mean()


@pytest.mark.parametrize("layers", ["auto", "Dense[50] Tanh"])
def test_coverage_on_new_rows(layers):
    X, y = make_friedman1(1500, noise=2.0, random_state=0)
    model = ZORBRegressor(layers, random_state=0).fit(X[:300], y[:300])
    for coverage in (0.5, 0.9):
        assert covered(model, X[300:], y[300:], coverage) == pytest.approx(coverage, abs=0.09)


@pytest.mark.parametrize("layers", ["Identity", "Dense[50] ReLU"])
def test_coverage_where_outputs_leave_the_range_of_the_targets(layers):
    # half of the targets lie close above zero, and outputs below
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 5))
    y = np.exp(2 * X[:, 0] + rng.normal(size=3000))
    model = ZORBRegressor(layers, random_state=0).fit(X[:1000], y[:1000])
    free = ZORBRegressor(layers, clip=False, random_state=0).fit(X[:1000], y[:1000])
    assert (free.predict(X) < 0).mean() > 0.1
    for coverage in (0.5, 0.8):
        assert covered(model, X[1000:], y[1000:], coverage) == pytest.approx(coverage, abs=0.05)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_unit_of_weights_is_nothing_to_a_width(method):
    X, y = make_friedman1(100, noise=1.0, random_state=0)
    shares = np.random.default_rng(0).uniform(0.5, 1.0, size=100)

    def width(weights):
        model = ZORBRegressor("Dense[8] Tanh", random_state=0)
        for rows in [slice(None)] if method == "fit" else [slice(0, 60), slice(60, 100)]:
            getattr(model, method)(X[rows], y[rows], sample_weight=weights[rows])
        low, high = model.predict_interval(X, 0.5)
        return np.median(high - low)

    assert width(1e-3 * shares) == pytest.approx(width(shares), rel=1e-6)


def test_shapes_clip_and_errors():
    X, y = make_friedman1(80, random_state=0)
    model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X, np.stack([y, 2 * y], axis=1))
    low, high = model.predict_interval(X)
    assert low.shape == high.shape == (80, 2)
    assert (low >= [y.min(), 2 * y.min()]).all() and (high <= [y.max(), 2 * y.max()]).all()
    for coverage in (90, "a", None, 0, 1.0, np.nan):
        with pytest.raises(ValueError, match="coverage=.*above 0 and below 1"):
            model.predict_interval(X, coverage)
