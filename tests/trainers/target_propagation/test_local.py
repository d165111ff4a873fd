"""Targets of blocks and the steps that meet them, against backpropagation, NumPy and ridges."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import Ridge
from small_network import Problem, flat, hand

from sklearn_zorb.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    GaussianNoise,
    ReLU,
    Reshape,
    Skip,
    Tanh,
)
from sklearn_zorb.trainers import Backprop, TargetPropagation
from sklearn_zorb.trainers.gradient.epoch import compiled_epoch
from sklearn_zorb.trainers.gradient.optimizers import make_optimizer
from sklearn_zorb.trainers.target_propagation.local import Pass
from sklearn_zorb.trainers.target_propagation.target_rules import by_difference, by_reconstruction

pytestmark = pytest.mark.usefixtures("x64")
TWO = [Dense(5), Tanh(), Dense(4), Tanh()]


def start(trainer, layers, **more):
    """The problem, one pass of its batch, and the memory of the rule."""
    problem = Problem(layers, **more)
    update, memory = problem.start(trainer)
    run = Pass(
        update, problem.objective, problem.params, memory["reverse"], problem.batch, problem.key
    )
    return problem, run, memory


STACKS = {
    "dense": [Dense(5), Tanh(), Dense(6), Tanh(), Dense(4), ReLU()],
    "norm": [Dense(5), BatchNorm(), Tanh(), Dense(4), BatchNorm(), Tanh()],
    "conv": [Reshape((2, 2, 1)), Conv2D(2, 2, padding="same"), Tanh(), Flatten(), Dense(4), Tanh()],
}


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", STACKS)
def test_gradient_targets_are_backpropagation(name):
    problem = Problem(STACKS[name])
    found = problem.direction(TargetPropagation("gradient"))
    true = problem.direction(Backprop())
    if name == "norm":
        # row by row, the batch moments aside: targets of rows do not know of one another
        assert np.isfinite(flat(found)).all()
        true, found = true[-1], found[-1]
    np.testing.assert_allclose(flat(found), flat(true), atol=1e-12)


@pytest.mark.quick(1)
@pytest.mark.parametrize("units, delta", [(3, True), (8, False)])
def test_least_squares_targets_against_numpy(units, delta):
    trainer = TargetPropagation(alpha=0.1, delta=delta)
    problem, run, _ = start(trainer, [Dense(5), Tanh(), Dense(units), Tanh()])
    (_, (W, b), _), _ = hand(problem)
    lower, upper = run.targets()
    h = np.asarray(run.states[1])
    u = h @ W + b
    change = -(np.tanh(u) - np.asarray(upper)) * (1 - np.tanh(u) ** 2)
    wanted = change if delta else change + h @ W
    # ridge as least squares with extra rows
    rows = np.vstack([W.T, np.sqrt(0.1) * np.eye(5)])
    goal = np.vstack([wanted.T, np.zeros((5, len(h)))])
    solution = np.linalg.lstsq(rows, goal)[0].T
    np.testing.assert_allclose(lower, h + solution if delta else solution)


def test_the_last_target_moves_against_the_loss():
    problem, run, _ = start(
        TargetPropagation(target_rate=0.5, n_target_steps=2), [Dense(5), Tanh()]
    )
    (_, (V, c)), (_, T, _) = hand(problem)
    expected = np.asarray(run.states[1])
    for _ in range(2):
        expected = expected - 0.5 * (softmax(expected @ V + c, axis=1) - T) @ V.T
    np.testing.assert_allclose(run.targets()[0], expected)


def test_least_squares_updates_against_weighted_ridge():
    trainer = TargetPropagation(update="least_squares", alpha_update=0.3)
    problem, run, memory = start(trainer, [Dense(5), Tanh(), Dense(4)])
    found = problem.direction(trainer)
    h, weights = np.asarray(run.states[1]), np.asarray(problem.batch[2])
    missing = np.asarray(run.targets()[1]) - np.asarray(run.states[2])
    ridge = Ridge(0.3).fit(h, missing, sample_weight=weights * len(h))
    np.testing.assert_allclose(-found[2]["weights"], ridge.coef_.T, atol=1e-10)
    np.testing.assert_allclose(-found[2]["intercept"], ridge.intercept_, atol=1e-10)
    # rows that fill up a batch do not thin the ridge
    filled = tuple(np.concatenate([a, np.zeros((8, *a.shape[1:]))]) for a in problem.batch)
    other = problem.follow(problem.start(trainer)[0], memory, filled)[0]
    np.testing.assert_allclose(flat(other), flat(found), atol=1e-12)


@pytest.mark.quick(1)
@pytest.mark.parametrize("options", [{}, {"reverse_units": 12}, {"tie": True}, {"noise": 0.05}])
def test_inverses_learn_to_reconstruct(options):
    import jax

    trainer = TargetPropagation("reconstruction", reverse_rate=0.02, **options)
    problem, run, memory = start(trainer, [Dense(3), Tanh(), Dense(8), Tanh()], n=30)
    update = problem.start(trainer)[0]
    step = jax.jit(lambda memory: problem.follow(update, memory)[2])
    first = float(run.reverse_loss(memory["reverse"], run.targets()))
    for _ in range(150):
        memory = step(memory)
    last = float(run.reverse_loss(memory["reverse"], run.targets()))
    assert last < (0.6 if options.get("tie") else 0.3) * first


def test_difference_leaves_a_met_target_alone():
    _, run, _ = start(TargetPropagation("difference"), TWO)
    np.testing.assert_allclose(by_difference(run, 1, run.states[2]), run.states[1])
    assert not np.allclose(by_reconstruction(run, 1, run.states[2]), run.states[1])


@pytest.mark.quick(1)
@pytest.mark.parametrize("candidates", ["normal", "passes"])
def test_candidates_never_make_a_row_worse(candidates):
    trainer = TargetPropagation(
        "candidates", n_candidates=6, candidates=candidates, candidate_spread=0.5
    )
    layers = [Dense(5), Tanh(), GaussianNoise(0.5), Dense(4), Tanh()]
    problem, run, _ = start(trainer, layers, n=30)
    (_, (W, b), _), _ = hand(problem)
    lower, upper = run.targets()

    def error(rows):
        return ((np.tanh(np.asarray(rows) @ W + b) - np.asarray(upper)) ** 2).sum(axis=1)

    assert (error(lower) <= error(run.states[1]) + 1e-12).all()
    assert (error(lower) < error(run.states[1]) - 1e-3).any()


def test_only_inverses_of_dense_outputs_are_tied():
    # a block that ends wider than the weights with which it begins
    blocks = [Dense(5), Tanh(), Dense(4), Skip([Tanh()]), Dense(3), Tanh()]
    memory = start(TargetPropagation("difference", tie=True), blocks)[2]
    assert memory["reverse"]["1"]["weights"].shape == (8, 5)
    assert set(memory["reverse"]["2"]) == {"intercept"}


def one_step(trainer, layers, rate=0.1):
    """Weights before and after one batch of plain descent, and the batch."""
    import jax

    problem = Problem(layers)
    update, memory = problem.start(trainer)
    epoch, init = compiled_epoch(problem.objective, update, make_optimizer("sgd", None))
    block = tuple(np.asarray(a)[None] for a in problem.batch)
    moments = [{} for _ in problem.params]
    after = epoch(
        problem.moved, moments, init(problem.moved), memory, problem.params, block, 1,
        np.array([rate]), np.ones(1), jax.random.key(0), np.zeros(2, dtype=np.uint32),
    )[0]  # fmt: skip
    pairs, batch = hand(problem)
    return pairs, [moved for moved in jax.tree.map(np.asarray, after) if moved], batch


def test_further_updates_keep_the_targets():
    ((W, b), (V, c)), after, (rows, wanted, weights) = one_step(
        TargetPropagation("gradient", n_updates=3), [Dense(5), Tanh()]
    )
    h = np.tanh(rows @ W + b)
    target = h - (softmax(h @ V + c, axis=1) - wanted) @ V.T
    for _ in range(3):
        z = np.tanh(rows @ W + b)
        delta = weights[:, None] * (z - target) * (1 - z**2)
        error = weights[:, None] * (softmax(h @ V + c, axis=1) - wanted)
        W, b = W - 0.1 * rows.T @ delta, b - 0.1 * delta.sum(axis=0)
        V, c = V - 0.1 * h.T @ error, c - 0.1 * error.sum(axis=0)
    np.testing.assert_allclose(after[0]["weights"], W)
    np.testing.assert_allclose(after[0]["intercept"], b)
    np.testing.assert_allclose(after[1]["weights"], V)


def test_update_first_sends_targets_through_updated_layers():
    ((A, a), (B, b), (V, c)), after, (rows, wanted, weights) = one_step(
        TargetPropagation("gradient", order="update_first"), TWO
    )
    h = np.tanh(rows @ A + a)
    g = np.tanh(h @ B + b)
    error = weights[:, None] * (softmax(g @ V + c, axis=1) - wanted)
    V, c = V - 0.1 * g.T @ error, c - 0.1 * error.sum(axis=0)
    top = g - (softmax(g @ V + c, axis=1) - wanted) @ V.T
    delta = weights[:, None] * (g - top) * (1 - g**2)
    B, b = B - 0.1 * h.T @ delta, b - 0.1 * delta.sum(axis=0)
    z = np.tanh(h @ B + b)
    low = h - ((z - top) * (1 - z**2)) @ B.T
    delta = weights[:, None] * (h - low) * (1 - h**2)
    np.testing.assert_allclose(after[2]["weights"], V)
    np.testing.assert_allclose(after[1]["weights"], B)
    np.testing.assert_allclose(after[0]["weights"], A - 0.1 * rows.T @ delta)


def test_ridge_steps_are_their_share_of_the_solution_whatever_the_optimiser():
    trainer = TargetPropagation(
        "gradient", update={"layer_0": "least_squares"}, update_rate=0.3, alpha_update=0.2
    )
    ((W, b), (V, c)), after, (rows, wanted, weights) = one_step(trainer, [Dense(5), Tanh()])
    h = np.tanh(rows @ W + b)
    change = -((softmax(h @ V + c, axis=1) - wanted) @ V.T) * (1 - h**2)
    ridge = Ridge(0.2).fit(rows, change, len(weights) * weights)
    np.testing.assert_allclose(after[0]["weights"] - W, 0.3 * ridge.coef_.T)
    np.testing.assert_allclose(after[0]["intercept"] - b, 0.3 * ridge.intercept_)
