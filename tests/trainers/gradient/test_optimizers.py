"""Optimisers of optax and schedules of the learning rate."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import Backprop
from sklearn_zorb.trainers.gradient.optimizers import learning_rates

X, Y = load_iris(return_X_y=True)


def probabilities(rule):
    return NetworkClassifier(trainer=rule, random_state=0).fit(X, Y).predict_proba(X)


@pytest.mark.slow
def test_schedules():
    np.testing.assert_allclose(
        learning_rates("cosine", 2.0, 0, 4, 4), [2, 1.70710678, 1, 0.29289322]
    )
    np.testing.assert_allclose(learning_rates(lambda share: share, 2.0, 2, 2, 4), [1, 1.5])
    frozen = Backprop("sgd", learning_rate=0.1, schedule=lambda share: float(share == 0))
    frozen.set_params(max_epochs=5, tol=None)
    once = Backprop("sgd", learning_rate=0.1, max_epochs=1)
    np.testing.assert_allclose(probabilities(frozen), probabilities(once))


def test_factories_from_optax():
    import optax

    def factory(learning_rate):
        return optax.chain(optax.trace(0.9), optax.scale_by_learning_rate(learning_rate))

    momentum = {"momentum": 0.9}
    named = Backprop("sgd", learning_rate=0.05, max_epochs=5, optimizer_params=momentum)
    built = Backprop(factory, learning_rate=0.05, max_epochs=5)
    np.testing.assert_allclose(probabilities(named), probabilities(built))


def test_a_name_that_optax_does_not_have():
    with pytest.raises(ValueError, match="optimizer='adamm' is not a function of optax"):
        probabilities(Backprop("adamm"))
