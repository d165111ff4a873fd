"""Feedback rules are backpropagation where their matrices are the transposed weights."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from small_network import problem

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Conv2D, Dense, Flatten, Reshape, Skip, Tanh
from sklearn_zorb.trainers import DirectFeedbackAlignment, FeedbackAlignment
from sklearn_zorb.trainers.gradient.backprop import Reverse
from sklearn_zorb.trainers.gradient.direct_feedback import Direct, block_starts
from sklearn_zorb.trainers.gradient.feedback import FEEDBACK, Sequential, random_feedback
from sklearn_zorb.trainers.gradient.objective import trainable

pytestmark = pytest.mark.usefixtures("x64")


def gradient(rule, objective, params, batch, memory):
    import jax

    moved = trainable(objective.network, params)
    return rule.direction(objective, moved, params, memory, batch, jax.random.key(0))[0]


def assert_equal(a, b):
    import jax

    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-12), a, b)


def own_weights(params):
    """The weights themselves as feedback."""
    if "weights" in params:
        return {FEEDBACK: {"weights": params["weights"]}}
    inner = {k: own_weights(v) for k, v in params.items() if isinstance(v, dict)}
    return {k: v for k, v in inner.items() if v}


STACKS = {
    "dense": [Dense(5), Tanh(), Dense(4, use_bias=False), Tanh()],
    "conv": [Reshape((3, 3, 1)), Conv2D(2, 2), Tanh(), Conv2D(3, 2, padding="same"), Flatten()],
    "composite": [Skip([Dense(4), Tanh(), Dense(2)]), Tanh(), Dense(4)],
}


@pytest.mark.parametrize("name", STACKS)
def test_feedback_alignment_with_the_weights_is_backpropagation(name):
    objective, params, batch = problem(STACKS[name], width=9)
    exact = gradient(Reverse(), objective, params, batch, {})
    same = gradient(Sequential(), objective, params, batch, [own_weights(p) for p in params])
    assert_equal(same, exact)
    rng = np.random.default_rng(0)
    random = [random_feedback(p, rng, None) for p in params]
    other = gradient(Sequential(), objective, params, batch, random)
    first = 1 if name == "conv" else 0
    import jax

    a, b = (np.ravel(jax.tree.leaves(g[first])[-1]) for g in (other, exact))
    assert not np.allclose(a, b)
    assert_equal(other[-1], exact[-1])  # nothing lies above the read-out


def test_feedback_alignment_by_hand():
    objective, params, (X, T, w) = problem([Dense(5), Tanh(), Dense(4), Tanh()], width=9)
    rng = np.random.default_rng(0)
    memory = [random_feedback(p, rng, 1.0) for p in params]
    B2, B3 = memory[2][FEEDBACK]["weights"], memory[4][FEEDBACK]["weights"]
    h1 = np.tanh(X @ params[0]["weights"] + params[0]["intercept"])
    h2 = np.tanh(h1 @ params[2]["weights"] + params[2]["intercept"])
    z = h2 @ params[4]["weights"] + params[4]["intercept"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    error = w[:, None] * (p - T)
    d2 = error @ B3.T * (1 - h2**2)
    d1 = d2 @ B2.T * (1 - h1**2)
    found = gradient(Sequential(), objective, params, (X, T, w), memory)
    np.testing.assert_allclose(found[0]["weights"], X.T @ d1)
    np.testing.assert_allclose(found[2]["weights"], h1.T @ d2)
    np.testing.assert_allclose(found[2]["intercept"], d2.sum(axis=0))


def direct(kind, objective, params):
    starts = block_starts(objective.network, trainable(objective.network, params))
    return Direct(kind, starts)


def test_direct_feedback_with_the_weights_above_is_backpropagation():
    # one hidden layer, or linear layers above: the path to the output is one matrix
    objective, params, batch = problem([Dense(5), Tanh()], width=9)
    memory = {"2": params[2]["weights"].T}
    found = gradient(direct("direct", objective, params), objective, params, batch, memory)
    assert_equal(found, gradient(Reverse(), objective, params, batch, {}))
    objective, params, batch = problem([Dense(5), Tanh(), Dense(4)], width=9)
    up = params[2]["weights"] @ params[3]["weights"]
    memory = {"2": up.T, "3": params[3]["weights"].T}
    found = gradient(direct("direct", objective, params), objective, params, batch, memory)
    assert_equal(found, gradient(Reverse(), objective, params, batch, {}))


def test_direct_feedback_by_hand():
    objective, params, (X, T, w) = problem([Dense(5), Tanh(), Dense(4), Tanh()], width=9)
    rng = np.random.default_rng(0)
    memory = {"2": rng.normal(size=(3, 5)), "4": rng.normal(size=(3, 4))}
    h1 = np.tanh(X @ params[0]["weights"] + params[0]["intercept"])
    h2 = np.tanh(h1 @ params[2]["weights"] + params[2]["intercept"])
    z = h2 @ params[4]["weights"] + params[4]["intercept"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    error = w[:, None] * (p - T)
    rule = direct("direct", objective, params)
    found = gradient(rule, objective, params, (X, T, w), memory)
    d1 = error @ memory["2"] * (1 - h1**2)
    d2 = error @ memory["4"] * (1 - h2**2)
    np.testing.assert_allclose(found[0]["weights"], X.T @ d1)
    np.testing.assert_allclose(found[2]["weights"], h1.T @ d2)
    np.testing.assert_allclose(found[4]["weights"], h2.T @ error)


def test_random_readouts_by_hand():
    objective, params, (X, T, w) = problem([Dense(5), Tanh(), Dense(4), Tanh()], width=9)
    rng = np.random.default_rng(0)
    memory = {"2": rng.normal(size=(3, 5)), "4": rng.normal(size=(3, 4))}
    h1 = np.tanh(X @ params[0]["weights"] + params[0]["intercept"])
    z = h1 @ memory["2"].T
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    d1 = (w[:, None] * (p - T)) @ memory["2"] * (1 - h1**2)
    rule = direct("random_readout", objective, params)
    found = gradient(rule, objective, params, (X, T, w), memory)
    np.testing.assert_allclose(found[0]["weights"], X.T @ d1)


RULES = [
    FeedbackAlignment(max_epochs=60),
    FeedbackAlignment(max_epochs=60, scale=1.0),
    DirectFeedbackAlignment(max_epochs=60),
    DirectFeedbackAlignment("random_readout", max_epochs=60),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_they_learn(rule):
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier("Dense[16] Tanh Dense[16] Tanh", trainer=rule, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.93
    assert FEEDBACK not in model.params_[1]


def test_learning_beats_random_features():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    fits = {}
    for name, rule in [
        ("fixed", DirectFeedbackAlignment(scale=1e-12, max_epochs=20)),
        ("direct", DirectFeedbackAlignment(max_epochs=20)),
        ("sequential", FeedbackAlignment(max_epochs=20)),
    ]:
        model = NetworkClassifier("Dense[24] Tanh Dense[24] Tanh", trainer=rule, random_state=0)
        fits[name] = model.fit(X, y).history_[-1]["loss"]
    assert fits["direct"] < 0.8 * fits["fixed"]
    assert fits["sequential"] < 0.8 * fits["fixed"]


def test_layers_with_params_beside_their_weights():
    class Shifted(Dense):
        """Dense about a point of its own."""

        def init(self, rng, input_shape, data=None):
            return {**super().init(rng, input_shape, data), "point": rng.normal(size=input_shape)}

        def forward(self, params, inputs, *, rng=None):
            return super().forward(params, inputs - params["point"].astype(inputs.dtype))

    X, y = load_iris(return_X_y=True)
    layers = [Shifted(16), Tanh(), Shifted(8), Tanh()]
    rule = FeedbackAlignment(max_epochs=150)
    model = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.85
    assert "feedback" not in model.params_[1]
