"""Backpropagation against descent by hand, optax and scikit-learn."""

import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import Dense, Dropout, Tanh
from sklearn_zorb.trainers import Backprop

X, Y = load_iris(return_X_y=True)


def fit(layers, rule, **options):
    return NetworkClassifier(layers, trainer=rule, random_state=0, **options).fit(X, Y)


def initial(layers):
    """Params before the first step."""
    rule = Backprop("sgd", learning_rate=1e-300, max_epochs=1)
    return fit(layers, rule, standardize=False).params_


def test_sgd_by_hand():
    start = initial([Tanh()])[-1]
    W, b = start["weights"].copy(), start["intercept"].copy()
    H, T = np.tanh(X), np.eye(3)[Y]
    for _ in range(3):
        delta = (softmax(H @ W + b, axis=1) - T) / len(X)
        W, b = W - 0.1 * H.T @ delta, b - 0.1 * delta.sum(axis=0)
    rule = Backprop("sgd", learning_rate=0.1, max_epochs=3, tol=None)
    found = fit([Tanh()], rule, standardize=False).params_[-1]
    np.testing.assert_allclose(found["weights"], W)
    np.testing.assert_allclose(found["intercept"], b)


@pytest.mark.slow
def test_adam_against_optax(x64):
    import jax
    import optax

    layers = "Dense[5] Tanh"
    params = [initial(layers)[i] for i in (0, 2)]

    def loss(params):
        z = jax.numpy.tanh(X @ params[0]["weights"] + params[0]["intercept"])
        z = z @ params[1]["weights"] + params[1]["intercept"]
        return optax.softmax_cross_entropy_with_integer_labels(z, Y).mean()

    adam, gradient = optax.adam(0.05), jax.jit(jax.grad(loss))
    state = adam.init(params)
    for _ in range(5):
        updates, state = adam.update(gradient(params), state)
        params = optax.apply_updates(params, updates)
    rule = Backprop(learning_rate=0.05, max_epochs=5, tol=None)
    found = fit(layers, rule, standardize=False).params_
    for place, expected in zip((0, 2), params, strict=True):
        np.testing.assert_allclose(found[place]["weights"], expected["weights"], rtol=1e-6)


@pytest.mark.slow
def test_as_good_as_the_networks_of_scikit_learn():
    D, d = load_digits(return_X_y=True)
    D, train, test = D / 16, slice(0, 1300), slice(1300, None)
    model = NetworkClassifier("Dense[50] ReLU", trainer=Backprop(max_epochs=30), random_state=0)
    model.fit(D[train], d[train])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other = MLPClassifier((50,), max_iter=30, batch_size=128, random_state=0)
        other.fit(D[train], d[train])
    assert model.score(D[test], d[test]) > other.score(D[test], d[test]) - 0.02


@pytest.mark.quick(1)
@pytest.mark.parametrize("batch_size", ["auto", 32])
def test_weights_are_repetitions(batch_size):
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    weights = rng.integers(0, 4, size=60)
    rule = Backprop(max_epochs=60, tol=None, batch_size=batch_size)
    a, b = (NetworkRegressor("Dense[5] Tanh", trainer=rule, random_state=0) for _ in range(2))
    a.fit(rows, y, weights)
    copies = np.repeat(np.arange(60), weights)
    b.fit(rows[copies], y[copies])
    if batch_size == "auto":
        np.testing.assert_allclose(a.predict(rows), b.predict(rows), rtol=1e-6)
    else:  # in distribution: not the same batches, nor as many of them
        assert np.corrcoef(a.predict(rows), b.predict(rows))[0, 1] > 0.85


def test_noise_while_training_only():
    rule = Backprop(max_epochs=30)
    model = fit([Dense(30), Tanh(), Dropout(0.5)], rule)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    plain = fit("Dense[30] Tanh", rule)
    assert not np.allclose(model.predict_proba(X), plain.predict_proba(X), rtol=1e-3)
    assert model.score(X, Y) > 0.9
