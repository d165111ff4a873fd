"""Losses of the tasks against NumPy and finite differences."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sklearn_zorb.layers import Dense, Tanh
from sklearn_zorb.network import Network
from sklearn_zorb.trainers.gradient.objective import Objective, merge, trainable

TASKS = {"multiclass": 4, "multilabel": 4, "binary": 1, "regression": 2}


def problem(task, n=20):
    rng, n_outputs = np.random.default_rng(0), TASKS[task]
    X, w = rng.normal(size=(n, 3)), rng.uniform(size=n)
    T = rng.integers(2, size=(n, n_outputs)).astype(float)
    if task == "multiclass":
        T = np.eye(4)[rng.integers(4, size=n)]
    elif task == "regression":
        T = rng.normal(size=(n, n_outputs))
    layers = [("dense_1", Dense(5)), ("tanh_1", Tanh())]
    network = Network.build([], layers, ("readout", Dense(n_outputs)), [], (3,), "last")
    return network, network.init(np.random.default_rng(1), None), (X, T, w)


def numpy_loss(task, params, X, T, w):
    """The loss written out again, naively."""
    hidden = np.tanh(X @ params[0]["weights"] + params[0]["intercept"])
    z = hidden @ params[2]["weights"] + params[2]["intercept"]
    if task == "multiclass":
        each = -np.log((softmax(z, axis=1) * T).sum(axis=1))
    elif task == "regression":
        each = ((z - T) ** 2).sum(axis=1) / 2
    else:
        each = -np.log(expit(np.where(T == 1, z, -z))).sum(axis=1)
    return (w * each).sum()


@pytest.mark.quick(2)
@pytest.mark.parametrize("task", TASKS)
def test_loss_and_gradient_against_numpy_and_finite_differences(task, x64):
    import jax

    network, params, batch = problem(task)
    objective = Objective(network, task)

    def loss(moved):
        return objective.loss(merge(params, moved), batch)[0]

    value, gradient = jax.value_and_grad(loss)(trainable(network, params))
    assert float(value) == pytest.approx(numpy_loss(task, params, *batch))
    for i, name, index in [(0, "weights", (1, 2)), (2, "intercept", (0,)), (0, "intercept", (3,))]:
        values = []
        for sign in (1, -1):
            shifted = [dict(layer_params) for layer_params in params]
            shifted[i][name] = shifted[i][name].copy()
            shifted[i][name][index] += sign * 1e-6
            values.append(numpy_loss(task, shifted, *batch))
        slope = (values[0] - values[1]) / 2e-6
        assert float(gradient[i][name][index]) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_losses_do_not_overflow(task, x64):
    network, params, (_, T, _) = problem(task)
    outputs = np.full(T.shape, 1e4)
    outputs[:, 0] *= -1
    losses = Objective(network, task).losses(params, outputs, T)
    assert np.isfinite(np.asarray(losses)).all()
