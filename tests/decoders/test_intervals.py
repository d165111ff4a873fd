"""Prediction intervals: ranks, weights and coverage."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.intervals import LeftOutErrors


def test_half_width_is_the_rank_of_the_jackknife():
    residuals = np.random.default_rng(0).normal(size=(99, 2))
    errors = LeftOutErrors(residuals, None)
    expected = np.sort(np.abs(residuals), axis=0)
    np.testing.assert_array_equal(errors.half_width(0.9), expected[89])
    # a new row counts too: 0.905 of 100, not of 99
    np.testing.assert_array_equal(errors.half_width(0.905), expected[90])
    np.testing.assert_array_equal(errors.half_width(0.999), expected[98])


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.9, 0.99])
def test_weights_are_repetition(coverage):
    rng = np.random.default_rng(0)
    residuals, weights = rng.normal(size=(40, 2)), rng.integers(1, 5, size=40)
    weighted = LeftOutErrors(residuals, weights.astype(float))
    copied = LeftOutErrors(np.repeat(residuals, weights, axis=0), None)
    np.testing.assert_array_equal(weighted.half_width(coverage), copied.half_width(coverage))


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
    assert (model._outputs(X) * y.std() + y.mean() < 0).mean() > 0.1
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
    with pytest.raises(ValueError, match="coverage"):
        model.predict_interval(X, 90)
