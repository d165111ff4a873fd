"""Forward gradients against reverse-mode ones, in expectation."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import minmax_scale
from small_network import problem

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import Dense, ReLU, Tanh
from sklearn_zorb.trainers import Backprop, ForwardGradient
from sklearn_zorb.trainers.gradient.backprop import Reverse
from sklearn_zorb.trainers.gradient.directions import draw, groups, standardized
from sklearn_zorb.trainers.gradient.forward_gradient import Forward
from sklearn_zorb.trainers.gradient.objective import trainable


def directions(rule, n, seed=0):
    """n independent estimates, each flattened, and the true gradient."""
    import jax

    objective, params, batch = problem([Dense(4), Tanh()], width=3, n=20)
    moved = trainable(objective.network, params)

    def one(key):
        return rule.direction(objective, moved, params, {}, batch, key)[0]

    trees = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(seed), n))
    flat = np.concatenate([np.asarray(leaf).reshape(n, -1) for leaf in jax.tree.leaves(trees)], 1)
    true = Reverse().direction(objective, moved, params, {}, batch, jax.random.key(0))[0]
    return flat, np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(true)])


@pytest.mark.parametrize("granularity", ["tensor", "layer", "joint"])
@pytest.mark.parametrize("distribution", ["normal", "rademacher"])
def test_unbiased(granularity, distribution, x64):
    n = 20_000
    estimates, true = directions(Forward(granularity, 1, distribution, False, 16), n)
    error = estimates.mean(axis=0) - true
    deviation = estimates.std(axis=0) / np.sqrt(n)
    # chi-square of 31 numbers, 5 standard deviations wide
    assert np.mean((error / deviation) ** 2) < 1 + 5 * np.sqrt(2 / len(true))
    assert np.corrcoef(estimates.mean(axis=0), true)[0, 1] > 0.99


def test_variance_falls_with_finer_directions_and_more_of_them(x64):
    spread = {
        (g, k): directions(Forward(g, k, "normal", False, 10), 2000)[0].var(axis=0).sum()
        for g, k in [("joint", 1), ("layer", 1), ("tensor", 1), ("joint", 10)]
    }
    assert spread["tensor", 1] < spread["layer", 1] < spread["joint", 1]
    assert spread["joint", 10] == pytest.approx(spread["joint", 1] / 10, rel=0.15)


def test_standardized_directions_never_move_the_mean_of_a_tensor(x64):
    estimates, true = directions(Forward("tensor", 1, "normal", True, 16), 5000)
    # the first tensor is the intercept of the first layer
    np.testing.assert_allclose(estimates[:, :4].sum(axis=1), 0, atol=1e-12)
    projected = true[:4] - true[:4].mean()
    np.testing.assert_allclose(estimates[:, :4].mean(axis=0), projected, atol=0.01)
    assert abs(true[:4].mean()) > 0.001


def test_directions(x64):
    import jax

    like = [{"intercept": np.zeros(5), "weights": np.zeros((3, 5))}, {}, {"weights": np.zeros(1)}]
    v = draw(jax.random.key(0), like, "rademacher")
    assert set(np.ravel(v[0]["weights"])) == {-1.0, 1.0}
    v = draw(jax.random.key(0), like, "normal")
    assert not np.allclose(v[0]["intercept"], v[0]["weights"][0])
    scaled = standardized(v)
    assert float(scaled[0]["weights"].std(ddof=1)) == pytest.approx(1, rel=1e-5)
    assert float(scaled[2]["weights"][0]) == float(v[2]["weights"][0])
    assert groups(like, "joint") == ([0, 0, 0], 1)
    assert groups(like, "layer") == ([0, 0, 1], 2)
    assert groups(like, "tensor") == ([0, 1, 2], 3)


def test_signs_that_are_all_equal_are_no_direction_when_standardized(x64):
    v = [{"intercept": np.ones(3), "weights": np.array([[1.0, -1.0]])}]
    scaled = standardized(v)
    np.testing.assert_array_equal(scaled[0]["intercept"], 0)
    np.testing.assert_allclose(scaled[0]["weights"], [[np.sqrt(0.5), -np.sqrt(0.5)]])
    X, y = load_iris(return_X_y=True)
    rule = ForwardGradient(distribution="rademacher", standardize=True, max_epochs=50)
    model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    assert model.status_ == "max_epochs"


def test_chunks_of_directions_change_nothing(x64):
    a, _ = directions(Forward("tensor", 7, "normal", False, 3), 3)
    b, _ = directions(Forward("tensor", 7, "normal", False, 7), 3)
    np.testing.assert_allclose(a, b)


@pytest.mark.parametrize(
    "layers, rate, threshold", [("logistic", 0.2, 0.3), ("multilayer", 0.05, 0.2)]
)
def test_published_protocol_on_three_species_of_flowers(layers, rate, threshold):
    """The nets, rates and thresholds of the penguins, on a set that is always at hand."""
    X, y = load_iris(return_X_y=True)
    X = minmax_scale(X)
    hidden, initializer = [], lambda rng, shape: rng.normal(size=shape)
    if layers == "multilayer":
        initializer = uniform
        hidden = [Dense(64, initializer=uniform), ReLU(), Dense(8, initializer=uniform), ReLU()]
    rule = ForwardGradient(
        learning_rate=rate, tol_loss=threshold, max_epochs=5000, standardize=True
    )
    model = NetworkClassifier(
        [*hidden, Dense(initializer=initializer)], trainer=rule, standardize=False, random_state=0
    ).fit(X, y)
    assert model.status_ == "converged"
    assert model.history_[-1]["loss"] <= threshold
    assert model.score(X, y) > 0.93


def uniform(rng, shape):
    return rng.uniform(-1, 1, size=shape)


def test_mini_batches_and_many_directions_come_close_to_backpropagation():
    X, y = load_digits(return_X_y=True)
    rule = ForwardGradient(n_directions=32, optimizer="adam", learning_rate=0.01, max_epochs=10)
    model = NetworkClassifier("Dense[16] ReLU", trainer=rule, random_state=0).fit(X, y)
    back = Backprop(learning_rate=0.01, max_epochs=10)
    twin = NetworkClassifier("Dense[16] ReLU", trainer=back, random_state=0).fit(X, y)
    assert model.score(X, y) > twin.score(X, y) - 0.15


def test_steps_are_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="ForwardGradient needs"):
        NetworkClassifier("Dense[4] Sign", trainer=ForwardGradient()).fit(X, y)
    with pytest.raises(ValueError, match="granularity"):
        NetworkRegressor(trainer=ForwardGradient("rows")).fit(X, y)
