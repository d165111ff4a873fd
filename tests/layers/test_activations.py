"""Activations, their inverse targets, and initial weights."""

import numpy as np
import pytest

from sklearn_zorb.layers import (
    Cos,
    Dense,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Sign,
    Softmax,
    Step,
    Tanh,
)
from sklearn_zorb.layers.initializers import INITIALIZERS, data_pairs, initial_weights

Z = np.linspace(-3, 3, 24).reshape(6, 4)
VALUES = {
    Identity(): lambda z: z,
    Sigmoid(): lambda z: 1 / (1 + np.exp(-z)),
    Tanh(): np.tanh,
    ReLU(): lambda z: z * (z > 0),
    LeakyReLU(0.2): lambda z: np.where(z > 0, z, 0.2 * z),
    Cos(): np.cos,
    Sign(): lambda z: np.where(z < 0, -1.0, 1.0),
    Step(): lambda z: np.where(z < 0, 0.0, 1.0),
    Softmax(): lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("layer", VALUES, ids=repr)
def test_values(layer):
    np.testing.assert_allclose(layer.forward({}, Z), VALUES[layer](Z), atol=1e-14)


@pytest.mark.parametrize("layer", [Sigmoid(), Tanh(), Softmax()], ids=repr)
def test_no_overflow(layer):
    with np.errstate(over="raise", invalid="raise"):
        outputs = layer.forward({}, np.array([[-1e4, 1e4, 0.0]]))
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize("layer", [Sigmoid(), Tanh()], ids=repr)
def test_a_range_is_learned_once_and_reached(layer):
    targets = np.array([[-7.0, 2.0], [0.5, 11.0]])
    inputs, params = layer.invert({}, targets, None)
    assert (float(params["low"]), float(params["high"])) == (-7, 11)
    np.testing.assert_allclose(layer.forward(params, inputs), targets, atol=1e-9)
    beyond, kept = layer.invert(params, np.array([[-20.0, 30.0]]), None)
    assert kept is params
    np.testing.assert_allclose(layer.forward(params, beyond), [[-7, 11]], atol=1e-9)


def test_published_ends_of_the_range():
    """Targets at the ends map to logit(1e-5) and atanh(1 - 1e-5)."""
    targets = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(Sigmoid().invert({}, targets, None)[0][1], np.log(1e5 - 1))
    np.testing.assert_allclose(Tanh().invert({}, targets, None)[0][1], np.arctanh(1 - 1e-5))


@pytest.mark.parametrize("layer", [Sigmoid(), Tanh()], ids=repr)
def test_constant_targets_leave_the_range_open(layer):
    inputs, params = layer.invert({}, np.full((3, 2), 4.0), None)
    np.testing.assert_array_equal(inputs, 0)
    assert params == {}


def test_relu_negative_targets():
    targets = np.array([[-2.0, 3.0], [-1.0, -4.0]])
    before = targets.copy()
    np.testing.assert_array_equal(ReLU().invert({}, targets, None)[0], targets)
    np.testing.assert_array_equal(ReLU("zero").invert({}, targets, None)[0], targets.clip(0))
    noisy = [
        ReLU("uniform").invert({}, targets, targets, rng=np.random.default_rng(3))[0]
        for _ in range(2)
    ]
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert noisy[0][0, 1] == 3 and ((noisy[0] < 0) == (targets < 0)).all()
    assert (noisy[0][targets < 0] > -1).all()
    np.testing.assert_array_equal(targets, before)


def test_leaky_relu_inverse():
    layer = LeakyReLU(0.25)
    np.testing.assert_allclose(layer.invert({}, layer.forward({}, Z), None)[0], Z)


def test_cos_inverse_is_the_nearest_solution():
    """Against a search over many periods."""
    inputs, targets = np.array([[-9.0, 0.3, 5.0]]), np.array([[0.2, -0.9, 1.7]])
    nearest = Cos().invert({}, targets, inputs)[0]
    grid = np.linspace(-20, 20, 400001)
    for i in range(3):
        close = grid[np.abs(np.cos(grid) - np.clip(targets[0, i], -1, 1)) < 1e-4]
        best = np.abs(close - inputs[0, i]).min()
        assert abs(abs(nearest[0, i] - inputs[0, i]) - best) < 0.02


def test_softmax_inverse_keeps_the_log_sum():
    targets = Softmax().forward({}, np.sin(5 * Z))
    inputs, _ = Softmax().invert({}, targets, Z)
    np.testing.assert_allclose(Softmax().forward({}, inputs), targets, atol=1e-4)
    log_sums = [np.log(np.exp(array).sum(axis=1)) for array in (inputs, Z)]
    np.testing.assert_allclose(*log_sums, atol=1e-4)
    assert np.isfinite(Softmax().invert({}, np.eye(4), Z[:4])[0]).all()


@pytest.mark.parametrize(
    "name, variance",
    [
        ("glorot_uniform", 2 / 100),
        ("glorot", 2 / 100),
        ("glorot_normal", 2 / 100),
        ("he", 2 / 60),
        ("he_uniform", 2 / 60),
        ("he_normal", 2 / 60),
    ],
)
def test_variance_of_initial_weights(name, variance):
    weights = initial_weights(name, np.random.default_rng(0), 60, 40)
    assert weights.shape == (61, 40)
    assert weights.var() == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("shape", [(20, 8), (8, 20)])
def test_orthogonal_weights(shape):
    weights = initial_weights("orthogonal", np.random.default_rng(0), *shape)[:-1]
    small = weights.T @ weights if shape[0] > shape[1] else weights @ weights.T
    np.testing.assert_allclose(small, np.eye(8), atol=1e-12)


def test_data_pairs_cross_between_two_rows():
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    weights = data_pairs(rng, (4, 25), rows, y)
    values = np.column_stack([rows, np.ones(30)]) @ weights
    for unit in values.T:
        # some row sits at -ln 3 and its partner at ln 3
        assert np.abs(unit - np.log(3)).min() < 1e-9 and np.abs(unit + np.log(3)).min() < 1e-9


def test_data_pairs_ignore_copies_and_order():
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(12, 3)), rng.normal(size=12)
    order = rng.permutation(12)
    draws = [
        data_pairs(np.random.default_rng(5), (4, 7), *data)
        for data in (
            (rows, y),
            (rows[order], y[order]),
            (np.repeat(rows, 3, axis=0), np.repeat(y, 3)),
            (np.vstack([rows, rows[:1] + 1]), np.append(y, 9), np.append(np.ones(12), 0)),
        )
    ]
    for draw in draws[1:]:
        np.testing.assert_array_equal(draw, draws[0])


def test_data_pairs_survive_equal_rows():
    weights = data_pairs(np.random.default_rng(0), (3, 4), np.ones((5, 2)), np.arange(5))
    assert weights.shape == (3, 4) and np.isfinite(weights).all()


@pytest.mark.parametrize("bad", [np.ones((2, 2)), np.full((4, 5), np.nan)])
def test_a_bad_initialiser_is_named(bad):
    with pytest.raises(ValueError, match="initializer returned"):
        Dense(5, initializer=lambda rng, shape: bad).init(np.random.default_rng(0), (3,))


def test_every_named_initialiser_works():
    # four inputs: an image of two by two
    data = (np.random.default_rng(1).normal(size=(20, 4)), np.arange(20), None)
    for name in INITIALIZERS:
        params = Dense(5, initializer=name).init(np.random.default_rng(0), (4,), data)
        assert params["weights"].shape == (4, 5) and params["intercept"].shape == (5,)
