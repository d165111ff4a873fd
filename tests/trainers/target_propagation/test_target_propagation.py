"""Target propagation in estimators: every rule learns, and errors name what to change."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Context, Dense, Dropout, Layer, Tanh, Traits, Trees
from sklearn_zorb.network import Network
from sklearn_zorb.rows import Targets
from sklearn_zorb.trainers import TargetPropagation

X, Y = load_iris(return_X_y=True)


def fit(layers, rule):
    return NetworkClassifier(layers, trainer=rule, random_state=0).fit(X, Y)


RULES = [
    TargetPropagation(delta=False, alpha=0.01, max_epochs=80),
    TargetPropagation("difference", tie=True, alternate_every=5, reverse_rate=0.01, max_epochs=100),
    TargetPropagation("reconstruction", reverse_rate=0.01, max_epochs=60, regularize=0.1),
    TargetPropagation({"dense_2": "gradient"}, max_epochs=60),
    TargetPropagation(
        update="least_squares", optimizer="sgd", learning_rate=0.1, alpha_update=1.0, max_epochs=60
    ),
]


@pytest.mark.quick(1)
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_they_learn(rule):
    assert fit("Dense[16] Tanh Dense[16] Tanh", rule).score(X, Y) > 0.9


@pytest.mark.slow
def test_candidates_need_no_derivative_and_pass_noise_again():
    rule = TargetPropagation("candidates", n_candidates=4, max_epochs=60, tol=None)
    assert fit("Dense[30] Sign Dense[30] Sign", rule).score(X, Y) > 0.9
    rule = TargetPropagation("candidates", candidates="passes", max_epochs=60, tol=None)
    layers = [Dense(30), Tanh(), Dropout(0.2), Dense(30), Tanh()]
    assert fit(layers, rule).score(X, Y) > 0.9


def test_layers_without_derivative_are_refused_where_errors_pass():
    class Rounded(Layer):
        traits = Traits(reads_inputs=False, differentiable=False)

        def forward(self, params, inputs, *, rng=None):
            return inputs.round()

    rule = TargetPropagation(max_epochs=2)
    for layers in ([Dense(4), Rounded()], [Trees(3), Rounded(), Dense(4)]):
        with pytest.raises(ValueError, match=r"'rounded_1'.*no derivative.*ZORB"):
            fit(layers, rule)
    # nothing learns from what passes through it here
    fit([Rounded(), Dense(4), Tanh()], rule)


@pytest.mark.parametrize(
    "layers, options, message",
    [
        ("Dense[4] Tanh", {"targets": {"dense_9": "gradient"}}, r"blocks begin with"),
        ("Tanh", {}, "hidden layer with weights"),
        ([Dense(4), Trees(5, units=3)], {"targets": {"trees_1": "gradient"}}, "'trees_1'].*rules"),
        ([Dense(4), Trees(5, units=3)], {"update": {"dense_7": "solve"}}, "'dense_1', 'trees_1'"),
    ],
)
def test_errors_name_the_parameter(layers, options, message):
    with pytest.raises(ValueError, match=message):
        fit(layers, TargetPropagation(**options))


def test_a_read_out_on_all_blocks_is_refused():
    pairs = [("dense_1", Dense(4)), ("dense_2", Dense(4))]
    network = Network.build([], pairs, ("readout", Dense(3)), [], (4,), "all")
    params = network.init(np.random.default_rng(0), None)
    with pytest.raises(ValueError, match="needs readout='last'"):
        TargetPropagation().fit(network, params, X, Targets(np.eye(3), Y), Context())
