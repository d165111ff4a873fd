"""Population search by the strategies of evosax."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.trainers import Evolution


def test_without_evosax_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "evosax", None)
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ImportError, match=r"sklearn-zorb\[evolution\]"):
        NetworkClassifier("Dense[4] Tanh", trainer=Evolution()).fit(X, y)


@pytest.mark.parametrize("strategy", ["SNES", "OpenES", "PSO", "SimpleGA", "hill-climbing"])
def test_strategies(strategy):
    pytest.importorskip("evosax")
    X, y = load_iris(return_X_y=True)
    rule = Evolution(strategy, max_epochs=100)
    model = NetworkClassifier("Dense[4] Sign", trainer=rule, random_state=0).fit(X, y)
    assert model.history_[-1]["loss"] < 0.5 * model.history_[0]["loss"]
    assert model.score(X, y) > 0.7


def test_the_params_are_those_of_the_strategy():
    pytest.importorskip("evosax")
    X, y = load_diabetes(return_X_y=True)
    rule = Evolution(max_epochs=5)
    model = NetworkRegressor("Dense[3] Tanh", trainer=rule, random_state=0).fit(X, y)
    weights = [p for p in model.params_ if "weights" in p]
    flat = np.concatenate([np.ravel(p[k]) for p in weights for k in ("intercept", "weights")])
    mean = np.asarray(model._trainer_state["memory"]["state"].mean)
    np.testing.assert_allclose(flat, mean, rtol=1e-6, atol=1e-9)
    again = NetworkRegressor("Dense[3] Tanh", trainer=rule, random_state=0).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_errors_name_the_parameter():
    pytest.importorskip("evosax")
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="strategy='CMAES2'.*Did you mean"):
        NetworkClassifier("Dense[4] Tanh", trainer=Evolution("CMAES2")).fit(X, y)
    rule = Evolution("SNES", strategy_params={"nothing": 1.0})
    with pytest.raises(ValueError, match="strategy_params has"):
        NetworkClassifier("Dense[4] Tanh", trainer=rule).fit(X, y)
