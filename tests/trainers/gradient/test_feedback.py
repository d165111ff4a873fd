"""Feedback alignment is backpropagation where its matrices are the weights themselves."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_iris
from small_network import Problem, flat, hand

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Conv2D, Dense, Flatten, Reshape, Skip, Tanh
from sklearn_zorb.trainers import Backprop, FeedbackAlignment

X, Y = load_iris(return_X_y=True)


def forward_weights(params):
    """The weights themselves as feedback."""
    if "weights" in params:
        return {"feedback": {"weights": params["weights"]}}
    inner = {k: forward_weights(v) for k, v in params.items() if isinstance(v, dict)}
    return {k: v for k, v in inner.items() if v}


STACKS = {
    "dense": [Dense(5), Tanh(), Dense(4, use_bias=False), Tanh()],
    "conv": [Reshape((3, 3, 1)), Conv2D(2, 2), Tanh(), Conv2D(3, 2, padding="same"), Flatten()],
    "composite": [Skip([Dense(4), Tanh(), Dense(2)]), Tanh(), Dense(4)],
}


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", STACKS)
def test_with_the_weights_it_is_backpropagation(name, x64):
    problem, rule = Problem(STACKS[name], width=9), FeedbackAlignment()
    exact = problem.direction(Backprop())
    same = problem.direction(rule, [forward_weights(params) for params in problem.params])
    np.testing.assert_allclose(flat(same), flat(exact), atol=1e-12)
    random = problem.direction(rule)
    first = 1 if name == "conv" else 0
    assert not np.allclose(flat(random[first]), flat(exact[first]))
    np.testing.assert_allclose(flat(random[-1]), flat(exact[-1]))  # nothing is above the read-out


def test_against_numpy(x64):
    problem = Problem([Dense(5), Tanh(), Dense(4), Tanh()], width=9)
    ((W1, b1), (W2, b2), (W3, b3)), (X, T, w) = hand(problem)
    rng = np.random.default_rng(0)
    B = {2: rng.normal(size=(5, 4)), 4: rng.normal(size=(4, 3))}
    memory = [{"feedback": {"weights": B[i]}} if i in B else {} for i in range(5)]
    memory[0] = {"feedback": {"weights": W1}}
    h1 = np.tanh(X @ W1 + b1)
    h2 = np.tanh(h1 @ W2 + b2)
    error = w[:, None] * (softmax(h2 @ W3 + b3, axis=1) - T)
    d2 = error @ B[4].T * (1 - h2**2)
    d1 = d2 @ B[2].T * (1 - h1**2)
    found = problem.direction(FeedbackAlignment(), memory)
    np.testing.assert_allclose(found[0]["weights"], X.T @ d1)
    np.testing.assert_allclose(found[2]["weights"], h1.T @ d2)
    np.testing.assert_allclose(found[2]["intercept"], d2.sum(axis=0))


def test_scale_of_the_feedback(x64):
    problem = Problem([Dense(400), Tanh(), Dense(300)])
    for scale, expected in (
        (3.0, 3 / np.sqrt(300)),
        (None, flat(problem.params[2]["weights"]).std()),
    ):
        memory = problem.start(FeedbackAlignment(scale))[1]
        spread = memory[2]["feedback"]["weights"].std()
        assert spread == pytest.approx(expected, rel=0.02)


@pytest.mark.quick(1)
@pytest.mark.parametrize("scale", [None, 1.0])
def test_it_learns(scale):
    rule = FeedbackAlignment(scale, max_epochs=60)
    model = NetworkClassifier("Dense[16] Tanh Dense[16] Tanh", trainer=rule, random_state=0)
    assert model.fit(X, Y).score(X, Y) > 0.93
    assert "feedback" not in model.params_[1]


def test_layers_with_params_beside_their_weights():
    class Shifted(Dense):
        """Dense about a point of its own."""

        def init(self, rng, input_shape, data=None):
            return {**super().init(rng, input_shape, data), "point": rng.normal(size=input_shape)}

        def forward(self, params, inputs, *, rng=None):
            return super().forward(params, inputs - params["point"].astype(inputs.dtype))

    layers, rule = [Shifted(16), Tanh(), Shifted(8), Tanh()], FeedbackAlignment(max_epochs=150)
    model = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.85
    assert set(model.params_[1]) == {"weights", "intercept", "point"}
