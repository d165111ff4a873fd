"""Target propagation around solved layers, in either order of updates."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import BatchNorm, Dense, Dropout, ReLU, Tanh, Trees
from sklearn_zorb.trainers import TargetPropagation

X, Y = load_iris(return_X_y=True)


STEPS = {"n_target_steps": 10}
STACKS = {
    "reconstruction": ([Trees(10, units=4), BatchNorm()], {"targets": "reconstruction", **STEPS}),
    "update first": (
        [Dense(10), Tanh(), Trees(10, units=4), Dense(8), Tanh()],
        {"order": "update_first", "n_updates": 2, "targets": {"dense_2": "gradient"}, **STEPS},
    ),
    "closed form": (
        [Dense(10), Tanh(), Dense(8), Tanh()], {"update": {"dense_2": "solve"}, "update_rate": 0.5},
    ),
    "two of them": ([Trees(10, units=4), Dense(8), Tanh(), Trees(10, units=3)], STEPS),
    "noisy candidates": (
        [Dense(20), ReLU(), Dropout(0.2), Trees(10, units=3)],
        {"targets": "candidates", "candidates": "passes", **STEPS},
    ),
    "normal candidates": (
        [Dense(20), ReLU(), Trees(10, units=3)], {"targets": {"trees_1": "candidates"}, **STEPS},
    ),
}  # fmt: skip


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", STACKS)
def test_networks_with_solved_layers_learn(name):
    layers, options = STACKS[name]
    rule = TargetPropagation(max_epochs=12, tol=None, learning_rate=0.03, **options)
    model = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.8
    if name == "noisy candidates":
        again = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)
        np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))


@pytest.mark.slow
def test_early_stopping_weights_and_partial_fit():
    layers = [Dense(10), Tanh(), Trees(10, units=4), BatchNorm()]
    options = {"n_target_steps": 10, "learning_rate": 0.03}
    rule = TargetPropagation(max_epochs=10, early_stopping=True, **options)
    model = NetworkClassifier(layers, trainer=rule, random_state=0)
    model.fit(X, Y, sample_weight=np.linspace(0.5, 2, len(X)))
    assert "validation_loss" in model.history_[0] and model.score(X, Y) > 0.85
    model = NetworkClassifier(layers, trainer=TargetPropagation(**options), random_state=0)
    for _ in range(12):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    assert model.score(X, Y) > 0.9
    losses = [entry["loss"] for entry in model.history_]
    assert losses[-1] < 0.7 * losses[0]


def test_regression():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 3))
    y = np.sign(rows[:, 0]) + rows[:, 1]
    rule = TargetPropagation(max_epochs=15, n_target_steps=10, learning_rate=0.03, tol=None)
    model = NetworkRegressor([Trees(20, units=4), BatchNorm()], trainer=rule, random_state=0)
    assert model.fit(rows, y).score(rows, y) > 0.8
