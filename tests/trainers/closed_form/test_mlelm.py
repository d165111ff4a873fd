"""ZORB and extreme learning machines as trainers of network estimators."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBClassifier
from sklearn_zorb.layers import Dense, Sigmoid
from sklearn_zorb.layers.initializers import orthogonal
from sklearn_zorb.trainers import MLELM, ZORB, Backprop


def test_zorb_as_a_trainer_is_the_estimator():
    X, y = load_iris(return_X_y=True)
    rule = ZORB(relaxation=0.7, alpha=0.1)
    a = NetworkClassifier("Dense[20] Tanh", trainer=rule, random_state=0).fit(X, y)
    b = ZORBClassifier(
        "Dense[20] Tanh", relaxation=0.7, alpha=0.1, readout="last", random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X))
    np.testing.assert_allclose(a.decision_function(X), b.decision_function(X))
    assert a.loo_score_ == b.loo_score_
    default = NetworkClassifier("Dense[20] Tanh", trainer=ZORB(), random_state=0).fit(X, y)
    same = ZORBClassifier("Dense[20] Tanh", readout="last", random_state=0).fit(X, y)
    np.testing.assert_allclose(default.predict_proba(X), same.predict_proba(X))


def test_steps_need_no_option():
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier("Dense[50] Sign", trainer=ZORB(), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_extreme_learning_machine_by_hand():
    X, y = load_diabetes(return_X_y=True)
    model = NetworkRegressor(
        "Dense[30] Tanh", trainer=ZORB(relaxation=0, alpha=2.0), standardize=False, random_state=0
    ).fit(X, y)
    start = NetworkRegressor(
        "Dense[30] Tanh", trainer=Backprop("sgd", learning_rate=1e-300, max_epochs=1),
        standardize=False, random_state=0,
    ).fit(X, y).params_[0]  # fmt: skip
    # the hidden layer is what was drawn; the read-out is ridge regression on it
    np.testing.assert_allclose(model.params_[0]["weights"], start["weights"])
    H = model._network.layers[1].forward(
        model.params_[1], X @ start["weights"] + start["intercept"]
    )
    np.testing.assert_allclose(model.predict(X), Ridge(2.0).fit(H, y).predict(H))


def test_multi_layer_machine_by_hand():
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier(
        [Dense(10), Sigmoid(), Dense(6), Sigmoid()], trainer=MLELM(alpha=0.5), random_state=0,
        standardize=False,
    ).fit(X, y)  # fmt: skip
    rows = X
    for i, units in ((0, 10), (2, 6)):
        W = model.params_[i]["weights"]
        assert W.shape == (rows.shape[1], units)
        assert not model.params_[i]["intercept"].any()
        rows = 1 / (1 + np.exp(-rows @ W))
    expected = Ridge(0.5).fit(rows, np.eye(3)[y]).predict(rows)
    np.testing.assert_allclose(model._outputs(X), expected, atol=1e-9)
    assert [entry["layer"] for entry in model.history_] == ["dense_1", "dense_2", "readout"]


def test_weights_of_an_autoencoder_are_ridge_regression_on_random_features(monkeypatch):
    from sklearn_zorb.trainers.closed_form import mlelm

    seen = {}

    def record(rng, shape):
        seen["random"] = orthogonal(rng, shape)
        seen["rng"] = copy.deepcopy(rng)
        return seen["random"]

    monkeypatch.setattr(mlelm, "orthogonal", record)
    X, y = load_diabetes(return_X_y=True)
    model = NetworkRegressor(
        "Dense[6] Sigmoid", trainer=MLELM(alpha=0.5), standardize=False, random_state=0
    ).fit(X, y)
    bias = seen["rng"].normal(size=6)
    H = 1 / (1 + np.exp(-(X @ seen["random"][:-1] + bias / np.linalg.norm(bias))))
    np.testing.assert_allclose(model.params_[0]["weights"], Ridge(0.5).fit(H, X).coef_, atol=1e-10)


def test_autoencoders_reproduce_what_they_are_given():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 8))
    model = NetworkRegressor(
        "Dense[40] Tanh", trainer=MLELM(alpha=1e-8), standardize=False, random_state=0
    ).fit(X, X[:, 0])
    # the rows of rank 3 go through weights of rank 3: nothing else was encoded
    assert np.linalg.matrix_rank(model.params_[0]["weights"], tol=1e-4) <= 8
    assert model.score(X, X[:, 0]) > 0.95


@pytest.mark.parametrize("rule", [MLELM(), ZORB(relaxation=0), ZORB(n_sweeps=2)], ids=repr)
def test_they_learn(rule):
    X, y = load_diabetes(return_X_y=True)
    assert (
        NetworkRegressor("Dense[50] Sigmoid", trainer=rule, random_state=0).fit(X, y).score(X, y)
        > 0.4
    )
