"""A limit of memory changes nothing but memory."""

import numpy as np
import pytest
from layer_calls import outputs_before
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, EstimatorLayer, Tanh
from sklearn_zorb.memory import Memory

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3000, 6))
Y = np.column_stack([np.sin(X[:, 0]) * X[:, 1], X[:, 2] ** 2])


@pytest.mark.parametrize("limit", ["200KB", "1MB"])
@pytest.mark.parametrize(
    "layers",
    [
        "Dense[32] Tanh",
        "Dense[24] Sigmoid Dense[16] ReLU",
        "Dense[40] Tanh Skip(Dense[20] Tanh) Dense[50] Tanh",
        "Parallel(Dense[20] Tanh | Dense[30] ReLU) BatchNorm Dense[50] Tanh",
        "Dense[20] Tanh Stack(Identity | Kernel[40])",
    ],
)
def test_the_model_is_the_same(layers, limit):
    """Targets too many to keep are inverted chunk by chunk."""
    options = {"alpha": 0.1, "relaxation": 0.5, "random_state": 0}
    free = ZORBRegressor(layers, **options).fit(X, Y)
    tight = ZORBRegressor(layers, memory_limit=limit, **options).fit(X, Y)
    np.testing.assert_allclose(tight.predict(X), free.predict(X), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_few_rows_in_chunks(Estimator):
    rows, y = load_iris(return_X_y=True)
    fits = [
        Estimator("Dense[30] Tanh Dense[20] ReLU", random_state=0, memory_limit=limit).fit(rows, y)
        for limit in (None, "20KB")
    ]
    weights = [model.params_[-1]["weights"] for model in fits]
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-6, atol=1e-9)


def test_equal_targets_leave_the_range_of_a_tanh_open_in_chunks_too():
    fits = [
        ZORBRegressor("Dense[8] Tanh Dense[4] Sigmoid", memory_limit=limit, random_state=0)
        .fit(X, np.full(3000, 2.0))
        for limit in (None, "20KB")
    ]  # fmt: skip
    for model in fits:
        np.testing.assert_allclose(model.predict(X), 2.0)


@pytest.mark.quick(1)
@pytest.mark.parametrize("readout", ["last", "all"])
def test_many_rows_are_kept_or_computed_again(readout):
    rows = RNG.normal(size=(5000, 12))
    y = np.sin(rows[:, 0]) + rows[:, 1] * rows[:, 2]
    layers = "Dense[40] Tanh Dense[30] Tanh Skip(Dense[20] Tanh) Dense[50] Tanh Dense[10] Tanh"
    model = ZORBRegressor(layers, readout=readout, random_state=0)
    expected = model.fit(rows, y).predict(rows)
    found = model.set_params(memory_limit="250KB").fit(rows, y).predict(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


class Keeper(TransformerMixin, BaseEstimator):
    """Hands its rows on, and keeps them."""

    kept = []

    def fit(self, X, y=None):
        Keeper.kept.append(X)
        return self

    def transform(self, X):
        return X


def test_a_model_that_keeps_its_rows_keeps_them_as_they_were():
    # memory handed out again while a fitted model refers to it would change the model
    rows = RNG.normal(size=(20_000, 6))
    hidden = [Dense(30), Tanh(), EstimatorLayer(Keeper(), units=30)]
    layers = [*hidden, Dense(30), Tanh(), Dense(30), Tanh(), Dense(20), Tanh()]
    model = ZORBRegressor(layers, readout="last", standardize=False, random_state=0)
    Keeper.kept.clear()
    model.fit(rows, rows[:, 0] * rows[:, 1])
    expected = np.sort(outputs_before(model, rows, 2), axis=0)
    np.testing.assert_allclose(np.sort(Keeper.kept[-1], axis=0), expected, atol=1e-12)


@pytest.mark.parametrize(
    "layers, needed",
    [
        ("Dense[99999999999]", "TB"),
        ("Kernel[1000000000]", "GB"),
        ("Trees[1000000000]", "TB"),
        ("Tanh Skip(Tanh Dense[99999999999]) Dense[2]", "TB"),
        ("Stack(Identity | Kernel[1000000000])", "GB"),
        ("Dense[10] Dense[99999999999] Dense[99999999999]", "TB"),
    ],
)
@pytest.mark.parametrize("limit", [None, "1GB"])
def test_absurd_sizes_are_refused_with_what_they_take(layers, needed, limit):
    allowed = "memory_limit allows" if limit else "this machine has"
    model = ZORBRegressor(layers, memory_limit=limit)
    with pytest.raises(ValueError, match=rf"layer '.*takes [\d.]+{needed} .*that {allowed}"):
        model.fit(X, Y)


def test_sizes_beyond_a_limit_are_refused_where_a_machine_takes_them():
    assert ZORBRegressor("Dense[30000]", memory_limit="80MB").fit(X[:9], Y[:9]).n_outputs_ == 2
    with pytest.raises(ValueError, match="'readout'.* takes 89.*MB of memory or more.*of 80MB"):
        ZORBRegressor("Dense[30000]", memory_limit="80MB").fit(X, Y)


def test_a_million_rows_of_a_thousand_activations_are_not_kept_by_default():
    memory = Memory()
    assert memory.keep(8 * 10**5 * 500)
    assert not memory.keep(8 * 10**6 * 1000)
