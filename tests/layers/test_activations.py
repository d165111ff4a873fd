"""Activations and their inverse targets."""

import numpy as np
import pytest
from layer_calls import inverted

from sklearn_zorb import parse_layers
from sklearn_zorb.layers import Cos, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh

Z = np.linspace(-3, 3, 24).reshape(6, 4)
VALUES = {
    "Identity": lambda z: z, "Sigmoid": lambda z: 1 / (1 + np.exp(-z)), "Tanh": np.tanh,
    "ReLU": lambda z: z * (z > 0), "LeakyReLU[0.2]": lambda z: np.where(z > 0, z, 0.2 * z),
    "Cos": np.cos, "Sign": lambda z: np.where(z < 0, -1.0, 1.0),
    "Power[.25]": lambda z: np.sign(z) * np.abs(z) ** 0.25,
    "Step": lambda z: np.where(z < 0, 0.0, 1.0),
    "Softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}  # fmt: skip
RANGED = pytest.mark.parametrize("layer", [Sigmoid(), Tanh()], ids=repr)


def test_values():
    for text, expected in VALUES.items():
        (layer,) = parse_layers(text)
        np.testing.assert_allclose(layer.forward({}, Z), expected(Z), atol=1e-14, err_msg=text)


def test_no_overflow():
    for layer in (Sigmoid(), Tanh(), Softmax()):
        with np.errstate(over="raise", invalid="raise"):
            outputs = layer.forward({}, np.array([[-1e4, 1e4, 0.0]]))
        assert np.isfinite(outputs).all()


@RANGED
def test_a_range_is_learned_once_and_reached(layer):
    targets = np.array([[-7.0, 2.0], [0.5, 11.0]])
    inputs, params = inverted(layer, {}, targets)
    assert (float(params["low"]), float(params["high"])) == (-7, 11)
    np.testing.assert_allclose(layer.forward(params, inputs), targets, atol=1e-9)
    beyond, kept = inverted(layer, params, np.array([[-20.0, 30.0]]))
    assert (float(kept["low"]), float(kept["high"])) == (-7, 11)
    np.testing.assert_allclose(layer.forward(params, beyond), [[-7, 11]], atol=1e-9)


def test_published_ends_of_the_range():
    """Targets at the ends map to logit(1e-5) and atanh(1 - 1e-5)."""
    targets = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(inverted(Sigmoid(), {}, targets)[0][1], np.log(1e5 - 1))
    np.testing.assert_allclose(inverted(Tanh(), {}, targets)[0][1], np.arctanh(1 - 1e-5))


@RANGED
def test_constant_targets_leave_the_range_open(layer):
    inputs, params = inverted(layer, {}, np.full((3, 2), 4.0))
    np.testing.assert_array_equal(inputs, 0)
    assert params == {}


def test_relu_negative_targets():
    targets = np.array([[-2.0, 3.0], [-1.0, -4.0]])
    before = targets.copy()
    np.testing.assert_array_equal(inverted(ReLU(), {}, targets)[0], targets)
    np.testing.assert_array_equal(inverted(ReLU("zero"), {}, targets)[0], targets.clip(0))
    noisy = [inverted(ReLU("uniform"), {}, targets, targets, seed=3)[0] for _ in range(2)]
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert noisy[0][0, 1] == 3 and ((noisy[0] < 0) == (targets < 0)).all()
    assert (noisy[0][targets < 0] > -1).all()
    np.testing.assert_array_equal(targets, before)


def test_leaky_relu_inverse():
    layer = LeakyReLU(0.25)
    np.testing.assert_allclose(inverted(layer, {}, layer.forward({}, Z))[0], Z)


def test_cos_inverse_is_the_nearest_solution():
    """Against a search over many periods."""
    inputs, targets = np.array([[-9.0, 0.3, 5.0]]), np.array([[0.2, -0.9, 1.7]])
    nearest = inverted(Cos(), {}, targets, inputs)[0]
    grid = np.linspace(-20, 20, 400001)
    for i in range(3):
        close = grid[np.abs(np.cos(grid) - np.clip(targets[0, i], -1, 1)) < 1e-4]
        best = np.abs(close - inputs[0, i]).min()
        assert abs(abs(nearest[0, i] - inputs[0, i]) - best) < 0.02


def test_softmax_inverse_keeps_the_log_sum():
    targets = Softmax().forward({}, np.sin(5 * Z))
    inputs, _ = inverted(Softmax(), {}, targets, Z)
    np.testing.assert_allclose(Softmax().forward({}, inputs), targets, atol=1e-4)
    log_sums = [np.log(np.exp(array).sum(axis=1)) for array in (inputs, Z)]
    np.testing.assert_allclose(*log_sums, atol=1e-4)
    assert np.isfinite(inverted(Softmax(), {}, np.eye(4), Z[:4])[0]).all()
