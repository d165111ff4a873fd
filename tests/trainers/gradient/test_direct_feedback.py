"""Direct feedback alignment against backpropagation and NumPy."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits, load_iris
from small_network import Problem, flat, hand

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Dense, Tanh
from sklearn_zorb.trainers import Backprop, DirectFeedbackAlignment, FeedbackAlignment


def test_with_the_weights_above_it_is_backpropagation(x64):
    # one hidden layer, or linear layers above: the path to the output is one matrix
    one, two = Problem([Dense(5), Tanh()]), Problem([Dense(5), Tanh(), Dense(4)])
    up = two.params[2]["weights"] @ two.params[3]["weights"]
    for problem, memory in (
        (one, {"2": one.params[2]["weights"].T}),
        (two, {"2": up.T, "3": two.params[3]["weights"].T}),
    ):
        found = problem.direction(DirectFeedbackAlignment(), memory)
        exact = problem.direction(Backprop())
        np.testing.assert_allclose(flat(found), flat(exact), atol=1e-12)


def test_against_numpy(x64):
    problem = Problem([Dense(5), Tanh(), Dense(4), Tanh()], width=9)
    ((W1, b1), (W2, b2), (W3, b3)), (X, T, w) = hand(problem)
    rng = np.random.default_rng(0)
    memory = {"2": rng.normal(size=(3, 5)), "4": rng.normal(size=(3, 4))}
    h1 = np.tanh(X @ W1 + b1)
    h2 = np.tanh(h1 @ W2 + b2)
    error = w[:, None] * (softmax(h2 @ W3 + b3, axis=1) - T)
    found = problem.direction(DirectFeedbackAlignment(), memory)
    d1, d2 = error @ memory["2"] * (1 - h1**2), error @ memory["4"] * (1 - h2**2)
    np.testing.assert_allclose(found[0]["weights"], X.T @ d1)
    np.testing.assert_allclose(found[2]["weights"], h1.T @ d2)
    np.testing.assert_allclose(found[4]["weights"], h2.T @ error)
    # a random read-out of its own for each block
    found = problem.direction(DirectFeedbackAlignment("random_readout"), memory)
    local = w[:, None] * (softmax(h1 @ memory["2"].T, axis=1) - T)
    np.testing.assert_allclose(found[0]["weights"], X.T @ (local @ memory["2"] * (1 - h1**2)))
    np.testing.assert_allclose(found[4]["weights"], h2.T @ error)


@pytest.mark.parametrize("feedback, width", [("direct", 3), ("random_readout", 4000)])
def test_scale_of_the_feedback(feedback, width, x64):
    memory = Problem([Dense(4000)]).start(DirectFeedbackAlignment(feedback, 2.0))[1]
    assert memory["1"].shape == (3, 4000)
    assert memory["1"].std() == pytest.approx(2 / np.sqrt(width), rel=0.05)


@pytest.mark.quick(1)
@pytest.mark.parametrize("feedback", ["direct", "random_readout"])
def test_it_learns(feedback):
    X, y = load_iris(return_X_y=True)
    rule = DirectFeedbackAlignment(feedback, max_epochs=60)
    model = NetworkClassifier("Dense[16] Tanh Dense[16] Tanh", trainer=rule, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.93


@pytest.mark.slow
def test_learning_beats_random_features():
    X, y = load_digits(return_X_y=True)
    loss = {}
    for name, rule in {
        "fixed": DirectFeedbackAlignment(scale=1e-12, max_epochs=20),
        "direct": DirectFeedbackAlignment(max_epochs=20),
        "sequential": FeedbackAlignment(max_epochs=20),
    }.items():
        model = NetworkClassifier("Dense[24] Tanh Dense[24] Tanh", trainer=rule, random_state=0)
        loss[name] = model.fit(X / 16, y).history_[-1]["loss"]
    assert max(loss["direct"], loss["sequential"]) < 0.8 * loss["fixed"]
