"""Random bases against explicit matrices of directions, and their expectations."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from small_network import RuleContext, flat, flat_params, problem

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Dense, Tanh
from sklearn_zorb.trainers import Backprop, RandomBases
from sklearn_zorb.trainers.gradient.backprop import Reverse
from sklearn_zorb.trainers.gradient.directions import draw_flat, flattened
from sklearn_zorb.trainers.gradient.objective import trainable
from sklearn_zorb.trainers.gradient.subspace import Subspace, largest, shaped

LAYERS = [Dense(4), Tanh()]

pytestmark = pytest.mark.usefixtures("x64")


def step(trainer, memory=None):
    """One step, the memory after it and the true gradient."""
    import jax

    objective, params, batch = problem(LAYERS, width=3, n=20)
    moved = trainable(objective.network, params)
    if memory is None:
        memory = trainer._memory(objective, params, moved, RuleContext())
    rule = trainer._rule(objective, moved)
    key = jax.random.key(0)
    found, aux, memory = jax.jit(
        lambda memory: rule.direction(objective, moved, params, memory, batch, key)
    )(memory)
    true = Reverse().direction(objective, moved, params, {}, batch, key)[0]
    return flat(found), memory, flat(true), rule, aux


def matrix(rule, memory):
    """The directions that a step uses, written out."""
    import jax

    key = jax.random.wrap_key_data(memory["key"])
    turn = memory["step"] // rule.redraw_every if rule.redraw_every else 0
    keys = jax.random.split(jax.random.fold_in(key, turn), rule.subspace.n_directions)
    return np.stack([rule.subspace.basis(key, np.float64) for key in keys], axis=1)


@pytest.mark.parametrize("compiled", [False, True])
def test_weights_are_flattened_in_the_order_that_they_are_cut_up_again(compiled):
    import jax
    from jax.flatten_util import ravel_pytree

    rng = np.random.default_rng(0)
    tree = [{"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}, {}, {"s": np.float64(2)}]
    with jax.enable_x64(True):
        flat = (jax.jit(flattened) if compiled else flattened)(jax.tree.map(jax.numpy.array, tree))
        np.testing.assert_array_equal(flat, ravel_pytree(tree)[0])
    np.testing.assert_array_equal(flattened([np.arange(3.0)]), [0, 1, 2])


@pytest.mark.parametrize("distribution", ["normal", "rademacher"])
@pytest.mark.parametrize("normalize", ["auto", "dimension", "unit", "tensor", "mean"])
def test_the_step_is_the_gradient_seen_through_the_directions(distribution, normalize):
    trainer = RandomBases(
        n_directions=7, distribution=distribution, normalize=normalize, chunk_size=3
    )
    found, memory, true, rule, _ = step(trainer)
    before = {**memory, "step": memory["step"] - 1}
    basis = matrix(rule, before)
    assert basis.shape == (31, 7)
    np.testing.assert_allclose(found, basis @ (basis.T @ true))
    lengths = np.linalg.norm(basis, axis=0)
    # four tensors, each part of length one, make two
    expected = {"auto": 1, "dimension": 1, "unit": 1, "tensor": 2, "mean": np.sqrt(31 / 7)}
    rtol = 0.5 if distribution == "normal" else 1e-9
    np.testing.assert_allclose(lengths, expected[normalize], rtol=rtol)


@pytest.mark.parametrize("distribution", ["rademacher", "hadamard", "sketch"])
def test_each_tensor_has_a_length_of_its_own(distribution):
    trainer = RandomBases(n_directions=6, distribution=distribution, normalize="tensor")
    found, memory, true, rule, _ = step(trainer)
    space, keys = rule.subspace, rule.keys({**memory, "step": memory["step"] - 1})
    basis = np.stack([space.combine(keys, row[:, None]) for row in np.eye(6)], axis=1)
    np.testing.assert_allclose(found, basis @ (basis.T @ true))
    # of weights that all directions share, each direction has as much as of any other tensor
    ends = np.cumsum(space.tensors)
    assert space.tensors == (4, 12, 3, 12) and ends[-1] == len(found)
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        np.testing.assert_allclose((basis[start:end] ** 2).sum(), 6)


def test_compartments_have_subspaces_of_their_own():
    found, memory, true, rule, _ = step(RandomBases(n_directions=5, compartments="layer"))
    basis = matrix(rule, {**memory, "step": 0})
    assert rule.subspace.spans == ((0, 16), (16, 31))
    for a, b in rule.subspace.spans:
        np.testing.assert_allclose(found[a:b], basis[a:b] @ (basis[a:b].T @ true[a:b]))


def test_directions_are_drawn_anew_and_fixed_ones_are_not():
    trainer = RandomBases(n_directions=3)
    first, memory, *_ = step(trainer)
    second, *_ = step(trainer, memory)
    assert not np.allclose(first, second)
    trainer = RandomBases(n_directions=3, redraw_every=2)
    steps, memory = [], None
    for _ in range(4):
        found, memory, *_ = step(trainer, memory)
        steps.append(found)
    np.testing.assert_allclose(steps[0], steps[1])
    np.testing.assert_allclose(steps[2], steps[3])
    assert not np.allclose(steps[1], steps[2])
    trainer = RandomBases("fpd", n_directions=3)
    first, memory, *_ = step(trainer)
    np.testing.assert_allclose(step(trainer, memory)[0], first)


def test_fixed_directions_keep_the_training_in_one_subspace():
    X, y = load_iris(return_X_y=True)
    steps = [
        flat_params(fit(RandomBases("fpd", n_directions=3, max_epochs=n), X, y))
        for n in range(1, 7)
    ]
    moves = np.diff(steps, axis=0)
    assert np.linalg.matrix_rank(moves, tol=1e-8) == 3
    free = [flat_params(fit(RandomBases(n_directions=3, max_epochs=n), X, y)) for n in range(1, 7)]
    assert np.linalg.matrix_rank(np.diff(free, axis=0), tol=1e-8) == 5


def fit(rule, X, y, layers="Dense[6] Tanh"):
    return NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, y)


def expectation(trainer, n):
    """Mean and standard error of the step over n independent draws."""
    import jax

    objective, params, batch = problem(LAYERS, width=3, n=20)
    moved = trainable(objective.network, params)
    rule = trainer._rule(objective, moved)

    def one(key):
        memory = {"key": jax.random.key_data(key), "step": 0}
        return rule.direction(objective, moved, params, memory, batch, key)[0]

    found = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(5), n))
    rows = np.concatenate([np.asarray(a).reshape(n, -1) for a in jax.tree.leaves(found)], axis=1)
    true = flat(Reverse().direction(objective, moved, params, {}, batch, jax.random.key(0))[0])
    return rows.mean(axis=0), rows.std(axis=0) / np.sqrt(n), true


def assert_unbiased(mean, error, true):
    assert np.mean(((mean - true) / error) ** 2) < 1 + 5 * np.sqrt(2 / len(true))
    assert np.corrcoef(mean, true)[0, 1] > 0.95


def test_expected_steps():
    mean, error, true = expectation(RandomBases(n_directions=5, normalize="mean"), 4000)
    assert_unbiased(mean, error, true)
    mean, error, true = expectation(RandomBases(n_directions=5, normalize="dimension"), 4000)
    assert_unbiased(mean, error, true * 5 / 31)


@pytest.mark.parametrize("antithetic", [False, True])
def test_evolution_strategies_estimate_the_gradient(antithetic):
    # "mean" divides by the root of d once more: the raw estimate times that root
    trainer = RandomBases(
        "nes", n_directions=10, antithetic=antithetic, transform=None, normalize="mean",
        sigma=1e-3, distribution="normal",
    )  # fmt: skip
    mean, error, true = expectation(trainer, 4000)
    objective, params, _ = problem(LAYERS, width=3, n=20)
    rule = trainer._rule(objective, trainable(objective.network, params))
    root = np.sqrt(rule.subspace.n_directions)
    if antithetic:
        assert_unbiased(mean * root, error * root, true)
    else:  # the variance of one-sided differences is far larger
        assert np.mean(((mean * root - true) / (error * root)) ** 2) < 2


def test_antithetic_pairs_are_central_differences():
    trainer = RandomBases(
        "nes", n_directions=2, antithetic=True, transform=None, normalize="unit", sigma=1e-4,
        distribution="normal",
    )  # fmt: skip
    found, memory, true, rule, _ = step(trainer)
    import jax

    key = jax.random.fold_in(jax.random.wrap_key_data(memory["key"]), 0)
    noise = np.asarray(draw_flat(jax.random.split(key, 1)[0], 31, np.float64, "normal"))
    np.testing.assert_allclose(found, (true @ noise) * noise / np.linalg.norm(noise), rtol=1e-6)


def test_past_gradients():
    X, y = load_iris(return_X_y=True)
    one = fit(RandomBases("gradients", n_directions=1, max_epochs=20), X, y)
    plain = fit(Backprop("sgd", learning_rate=0.5, max_epochs=20), X, y)
    np.testing.assert_allclose(flat_params(one), flat_params(plain))
    more = fit(RandomBases("gradients", n_directions=3, max_epochs=20, learning_rate=0.1), X, y)
    slow = fit(Backprop("sgd", learning_rate=0.1, max_epochs=20), X, y)
    assert more.history_[-1]["loss"] < slow.history_[-1]["loss"]


def test_transforms():
    values = np.array([[3.0], [-1.0], [0.0]])
    np.testing.assert_allclose(shaped(values, "ranks"), [[0.5], [-0.5], [0.0]])
    np.testing.assert_allclose(shaped(values, "range"), [[0.5], [-0.5], [-0.25]])
    np.testing.assert_allclose(largest(values, 2 / 3), [[3], [-1], [0]])


def test_all_directions_kept_change_nothing():
    trainer = RandomBases(n_directions=6)
    np.testing.assert_allclose(step(trainer)[0], step(trainer.set_params(top=1.0))[0], rtol=1e-10)


def test_signs_are_balanced_and_independent():
    import jax

    rows = np.stack(
        [
            draw_flat(k, 999, np.float64, "rademacher")
            for k in jax.random.split(jax.random.key(0), 50)
        ]
    )
    assert set(np.unique(rows)) == {-1.0, 1.0}
    assert abs(rows.mean()) < 4 / np.sqrt(rows.size)
    gram = rows @ rows.T / 999
    assert np.abs(gram - np.eye(50)).max() < 5 / np.sqrt(999)


def test_hybrid_and_diagnostics():
    X, y = load_iris(return_X_y=True)
    model = fit(RandomBases(n_directions=10, diagnostics=True, max_epochs=20), X, y)
    cosines = [entry["cosine"] for entry in model.history_]
    assert 0.1 < np.mean(cosines) < 0.7
    model = fit(RandomBases(n_directions=10, diagnostics=True, max_epochs=4, sgd_every=2), X, y)
    cosines = [entry["cosine"] for entry in model.history_]
    np.testing.assert_allclose([cosines[0], cosines[2]], 1)
    assert cosines[1] < 0.9


def test_new_bases_beat_fixed_ones():
    X, y = load_digits(return_X_y=True)
    loss = {
        kind: fit(RandomBases(kind, n_directions=50, max_epochs=10, learning_rate=2.0), X, y)
        .history_[-1]["loss"]
        for kind in ("rbd", "fpd")
    }  # fmt: skip
    assert loss["rbd"] < 0.8 * loss["fpd"]


def test_layers_without_derivative_are_for_evolution_strategies():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="no derivative"):
        fit(RandomBases(), X, y, "Dense[20] Sign")
    rule = RandomBases("nes", n_directions=50, sigma=0.1, max_epochs=150, antithetic=True)
    assert fit(rule, X, y, "Dense[20] Sign").score(X, y) > 0.8


def test_errors_name_the_parameter():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="compartments='layer'"):
        fit(RandomBases("nes", compartments="layer"), X, y)
    with pytest.raises(ValueError, match="n_directions=5"):
        fit(RandomBases("nes", n_directions=5, antithetic=True), X, y)


@pytest.mark.parametrize(
    "option",
    [
        {"kind": "rbd", "antithetic": True},
        {"kind": "gradients", "compartments": "tensor"},
        {"kind": "gradients", "transform": "ranks"},
        {"kind": "gradients", "top": 0.5},
    ],
    ids=str,
)
def test_options_that_a_kind_would_pass_over_are_refused(option):
    X, y = load_iris(return_X_y=True)
    name = list(option)[1]
    with pytest.raises(ValueError, match=f"{name}=.*kind='{option['kind']}'.*pass {name}="):
        fit(RandomBases(**option), X, y)


def test_top_keeps_the_largest_coordinates_of_evolution_strategies():
    trainer = RandomBases("nes", n_directions=4, transform=None, top=0.25, normalize="unit")
    found, memory, _, rule, _ = step(trainer)
    basis = matrix(rule, {**memory, "step": memory["step"] - 1})
    cosines = basis.T @ found / np.linalg.norm(found)
    assert np.sum(np.abs(cosines) > 1 - 1e-9) == 1


def test_offspring_without_a_loss_are_no_better_than_the_worst():
    rule = step(RandomBases("nes", n_directions=4))[3]
    losses = np.array([[1.0], [np.nan], [3.0], [2.0]])
    found = rule._from_losses(losses)[:, 0]
    # against the coordinates: what is worse is farther behind
    assert found[1] >= found[3] > found[0]
    assert np.isfinite(found).all()


def test_spans():
    tree = [{"intercept": np.zeros(2), "weights": np.zeros((3, 2))}, {}, {"weights": np.zeros(4)}]
    spans = Subspace.over(tree, "tensor", 5, "normal", "auto", 25).spans
    assert spans == ((0, 2), (2, 8), (8, 12))
