"""Targets that memory cannot hold are inverted chunk by chunk, to the same values."""

import numpy as np
import pytest

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Dense, ReLU, Sigmoid, Standardize, Tanh, parse_layers, sequence
from sklearn_zorb.layers.lowered import Lowered
from sklearn_zorb.memory import Memory


def network(layers, width, seed=0):
    rng, params, shape = np.random.default_rng(seed), [], (width,)
    for layer in layers:
        data = (rng.normal(size=(9, *shape)), None, None)
        params.append(layer.init(rng, shape, data))
        shape = layer.output_shape(shape)
    return params


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(5), Tanh(), Dense(3)],
        [Standardize(), Dense(6), Sigmoid(), Dense(4), ReLU(), Dense(3)],
    ],
    ids=["tanh", "deep"],
)
def test_chunks_give_what_the_whole_gives(layers):
    params = network(layers, 4)
    targets = np.random.default_rng(1).normal(size=(1000, 3))
    whole, known = sequence.invert(layers, params, targets, None)
    below, learned = sequence.invert(layers, params, targets, None, memory=Memory(2000))
    assert isinstance(below, Lowered)
    assert below.shape == whole.shape
    np.testing.assert_allclose(below[:], whole, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(below[17:40], whole[17:40], rtol=1e-12, atol=1e-12)
    for own, other in zip(learned, known, strict=True):
        for name, value in other.items():
            np.testing.assert_allclose(own[name], value, rtol=1e-12, atol=1e-14)


def test_equal_targets_leave_the_range_open_in_chunks_too():
    targets = np.full((1000, 3), 2.0)
    below, params = sequence.invert([Tanh()], [{}], targets, None, memory=Memory(2000))
    assert params == [{}]
    np.testing.assert_array_equal(below[:], np.zeros((1000, 3)))


def test_each_pseudoinverse_is_computed_once(monkeypatch):
    from sklearn_zorb.layers import dense

    calls, compute = [], dense.minimum_norm_map
    monkeypatch.setattr(dense, "minimum_norm_map", lambda *a: calls.append(1) or compute(*a))
    layers = [Dense(5), Tanh(), Dense(3)]
    params = network(layers, 4)
    targets = np.random.default_rng(1).normal(size=(5000, 3))
    below, _ = sequence.invert(layers, params, targets, None, memory=Memory(20000))
    for start in range(0, 5000, 500):
        below[start : start + 500]
    assert len(calls) == 2


@pytest.mark.parametrize(
    "text",
    [
        "Dense[32] Tanh",
        "Dense[24] Sigmoid Dense[16] ReLU",
        "Dense[40] Tanh Skip(Dense[20] Tanh) Dense[50] Tanh",
        "Parallel(Dense[20] Tanh | Dense[30] ReLU) Dense[50] Tanh",
    ],
)
def test_a_memory_limit_changes_nothing_but_memory(text):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 6))
    y = np.column_stack([np.sin(X[:, 0]) * X[:, 1], X[:, 2] ** 2])
    layers = parse_layers(text)
    free = ZORBRegressor(layers, alpha=0.1, relaxation=0.5, random_state=0).fit(X, y)
    tight = ZORBRegressor(
        layers, alpha=0.1, relaxation=0.5, random_state=0, memory_limit="200KB"
    ).fit(X, y)
    np.testing.assert_allclose(tight.predict(X), free.predict(X), rtol=1e-6, atol=1e-7)
