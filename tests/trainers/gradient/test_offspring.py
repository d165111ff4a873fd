"""Rows of their own for perturbations, and directions that outlast others."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from small_network import RuleContext, flat, problem

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Dense, Tanh
from sklearn_zorb.trainers import RandomBases
from sklearn_zorb.trainers.gradient.bases_rule import SHUFFLE
from sklearn_zorb.trainers.gradient.objective import trainable

LAYERS = [Dense(4), Tanh()]

pytestmark = pytest.mark.usefixtures("x64")


class Steps:
    """Steps of a trainer at the same weights, one after the other."""

    def __init__(self, trainer, idle=()):
        import jax

        self.objective, self.params, batch = problem(LAYERS, width=3, n=24)
        weights = np.array(batch[2])
        weights[list(idle)] = 0
        self.batch = (*batch[:2], jax.numpy.asarray(weights))
        self.moved = trainable(self.objective.network, self.params)
        self.rule = trainer._rule(self.objective, self.moved)
        self.memory = trainer._memory(self.objective, self.params, self.moved, RuleContext())
        self.key = jax.random.key(4)
        self.take = jax.jit(
            lambda memory, batch: self.rule.direction(
                self.objective, self.moved, self.params, memory, batch, self.key
            )
        )

    def next(self, weights=None):
        batch = self.batch if weights is None else (*self.batch[:2], weights)
        direction, _, self.memory = self.take(self.memory, batch)
        return flat(direction)

    def directions(self):
        """The present directions, and before they are normalised."""
        keys, space = self.rule.keys(self.memory), self.rule.subspace
        return (
            np.stack([space.basis(key, np.float64) for key in keys]),
            np.stack([space.noise(key, np.float64) for key in keys]),
        )


def cross_entropy(weights, inputs, targets, shares):
    """Loss of the network of `Steps` at flat weights, in NumPy."""
    b1, w1, b2, w2 = np.split(weights, np.cumsum([4, 12, 3]))
    outputs = np.tanh(inputs @ w1.reshape(3, 4) + b1) @ w2.reshape(4, 3) + b2
    losses = np.log(np.exp(outputs).sum(axis=1)) - (targets * outputs).sum(axis=1)
    return shares @ losses / shares.sum()


# 6 offspring of 4 rows use all 24 rows once; 21 rows do not suffice; 5 are one too many each
@pytest.mark.parametrize("size, idle", [(4, ()), (4, (0, 7, 23)), (5, ()), (1, (2,)), (30, ())])
@pytest.mark.parametrize("antithetic", [False, True])
def test_every_offspring_has_rows_of_its_own(size, idle, antithetic):
    import jax

    trainer = RandomBases(
        "nes", n_directions=12 if antithetic else 6, antithetic=antithetic, transform=None,
        sigma=0.1, offspring_batch_size=size, chunk_size=4,
    )  # fmt: skip
    steps = Steps(trainer, idle)
    basis, noise = steps.directions()
    inputs, targets, shares = map(np.asarray, steps.batch)
    lot = np.asarray(jax.random.uniform(jax.random.fold_in(steps.key, SHUFFLE), (24,)))
    order = [row for row in np.argsort(lot) if row not in idle]
    start, expected, signs = flat(steps.moved), 0, (1, -1) if antithetic else (1,)
    for k in range(6):
        rows = [order[(k * size + j) % len(order)] for j in range(size)]
        for sign in signs:
            loss = cross_entropy(
                start + sign * 0.1 * noise[k], inputs[rows], targets[rows], shares[rows]
            )
            expected = expected + sign * loss * basis[k] / (0.1 * 6 * len(signs))
    np.testing.assert_allclose(steps.next(), expected)


def test_offspring_with_rows_of_their_own_learn():
    X, y = load_iris(return_X_y=True)
    rule = RandomBases(
        "nes", n_directions=50, offspring_batch_size=16, antithetic=True, batch_size=50,
        max_epochs=60,
    )  # fmt: skip
    model = NetworkClassifier("Dense[8] Tanh", trainer=rule, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8
    with pytest.raises(ValueError, match="offspring_batch_size=16 is for kind='nes'"):
        NetworkClassifier("Dense[8]", trainer=rule.set_params(kind="rbd")).fit(X, y)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"redraw_fraction": 0.01},
        {"compartments": "layer", "redraw_every": 3},
        {"top": 0.7},
        {"kind": "nes", "transform": None, "redraw_every": 3},
    ],
    ids=str,
)
def test_the_directions_of_least_use_are_drawn_anew(options, rng):
    settings = {"n_directions": 10, "redraw_fraction": 0.3, **options}
    steps = Steps(RandomBases(**settings))
    spans, every = steps.rule.subspace.spans, steps.rule.redraw_every
    n_new = max(1, round(settings["redraw_fraction"] * 10))
    used = np.zeros((10, len(spans)))
    for number in range(1, 8):
        basis, _ = steps.directions()
        step = steps.next(rng.uniform(size=24) / 24)
        # directions are independent: a step says how far it went along each
        used += np.stack(
            [np.linalg.lstsq(basis[:, a:b].T, step[a:b], rcond=None)[0] for a, b in spans], axis=1
        )
        stays = np.ones(10, dtype=bool)
        if number % every == 0:
            stays[np.argsort(np.linalg.norm(used, axis=1))[:n_new]] = False
            used[:] = 0
        after, _ = steps.directions()
        np.testing.assert_array_equal((after == basis).all(axis=1), stays)


def test_kept_directions_are_for_those_that_are_drawn_one_by_one():
    X, y = load_iris(return_X_y=True)
    for options in ({"kind": "fpd"}, {"kind": "gradients"}, {"distribution": "hadamard"}):
        rule = RandomBases(n_directions=4, redraw_fraction=0.5, **options)
        with pytest.raises(ValueError, match="redraw_fraction=0.5"):
            NetworkClassifier("Dense[3]", trainer=rule).fit(X, y)
