"""Random bases against explicit matrices of directions, and their expectations."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.datasets import load_iris
from small_network import Problem, flat, flat_params, hand

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Dense, Tanh
from sklearn_zorb.trainers import Backprop, RandomBases

pytestmark = pytest.mark.usefixtures("x64")
X, Y = load_iris(return_X_y=True)


def problem():
    return Problem([Dense(4), Tanh()], width=3, n=20)


def directions(update, memory):
    """The directions that a step uses, one a row."""
    import jax

    keys, space = update.keys(memory), update.subspace
    return np.asarray(jax.jit(jax.vmap(lambda row: space.combine(keys, row)))(np.eye(len(keys))))


def fit(rule, layers="Dense[6] Tanh"):
    return NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "kind, distribution", [("rbd", "rademacher"), ("fpd", "rademacher"), ("rbd", "sketch")]
)
def test_the_step_is_the_gradient_seen_through_the_directions(kind, distribution):
    here = problem()
    update, memory = here.start(RandomBases(kind, 7, distribution))
    basis, true = directions(update, memory), flat(here.direction(Backprop()))
    assert basis.shape == (7, 31)
    first, _, memory = here.follow(update, memory)
    np.testing.assert_allclose(flat(first), (basis @ true) @ basis, atol=1e-12)
    second = here.follow(update, memory)[0]
    assert np.allclose(flat(first), flat(second)) == (kind == "fpd")


@pytest.mark.slow
def test_fixed_directions_keep_the_training_in_one_subspace():
    ranks = {}
    for kind in ("fpd", "rbd"):
        steps = [flat_params(fit(RandomBases(kind, 3, max_epochs=n))) for n in range(1, 7)]
        ranks[kind] = np.linalg.matrix_rank(np.diff(steps, axis=0), tol=1e-8)
    assert ranks == {"fpd": 3, "rbd": 5}


def cross_entropy(weights, inputs, targets, shares):
    """Loss of the network of `problem` at flat weights, in NumPy."""
    b1, w1, b2, w2 = np.split(weights, np.cumsum([4, 12, 3]))
    outputs = np.tanh(inputs @ w1.reshape(3, 4) + b1) @ w2.reshape(4, 3) + b2
    losses = np.log(np.exp(outputs).sum(axis=1)) - (targets * outputs).sum(axis=1)
    return shares @ losses


@pytest.mark.quick(1)
@pytest.mark.parametrize("antithetic", [False, True])
def test_evolution_strategies_rank_losses_around_the_weights(antithetic):
    here = problem()
    update, memory = here.start(RandomBases("nes", 12, antithetic=antithetic, sigma=0.1))
    basis, (_, batch), start = directions(update, memory), hand(here), flat(here.moved)
    signs = (1, -1) if antithetic else (1,)
    assert len(basis) == 12 / len(signs)
    # directions have the length one, perturbations that of their entries, signs
    losses = [
        [cross_entropy(start + sign * 0.1 * np.sqrt(31) * v, *batch) for v in basis]
        for sign in signs
    ]
    ranks = rankdata(losses).reshape(len(signs), -1) - 1
    coordinates = np.array(signs) @ (ranks / 11 - 0.5) / (0.1 * 12)
    found = here.follow(update, memory)[0]
    np.testing.assert_allclose(flat(found), coordinates @ basis, atol=1e-12)


def test_offspring_without_a_loss_are_no_better_than_the_worst():
    update, _ = problem().start(RandomBases("nes", 4))
    found = update.coordinates_of(np.array([[1.0], [np.nan], [3.0], [2.0]]))
    # against the coordinates: what is worse is farther behind
    assert found[1] >= found[3] > found[0]
    assert np.isfinite(found).all()


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "rule",
    [
        RandomBases(n_directions=40), RandomBases("nes", 50), RandomBases("gradients", 5),
        RandomBases("fpd", 40, "sketch", normalize="tensor", learning_rate=0.1),
    ],
    ids=repr,
)  # fmt: skip
def test_it_learns(rule):
    assert fit(rule, "Dense[16] Tanh").score(X, Y) > 0.85


def test_the_last_gradients_as_a_basis_contain_the_present_one():
    one, plain = (
        fit(rule)
        for rule in (
            RandomBases("gradients", 1, max_epochs=10),
            Backprop("sgd", learning_rate=0.5, max_epochs=10, tol=None),
        )
    )
    np.testing.assert_allclose(flat_params(one), flat_params(plain))
    more = fit(RandomBases("gradients", 3, max_epochs=10, learning_rate=0.1))
    slow = fit(Backprop("sgd", learning_rate=0.1, max_epochs=10, tol=None))
    assert more.history_[-1]["loss"] < slow.history_[-1]["loss"]


def test_diagnostics_tell_the_cosine_with_the_gradient():
    here = problem()
    update, memory = here.start(RandomBases(n_directions=10, diagnostics=True))
    step, aux, _ = here.follow(update, memory)
    step, true = flat(step), flat(here.direction(Backprop()))
    expected = step @ true / np.linalg.norm(step) / np.linalg.norm(true)
    assert float(aux["figures"]["cosine"]) == pytest.approx(expected)
    model = fit(RandomBases("nes", 10, diagnostics=True, max_epochs=2))
    assert -1 < model.history_[0]["cosine"] < 1


def test_layers_without_derivative_are_for_evolution_strategies():
    with pytest.raises(ValueError, match="no derivative"):
        fit(RandomBases(), "Dense[20] Sign")
    rule = RandomBases("nes", 50, sigma=0.1, max_epochs=100, antithetic=True)
    assert fit(rule, "Dense[20] Sign").score(X, Y) > 0.8


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kind": "nes", "n_directions": 5, "antithetic": True}, "n_directions=5"),
        ({"antithetic": True}, "antithetic=True is not for kind='rbd'.*antithetic=False"),
        ({"kind": "nes", "distribution": "sketch"}, "distribution='sketch' has products with all"),
        ({"distribution": "sketch"}, "n_directions=250.*has 51 weights only"),
        ({"distribution": "hadamard"}, "'distribution' parameter"),
    ],
    ids=str,
)
def test_errors_name_the_parameter(options, message):
    with pytest.raises(ValueError, match=message):
        fit(RandomBases(**options))
