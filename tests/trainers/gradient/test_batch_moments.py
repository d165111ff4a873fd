"""`BatchNorm` normalises by the batch while training, and by running moments after it."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import BatchNorm, Conv2D, Dense, Flatten, Parallel, Skip, Tanh
from sklearn_zorb.trainers import Backprop, FeedbackAlignment

X, Y = load_iris(return_X_y=True)
Z = (X - X.mean(axis=0)) / X.std(axis=0)


def fit(layers, rule, weight=None, **options):
    model = NetworkClassifier(layers, trainer=rule, random_state=0, **options)
    return model.fit(X, Y, sample_weight=weight)


def assert_moments(norm, rows):
    np.testing.assert_allclose(norm["mean"], rows.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(norm["variance"], rows.var(axis=0), rtol=0.2)
    assert not np.allclose(norm["scale"], 1)


def after(dense, rows):
    return rows @ dense["weights"] + dense["intercept"]


# running moments lag behind: steps are small, the last ones smallest
SLOW = {"max_epochs": 60, "tol": None, "schedule": "linear", "learning_rate": 5e-3}


@pytest.mark.quick(1)
@pytest.mark.parametrize("batch_size", ["auto", 40])
def test_moments_are_those_of_the_rows_that_reach_it(batch_size):
    rule = Backprop(batch_size=batch_size, **SLOW)
    block = [Dense(8), BatchNorm(), Tanh()]
    params = fit(block, rule).params_
    assert_moments(params[2], after(params[1], Z))
    inner = fit([Skip(block)], rule).params_[1]["branch_2"]
    assert_moments(inner["1"], after(inner["0"], Z))


@pytest.mark.quick(1)
@pytest.mark.parametrize("batch_size", ["auto", 40])
def test_inside_a_composite_layer_it_does_what_it_does_outside(batch_size):
    rule = Backprop("sgd", learning_rate=0.1, max_epochs=5, batch_size=batch_size)
    block = [Dense(8, initializer=fixed), BatchNorm(), Tanh()]
    outside = fit(block, rule)
    inside = fit([Parallel([block])], rule)
    nested = fit([Parallel([[Parallel([block])]])], rule)
    np.testing.assert_allclose(inside.decision_function(X), outside.decision_function(X))
    np.testing.assert_allclose(nested.decision_function(X), outside.decision_function(X))
    for name, value in outside.params_[2].items():
        np.testing.assert_allclose(inside.params_[1]["branch_1"]["1"][name], value)


def fixed(rng, shape):
    return np.random.default_rng(7).normal(size=shape) / 2


@pytest.mark.slow
def test_nested_composites_and_images():
    nested = Parallel([[Skip([Dense(5), Skip([Dense(3), BatchNorm()])])], [Dense(2)]])
    params = fit([nested], Backprop(**SLOW)).params_[1]["branch_1"]["0"]["branch_2"]
    inner = params["1"]["branch_2"]
    assert_moments(inner["1"], after(inner["0"], after(params["0"], Z)))
    D, d = load_digits(return_X_y=True)
    layers = [Parallel([[Conv2D(2, 3), BatchNorm()]]), Flatten()]
    rule = Backprop(max_epochs=5)
    model = NetworkClassifier(layers, trainer=rule, input_shape=(8, 8, 1), random_state=0)
    trained = model.fit(D[:200], d[:200]).params_
    moments = next(p for p in trained if "branch_1" in p)["branch_1"]["1"]
    assert moments["mean"].shape == (2,) and not np.allclose(moments["scale"], 1)


def test_rules_with_layers_of_their_own_learn_them_too():
    params = fit([Skip([Dense(8), BatchNorm(), Tanh()])], FeedbackAlignment(**SLOW)).params_[1]
    assert_moments(params["branch_2"]["1"], after(params["branch_2"]["0"], Z))


def test_weights_are_repetitions_in_the_moments_of_a_batch():
    times = np.random.default_rng(0).integers(0, 4, size=150)
    rule = Backprop("sgd", learning_rate=0.1, max_epochs=5)
    layers = [Skip([Dense(8), BatchNorm(), Tanh()])]
    weighted = fit(layers, rule, times)
    repeated = NetworkClassifier(layers, trainer=rule, random_state=0)
    repeated.fit(np.repeat(X, times, axis=0), np.repeat(Y, times))
    np.testing.assert_allclose(weighted.decision_function(X), repeated.decision_function(X))
