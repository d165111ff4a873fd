"""Target propagation around solved layers, inner loops and the order of updates."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from small_network import RuleContext, problem

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import (
    BatchNorm,
    Context,
    Dense,
    Dropout,
    Flatten,
    ReLU,
    Tanh,
    Trees,
)
from sklearn_zorb.targets import Targets
from sklearn_zorb.trainers import TargetPropagation
from sklearn_zorb.trainers.gradient.epoch import compiled_epoch
from sklearn_zorb.trainers.gradient.objective import trainable
from sklearn_zorb.trainers.gradient.optimizers import make_optimizer
from sklearn_zorb.trainers.target_propagation.rounds import (
    Solved,
    Steps,
    by_chunks,
    compiled_targets,
    nearest,
    solved_layers,
)

X, Y = load_iris(return_X_y=True)


pytestmark = pytest.mark.usefixtures("x64")


def one_step(trainer, layers, rate=0.1):
    """Weights before and after one batch of plain descent, and the batch."""
    import jax

    objective, params, batch = problem(layers)
    moved = trainable(objective.network, params)
    rule = trainer._rule(objective, moved)
    memory = trainer._memory(objective, params, moved, RuleContext())
    epoch, init = compiled_epoch(objective, rule, make_optimizer("sgd", None))
    block = tuple(np.asarray(a)[None] for a in batch)
    after = epoch(
        moved, {}, init(moved), memory, params, block, 1, np.array([rate]), np.ones(1),
        jax.random.key(0), np.zeros(2, dtype=np.uint32),
    )[0]  # fmt: skip
    return moved, jax.tree.map(np.asarray, after), batch


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_further_updates_keep_the_targets():
    before, after, (rows, wanted, weights) = one_step(
        TargetPropagation("gradient", n_updates=3), [Dense(5), Tanh()]
    )
    (W, b), (V, c) = ((before[i]["weights"], before[i]["intercept"]) for i in (0, 2))
    h = np.tanh(rows @ W + b)
    target = h - (softmax(h @ V + c) - wanted) @ V.T
    for _ in range(3):
        z = np.tanh(rows @ W + b)
        delta = weights[:, None] * (z - target) * (1 - z**2)
        error = weights[:, None] * (softmax(h @ V + c) - wanted)
        W, b = W - 0.1 * rows.T @ delta, b - 0.1 * delta.sum(axis=0)
        V, c = V - 0.1 * h.T @ error, c - 0.1 * error.sum(axis=0)
    np.testing.assert_allclose(after[0]["weights"], W)
    np.testing.assert_allclose(after[0]["intercept"], b)
    np.testing.assert_allclose(after[2]["weights"], V)


def test_update_first_sends_targets_through_updated_layers():
    before, after, (rows, wanted, weights) = one_step(
        TargetPropagation("gradient", order="update_first"), [Dense(5), Tanh(), Dense(4), Tanh()]
    )
    (A, a), (B, b), (V, c) = ((before[i]["weights"], before[i]["intercept"]) for i in (0, 2, 4))
    h = np.tanh(rows @ A + a)
    g = np.tanh(h @ B + b)
    error = weights[:, None] * (softmax(g @ V + c) - wanted)
    V, c = V - 0.1 * g.T @ error, c - 0.1 * error.sum(axis=0)
    top = g - (softmax(g @ V + c) - wanted) @ V.T
    delta = weights[:, None] * (g - top) * (1 - g**2)
    B, b = B - 0.1 * h.T @ delta, b - 0.1 * delta.sum(axis=0)
    z = np.tanh(h @ B + b)
    low = h - ((z - top) * (1 - z**2)) @ B.T
    delta = weights[:, None] * (h - low) * (1 - h**2)
    np.testing.assert_allclose(after[4]["weights"], V)
    np.testing.assert_allclose(after[2]["weights"], B)
    np.testing.assert_allclose(after[0]["weights"], A - 0.1 * rows.T @ delta)


def test_ridge_steps_are_their_share_of_the_solution_whatever_the_optimiser():
    from sklearn.linear_model import Ridge

    trainer = TargetPropagation(
        "gradient", update={"layer_0": "least_squares"}, update_rate=0.3, alpha_update=0.2
    )
    before, after, (rows, wanted, weights) = one_step(trainer, [Dense(5), Tanh()])
    (W, b), (V, c) = ((before[i]["weights"], before[i]["intercept"]) for i in (0, 2))
    h = np.tanh(rows @ W + b)
    change = -((softmax(h @ V + c) - wanted) @ V.T) * (1 - h**2)
    ridge = Ridge(0.2).fit(rows, change, len(weights) * weights)
    np.testing.assert_allclose(after[0]["weights"] - W, 0.3 * ridge.coef_.T)
    np.testing.assert_allclose(after[0]["intercept"] - b, 0.3 * ridge.intercept_)


def test_targets_by_several_steps_against_numpy():
    objective, params, (rows, wanted, _) = problem([Tanh()])
    V, c = params[1]["weights"], params[1]["intercept"]
    found = compiled_targets(objective, Steps(0.5, 3))(params, rows, wanted)
    for _ in range(3):
        h = np.tanh(rows)
        rows = rows - 0.5 * ((softmax(h @ V + c) - wanted) @ V.T) * (1 - h**2)
    np.testing.assert_allclose(found, rows)


@pytest.mark.parametrize("n_rows", [5, 1024, 1500, 2049])
def test_chunks_are_one_array(n_rows):
    rows = np.random.default_rng(0).normal(size=(n_rows, 2))
    found = by_chunks(lambda a, b: 2 * a + b, rows, np.arange(n_rows)[:, None], dtype=float)
    np.testing.assert_array_equal(found, 2 * rows + np.arange(n_rows)[:, None])


def test_nearest_candidate():
    rng = np.random.default_rng(0)
    found, wanted = rng.normal(size=(4, 10, 3)), rng.normal(size=(10, 3))
    chosen = nearest(Solved(Tanh(), {}), found, wanted)
    for i in range(10):
        errors = ((np.tanh(found[:, i]) - wanted[i]) ** 2).sum(axis=1)
        np.testing.assert_array_equal(chosen[i], found[errors.argmin(), i])


def test_which_layers_are_solved():
    layers = [Flatten(), Dense(3), BatchNorm(), Trees(5, units=4), Dense(2)]
    network = problem(layers)[0].network
    assert solved_layers(network, "gradient") == (3,)
    assert solved_layers(network, {"layer_4": "solve"}) == (3, 4)
    assert solved_layers(network, "solve") == (1, 3, 4)


STACKS = {
    "trees first": ([Trees(10, units=4), BatchNorm()], {"n_target_steps": 10}),
    "trees between": (
        [Dense(10), Tanh(), Trees(10, units=4), Dense(8), Tanh()],
        {"targets": {"dense_2": "gradient"}, "n_target_steps": 10},
    ),
    "update first": (
        [Dense(10), Tanh(), Trees(10, units=4), Dense(8), Tanh()],
        {"order": "update_first", "n_target_steps": 10, "n_updates": 2},
    ),
    "closed form": (
        [Dense(10), Tanh(), Dense(8), Tanh()],
        {"update": {"dense_2": "solve"}, "update_rate": 0.5},
    ),
    "two of them": (
        [Trees(10, units=4), Dense(8), Tanh(), Trees(10, units=3)],
        {"n_target_steps": 10},
    ),
    "noisy candidates": (
        [Dense(20), ReLU(), Dropout(0.2), Trees(10, units=3)],
        {"targets": "candidates", "candidates": "passes", "n_target_steps": 10},
    ),
    "normal candidates": (
        [Dense(20), ReLU(), Trees(10, units=3)],
        {"targets": {"trees_1": "candidates"}, "n_target_steps": 10},
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_networks_with_solved_layers_learn(name):
    layers, options = STACKS[name]
    rule = TargetPropagation(max_epochs=20, tol=None, learning_rate=0.03, **options)
    model = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.8
    again = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))


def test_kept_fits_hand_on_the_mean_of_what_they_had_not_seen():
    rng = np.random.default_rng(0)
    rows, wanted = rng.normal(size=(30, 2)), rng.normal(size=(2, 30, 3))
    layer = Trees(5, units=3, n_keep=2)
    params = layer.init(np.random.default_rng(1), (2,))
    solved, single = Solved(layer, params), []
    for t in wanted:
        context = Context(rng=np.random.default_rng(2))
        solved.solve(rows, t, context)
        context = Context(rng=np.random.default_rng(2))
        single.append(Trees(5, units=3).solve(params, rows, Targets(t), context).outputs)
    np.testing.assert_allclose(solved.hand_on(rows), np.mean(single, axis=0))
    later = Solved(layer, solved.params)
    assert len(later.params["estimator"].models) == 2
    later.solve(rows[:10], wanted[0][:10], Context(rng=np.random.default_rng(2)))
    assert later.hand_on(rows[:10]).shape == (10, 3)


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


def test_errors_name_the_blocks():
    layers = [Dense(4), Tanh(), Trees(5, units=3)]
    for options in ({"targets": {"trees_1": "gradient"}}, {"update": {"dense_7": "solve"}}):
        rule = TargetPropagation(**options)
        with pytest.raises(ValueError, match=r"blocks begin with \['dense_1', 'trees_1'\]"):
            NetworkClassifier(layers, trainer=rule).fit(X, Y)
