"""Forward gradients against reverse-mode ones, in expectation."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import minmax_scale
from small_network import Problem, flat

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import Dense, ReLU, Tanh
from sklearn_zorb.trainers import Backprop, ForwardGradient

X, Y = load_iris(return_X_y=True)


def estimates(rule, n, seed=0):
    """n independent estimates, each flattened, and the true gradient."""
    import jax

    problem = Problem([Dense(4), Tanh()], width=3, n=20)
    update, memory = problem.start(rule)

    def one(key):
        return update.direction(
            problem.objective, problem.moved, problem.params, memory, problem.batch, key
        )[0]

    trees = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(seed), n))
    rows = [np.asarray(leaf).reshape(n, -1) for leaf in jax.tree.leaves(trees)]
    return np.concatenate(rows, axis=1), flat(problem.direction(Backprop()))


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "granularity, distribution",
    [("tensor", "normal"), ("layer", "rademacher"), ("joint", "normal")],
)
def test_unbiased(granularity, distribution, x64):
    n = 5000
    found, true = estimates(ForwardGradient(granularity, distribution=distribution), n)
    error = found.mean(axis=0) - true
    deviation = found.std(axis=0) / np.sqrt(n)
    # chi-square of 31 numbers, 5 standard deviations wide
    assert np.mean((error / deviation) ** 2) < 1 + 5 * np.sqrt(2 / len(true))
    assert np.corrcoef(found.mean(axis=0), true)[0, 1] > 0.97


@pytest.mark.slow
def test_variance_falls_with_finer_directions_and_more_of_them(x64):
    spread = {
        (g, k): estimates(ForwardGradient(g, k), 2000)[0].var(axis=0).sum()
        for g, k in [("joint", 1), ("layer", 1), ("tensor", 1), ("joint", 10)]
    }
    assert spread["tensor", 1] < spread["layer", 1] < spread["joint", 1]
    assert spread["joint", 10] == pytest.approx(spread["joint", 1] / 10, rel=0.15)


@pytest.mark.parametrize("distribution", ["normal", "rademacher"])
def test_standardized_directions_never_move_the_mean_of_a_tensor(distribution, x64):
    found, true = estimates(ForwardGradient(standardize=True, distribution=distribution), 5000)
    # the first tensor is the intercept of the first layer, whose signs may all be equal
    np.testing.assert_allclose(found[:, :4].sum(axis=1), 0, atol=1e-12)
    if distribution == "normal":
        projected = true[:4] - true[:4].mean()
        np.testing.assert_allclose(found[:, :4].mean(axis=0), projected, atol=0.01)
    assert abs(true[:4].mean()) > 0.001


@pytest.mark.slow
def test_chunks_of_directions_change_nothing(x64):
    a, _ = estimates(ForwardGradient(n_directions=7, chunk_size=3), 3)
    b, _ = estimates(ForwardGradient(n_directions=7, chunk_size=7), 3)
    np.testing.assert_allclose(a, b)


def uniform(rng, shape):
    return rng.uniform(-1, 1, size=shape)


def normal(rng, shape):
    return rng.normal(size=shape)


@pytest.mark.slow
@pytest.mark.parametrize(
    "hidden, initializer, rate, threshold",
    [
        ([], normal, 0.2, 0.3),
        (
            [Dense(64, initializer=uniform), ReLU(), Dense(8, initializer=uniform), ReLU()],
            uniform, 0.05, 0.2,
        ),
    ],
    ids=["logistic", "multilayer"],
)  # fmt: skip
def test_published_protocol_on_three_species_of_flowers(hidden, initializer, rate, threshold):
    """The nets, rates and thresholds of the penguins, on a set that is always at hand."""
    rule = ForwardGradient(
        learning_rate=rate, tol_loss=threshold, max_epochs=5000, standardize=True
    )
    layers, rows = [*hidden, Dense(initializer=initializer)], minmax_scale(X)
    model = NetworkClassifier(layers, trainer=rule, standardize=False, random_state=0)
    model.fit(rows, Y)
    assert model.status_ == "converged"
    assert model.history_[-1]["loss"] <= threshold
    assert model.score(rows, Y) > 0.93


@pytest.mark.slow
def test_mini_batches_and_many_directions_come_close_to_backpropagation():
    D, d = load_digits(return_X_y=True)
    options = {"learning_rate": 0.01, "max_epochs": 10}
    rules = (ForwardGradient(n_directions=32, optimizer="adam", **options), Backprop(**options))
    ours, twin = (
        NetworkClassifier("Dense[16] ReLU", trainer=rule, random_state=0).fit(D, d).score(D, d)
        for rule in rules
    )
    assert ours > twin - 0.15


def test_what_is_refused():
    with pytest.raises(ValueError, match="ForwardGradient needs"):
        NetworkClassifier("Dense[4] Sign", trainer=ForwardGradient()).fit(X, Y)
    with pytest.raises(ValueError, match="granularity"):
        NetworkRegressor(trainer=ForwardGradient("rows")).fit(X, Y)
