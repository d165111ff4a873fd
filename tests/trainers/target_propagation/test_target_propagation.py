"""Target propagation against backpropagation, least squares and direct search."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from small_network import RuleContext, problem

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    ReLU,
    Reshape,
    Skip,
    Tanh,
    Trees,
)
from sklearn_zorb.trainers import TargetPropagation
from sklearn_zorb.trainers.gradient.backprop import Reverse
from sklearn_zorb.trainers.gradient.objective import trainable
from sklearn_zorb.trainers.target_propagation.candidates import around, best
from sklearn_zorb.trainers.target_propagation.local import _Pass

pytestmark = pytest.mark.usefixtures("x64")


def start(trainer, layers, **more):
    import jax

    objective, params, batch = problem(layers, **more)
    moved = trainable(objective.network, params)
    rule = trainer._rule(objective, moved)
    memory = trainer._memory(objective, params, moved, RuleContext())
    key = jax.random.key(0)
    step = jax.jit(
        lambda moved, memory: rule.direction(objective, moved, params, memory, batch, key)
    )
    run = _Pass(rule, objective, params, memory["reverse"], batch, key)
    return step, run, moved, memory, (objective, params, batch, key)


STACKS = {
    "dense": [Dense(5), Tanh(), Dense(6), Tanh(), Dense(4), ReLU()],
    "norm": [Dense(5), BatchNorm(), Tanh(), Dense(4), BatchNorm(), Tanh()],
    "conv": [Reshape((2, 2, 1)), Conv2D(2, 2, padding="same"), Tanh(), Flatten(), Dense(4), Tanh()],
}


@pytest.mark.parametrize("name", STACKS)
def test_gradient_targets_are_backpropagation(name):
    import jax

    step, _, moved, memory, (objective, params, batch, key) = start(
        TargetPropagation("gradient"), STACKS[name]
    )
    found = step(moved, memory)[0]
    true = Reverse().direction(objective, moved, params, {}, batch, key)[0]
    if name == "norm":
        # row by row, the batch moments aside: targets of rows do not know of one another
        assert np.isfinite(np.ravel(found[0]["weights"])).all()
        true, found = true[-1], found[-1]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), found, true)


@pytest.mark.parametrize("units", [3, 8])
@pytest.mark.parametrize("delta", [True, False])
def test_least_squares_targets_against_numpy(units, delta):
    trainer = TargetPropagation(alpha=0.1, delta=delta)
    _, run, *_ = start(trainer, [Dense(5), Tanh(), Dense(units), Tanh()])
    lower, upper = run.targets()
    W = np.asarray(run.params[2]["weights"])
    h, u = np.asarray(run.states[1]), None
    u = h @ W + np.asarray(run.params[2]["intercept"])
    change = -(np.tanh(u) - np.asarray(upper)) * (1 - np.tanh(u) ** 2)
    wanted = change if delta else change + h @ W
    # ridge as least squares with extra rows
    rows = np.vstack([W.T, np.sqrt(0.1) * np.eye(5)])
    goal = np.vstack([wanted.T, np.zeros((5, len(h)))])
    solution = np.linalg.lstsq(rows, goal)[0].T
    np.testing.assert_allclose(lower, h + solution if delta else solution)


def test_top_target_moves_against_the_loss():
    _, run, *_ = start(TargetPropagation(target_rate=0.5), [Dense(5), Tanh()])
    W, b = (np.asarray(run.params[2][k]) for k in ("weights", "intercept"))
    z = np.asarray(run.states[1]) @ W + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = np.asarray(run.states[1]) - 0.5 * (p - run.wanted) @ W.T
    np.testing.assert_allclose(run.targets()[0], expected)


def test_solved_updates_against_weighted_ridge():
    from sklearn.linear_model import Ridge

    trainer = TargetPropagation(update="least_squares", alpha_update=0.3)
    step, run, moved, memory, (_, _, batch, _) = start(trainer, [Dense(5), Tanh(), Dense(4)])
    found = step(moved, memory)[0]
    target = run.targets()[1]
    h = np.asarray(run.states[1])
    missing = np.asarray(target) - np.asarray(run.states[2])
    ridge = Ridge(0.3).fit(h, missing, sample_weight=batch[2] * len(h))
    np.testing.assert_allclose(-found[2]["weights"], ridge.coef_.T, atol=1e-10)
    np.testing.assert_allclose(-found[2]["intercept"], ridge.intercept_, atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"reverse_units": 12}, {"tie": True}, {"noise": 0.05}])
def test_inverses_learn_to_reconstruct(options):
    trainer = TargetPropagation("reconstruction", reverse_rate=0.02, **options)
    step, run, moved, memory, _ = start(trainer, [Dense(3), Tanh(), Dense(8), Tanh()], n=30)
    first = float(run.reverse_loss(memory["reverse"], run.targets()))
    for _ in range(300):
        _, _, memory = step(moved, memory)
    rule = run.rule
    last = float(run.reverse_loss(memory["reverse"], run.targets()))
    assert rule.rules == ("reconstruction",) * 2
    assert last < (0.5 if options.get("tie") else 0.2) * first


def test_difference_leaves_a_met_target_alone():
    _, run, *_ = start(TargetPropagation("difference"), [Dense(5), Tanh(), Dense(4), Tanh()])
    from sklearn_zorb.trainers.target_propagation.target_rules import (
        by_difference,
        by_reconstruction,
    )

    np.testing.assert_allclose(by_difference(run, 1, run.states[2]), run.states[1])
    assert not np.allclose(by_reconstruction(run, 1, run.states[2]), run.states[1])


def test_candidates_never_make_a_row_worse():
    import jax

    rows = np.random.default_rng(0).normal(size=(20, 3))

    def error(x):
        return (x**2).sum(axis=1)

    found = around(jax.numpy.asarray(rows), jax.random.key(0), 6, 0.5)
    assert found.shape == (6, 20, 3)
    chosen = np.asarray(best(found, error))
    assert (error(chosen) <= error(rows)).all() and (error(chosen) < error(rows)).any()
    brute = np.stack([found[:, i][np.argmin((found[:, i] ** 2).sum(1))] for i in range(20)])
    np.testing.assert_allclose(chosen, brute)


RULES = [
    TargetPropagation("gradient", max_epochs=60),
    TargetPropagation(max_epochs=60),
    TargetPropagation(delta=False, alpha=0.01, max_epochs=100),
    TargetPropagation("difference", reverse_rate=0.01, max_epochs=60),
    TargetPropagation("reconstruction", reverse_rate=0.01, max_epochs=60, regularize=0.1),
    TargetPropagation("difference", alternate_every=5, reverse_rate=0.01, max_epochs=100),
    TargetPropagation("candidates", max_epochs=60, n_candidates=4),
    TargetPropagation({"dense_2": "gradient"}, max_epochs=60),
    TargetPropagation(
        update="least_squares", optimizer="sgd", learning_rate=0.1, alpha_update=1.0, max_epochs=60
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_they_learn(rule):
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier("Dense[16] Tanh Dense[16] Tanh", trainer=rule, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9


def test_steps_and_stochastic_layers():
    X, y = load_iris(return_X_y=True)
    rule = TargetPropagation("candidates", max_epochs=100, tol=None)
    model = NetworkClassifier("Dense[30] Sign Dense[30] Sign", trainer=rule, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9
    rule = TargetPropagation("candidates", candidates="passes", max_epochs=100, tol=None)
    layers = [Dense(30), Tanh(), Dropout(0.2), Dense(30), Tanh()]
    assert NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, y).score(X, y) > 0.9


def test_regression_and_error_reduction():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    rule = TargetPropagation(diagnostics=True, max_epochs=100)
    model = NetworkRegressor("Dense[20] Tanh Dense[20] Tanh", trainer=rule, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.7
    entry = model.history_[0]
    assert {"error_reduction", "local_reduction_1", "local_reduction_2"} <= set(entry)
    losses = [e["loss"] for e in model.history_]
    reductions = [e["error_reduction"] for e in model.history_]
    np.testing.assert_allclose(-np.diff(losses), reductions[:-1], atol=1e-10)


def test_rows_that_fill_up_a_batch_do_not_thin_the_ridge():
    import jax

    trainer = TargetPropagation(update="least_squares", alpha_update=1.0)
    _, _, moved, memory, (objective, params, batch, key) = start(trainer, [Dense(5), Tanh()])
    rule = trainer._rule(objective, moved)
    filled = tuple(
        jax.numpy.concatenate([a, jax.numpy.zeros((8, *a.shape[1:]), a.dtype)]) for a in batch
    )
    one, other = (
        rule.direction(objective, moved, params, memory, rows, key)[0] for rows in (batch, filled)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), one, other)


def test_layers_without_derivative_are_refused_where_errors_pass():
    class Rounded(Layer):
        differentiable = False
        needs_inputs = False

        def forward(self, params, inputs, *, rng=None):
            return inputs.round()

    X, y = load_iris(return_X_y=True)
    rule = TargetPropagation(max_epochs=2)
    for layers in ([Dense(4), Rounded()], [Trees(3), Rounded(), Dense(4)]):
        model = NetworkClassifier(layers, trainer=rule, random_state=0)
        with pytest.raises(ValueError, match=r"'rounded_1'.*no derivative.*ZORB"):
            model.fit(X, y)
    # nothing learns from what passes through it here
    NetworkClassifier([Rounded(), Dense(4), Tanh()], trainer=rule, random_state=0).fit(X, y)


def test_only_inverses_of_dense_outputs_are_tied():
    X, y = load_iris(return_X_y=True)
    rule = TargetPropagation("difference", tie=True, max_epochs=5)
    # a block that ends wider than the weights with which it begins
    layers = "Dense[9] Tanh Dense[8] Skip(Tanh) Dense[6] Tanh"
    model = NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, y)
    assert len(model.history_) == 5
    blocks = [Dense(5), Tanh(), Dense(4), Skip([Tanh()]), Dense(3), Tanh()]
    memory = start(TargetPropagation("difference", tie=True), blocks)[3]
    assert memory["reverse"]["1"]["weights"].shape == (8, 5)
    assert set(memory["reverse"]["2"]) == {"intercept"}


def test_errors_name_the_parameter():
    X, y = load_iris(return_X_y=True)
    rule = TargetPropagation({"dense_9": "gradient"})
    with pytest.raises(ValueError, match="blocks begin with"):
        NetworkClassifier("Dense[4] Tanh", trainer=rule).fit(X, y)
    with pytest.raises(ValueError, match="hidden layer with weights"):
        NetworkClassifier("Tanh", trainer=TargetPropagation()).fit(X, y)
