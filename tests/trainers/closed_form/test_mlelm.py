"""Extreme learning machines of several layers, solved as autoencoders."""

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import Dense, Sigmoid
from sklearn_zorb.trainers import MLELM


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
    expected = Ridge(0.5).fit(rows, np.eye(3)[y])
    readout = model.params_[-1]
    np.testing.assert_allclose(readout["weights"], expected.coef_.T, atol=1e-9)
    np.testing.assert_allclose(readout["intercept"], expected.intercept_, atol=1e-9)
    assert [entry["layer"] for entry in model.history_] == ["dense_1", "dense_2", "readout"]


def test_weights_of_an_autoencoder_are_a_ridge_regression_to_its_rows():
    """From units within (0, 1): fewer of them than columns, and whatever was drawn."""
    X, y = load_diabetes(return_X_y=True)
    norms = []
    for alpha in (0.5, 50.0, 5000.0):
        rule = MLELM(alpha=alpha)
        model = NetworkRegressor("Dense[6] Sigmoid", trainer=rule, standardize=False)
        W = model.set_params(random_state=0).fit(X, y).params_[0]["weights"]
        norms.append(np.linalg.norm(W))
    assert norms[0] > 2 * norms[1] > 4 * norms[2]
    # the more units, the closer rows are reproduced: their span is that of the columns
    rng = np.random.default_rng(0)
    thin = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 8))
    model = NetworkRegressor("Dense[40] Tanh", trainer=MLELM(alpha=1e-8), standardize=False)
    W = model.set_params(random_state=0).fit(thin, thin[:, 0]).params_[0]["weights"]
    basis = np.linalg.svd(thin)[2][3:]
    assert np.abs(basis @ W).max() < 1e-6 * np.abs(W).max()
    assert model.score(thin, thin[:, 0]) > 0.95
