"""Weights of greatest likelihood, beside a general optimiser, and what they are for."""

import numpy as np
import pytest
import scipy.optimize
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.decoders import PowerCalibration
from sklearn_zorb.layers import EstimatorLayer, Kernel, Stack
from sklearn_zorb.layers.block_weights import likelihood_weights, stack_weights


def outputs_of_blocks(rng, n_rows=400):
    """Classes, soft scores of them and probabilities, both wrong at times."""
    codes = rng.integers(3, size=n_rows)
    truth = np.eye(3)[codes]
    soft = 0.2 + 0.4 * truth + 0.1 * rng.normal(size=truth.shape)
    sure = softmax(4 * truth + 2.5 * rng.normal(size=truth.shape), axis=1)
    return codes, [soft, sure, np.full(truth.shape, 1 / 3)]


@pytest.mark.parametrize("weighted", [False, True])
def test_weights_and_power_are_the_most_likely_ones(weighted):
    rng = np.random.default_rng(0)
    codes, outputs = outputs_of_blocks(rng)
    weight = rng.integers(1, 4, size=len(codes)).astype(float) if weighted else np.ones(400)
    shares = np.bincount(codes, weight) / weight.sum()

    def value(found, floor):
        *w, power = found
        mix = sum(a * part for a, part in zip(w, outputs, strict=True))
        p = np.maximum(mix, floor / 3) ** power
        p /= p.sum(axis=1, keepdims=True)
        pull = 20 * -(shares * np.log(shares)).sum() * ((np.array(w) - 1 / 3) ** 2).sum()
        return pull - weight @ np.log(p[np.arange(len(codes)), codes])

    expected = min(
        (
            scipy.optimize.minimize(
                value, [1 / 3, 1 / 3, 1 / 3, 1.0], (floor,), method="SLSQP",
                bounds=[(0, 1)] * 3 + [(0.7, 3)], options={"ftol": 1e-12, "maxiter": 500},
                constraints={"type": "eq", "fun": lambda found, floor=None: sum(found[:3]) - 1},
            )
            for floor in (0.01, 0.05, 0.2)
        ),
        key=lambda one: one.fun,
    ).x[:3]  # fmt: skip
    found = likelihood_weights(outputs, codes, weight if weighted else None)
    np.testing.assert_allclose(found, expected, atol=3e-3)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)


def test_new_rows_are_likelier_than_by_squared_errors():
    rng = np.random.default_rng(1)
    codes, outputs = outputs_of_blocks(rng)
    new, its_outputs = outputs_of_blocks(rng, 5000)
    losses = []
    for w in (likelihood_weights(outputs, codes), stack_weights(outputs, np.eye(3)[codes])):
        left_out, its = (
            sum(a * part for a, part in zip(w, parts, strict=True))
            for parts in (outputs, its_outputs)
        )
        losses.append(log_loss(new, PowerCalibration().fit(left_out, codes).probabilities(its)))
    assert losses[0] < 0.95 * losses[1]


def test_a_stack_asks_for_likelihood_where_a_block_says_probabilities():
    X, y = load_digits(return_X_y=True)
    X, y = X[:200], y[:200]
    shares = [
        ZORBClassifier([Stack([[Kernel(200)], [EstimatorLayer(nearest)]])], random_state=0)
        .fit(X, y).params_[-1]["block_weights"][1]
        for nearest in (KNeighborsClassifier(1), KNeighborsRegressor(1))
    ]  # fmt: skip
    # both say 0 or 1; which of them is a probability is known of the classifier only
    assert shares[0] < shares[1] - 0.1
