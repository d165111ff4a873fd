"""Probabilities from outputs, against a search over the grid and other maps."""

import numpy as np
from left_out import best_calibration, calibrated, left_out_ridge
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss

from sklearn_zorb import ZORBClassifier


def test_floor_and_power_are_those_of_least_loss_on_left_out_outputs():
    rng, y = np.random.default_rng(0), np.arange(75) % 3
    X = np.eye(3)[y] + rng.exponential(0.5, size=(75, 3))
    model = ZORBClassifier([], alpha=1.0, standardize=False).fit(X, y)
    outputs = Ridge(1.0).fit(X, np.eye(3)[y]).predict(X)
    np.testing.assert_allclose(model.decision_function(X), outputs, atol=1e-8)
    pair = best_calibration(left_out_ridge(X, np.eye(3)[y], 1.0), y)
    np.testing.assert_allclose(model.predict_proba(X), calibrated(outputs, *pair), atol=1e-8)


def test_it_beats_clipping_and_keeps_the_order():
    X, y = load_digits(return_X_y=True)
    model = ZORBClassifier("Dense[100] ReLU", standardize=False, random_state=0)
    model.fit(X[::2], y[::2])
    outputs, shares = model.decision_function(X[1::2]), model.predict_proba(X[1::2])
    clipped = outputs.clip(1e-3)
    clipped /= clipped.sum(axis=1, keepdims=True)
    assert log_loss(y[1::2], shares) < 0.7 * log_loss(y[1::2], clipped)
    np.testing.assert_array_equal(outputs.argmax(axis=1), shares.argmax(axis=1))


def test_many_rows_in_parts_and_in_batches():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=12_000)
    X = np.eye(3)[y] + rng.normal(size=(12_000, 3))
    whole = ZORBClassifier([], alpha=1.0).fit(X, y)
    batches = ZORBClassifier([], alpha=1.0)
    for part in (slice(0, 6000), slice(6000, None)):
        batches.partial_fit(X[part], y[part], classes=range(3))
    losses = [log_loss(y, model.predict_proba(X)) for model in (whole, batches)]
    assert abs(losses[0] - losses[1]) < 1e-3
    best = min(
        log_loss(y, calibrated(whole.decision_function(X), floor, power))
        for floor in (0.003, 0.03, 0.2) for power in (0.7, 1.0, 1.5, 2.0, 3.0)
    )  # fmt: skip
    assert losses[0] < best + 1e-3
