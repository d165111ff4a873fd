"""Layers that a gradient rule refuses, and steps with a derivative of their own."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeRegressor

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Dense, EstimatorLayer, Layer, Sign, Skip, Stack, Step
from sklearn_zorb.trainers import Backprop
from sklearn_zorb.trainers.gradient.structure import straight_through

X, Y = load_iris(return_X_y=True)


@pytest.mark.quick(1)
@pytest.mark.parametrize("layer", [Sign(), Step()], ids=repr)
def test_steps_are_refused_unless_straight_through(layer):
    name, layers = type(layer).__name__, [Dense(30), layer]
    model = NetworkClassifier(layers, trainer=Backprop(), random_state=0)
    with pytest.raises(ValueError, match=rf"{name}.*no derivative.*ZORB.*straight_through=True"):
        model.fit(X, Y)
    model.set_params(trainer__straight_through=True, trainer__max_epochs=50).fit(X, Y)
    assert model.score(X, Y) > 0.9
    nested = NetworkClassifier([Skip(layers)], trainer=model.trainer, random_state=0)
    assert nested.fit(X, Y).score(X, Y) > 0.9


@pytest.mark.parametrize("layer, low", [(Sign(), -1.0), (Step(), 0.0)], ids=repr)
def test_the_derivative_is_that_of_a_clipped_identity(layer, low, x64):
    import jax

    inputs = jax.numpy.array([-1.5, -0.5, 0.3, 0.9, 1.2])
    substitute = straight_through(layer)
    assert substitute.output_shape((5,)) == (5,) and substitute.trainable({}) == {}
    outputs, back = jax.vjp(lambda x: substitute.forward({}, x), inputs)
    np.testing.assert_allclose(outputs, layer.forward({}, np.asarray(inputs)), atol=1e-12)
    inside = (inputs > low) & (inputs < 1)
    np.testing.assert_array_equal(back(jax.numpy.ones(5))[0], inside.astype(float))


def test_layers_that_are_solved_are_refused():
    layer = EstimatorLayer(DecisionTreeRegressor())
    match = r"\(EstimatorLayer\) is solved.*trainer=ZORB"
    with pytest.raises(ValueError, match=match):
        NetworkClassifier([Dense(4), layer]).fit(X, Y)
    with pytest.raises(ValueError, match=match), pytest.warns(UserWarning, match="left-out"):
        NetworkClassifier([Skip([Dense(4), layer])]).fit(X, Y)


def test_a_stack_is_refused():
    model = NetworkClassifier([Stack([[Dense(4)], [Dense(3)]])])
    with pytest.raises(ValueError, match="Backprop cannot train a Stack; pass trainer=ZORB"):
        model.fit(X, Y)


def test_layers_that_cannot_be_compiled_are_refused():
    class Foreign(Layer):
        def forward(self, params, inputs, *, rng=None):
            return inputs * float(inputs.sum())

    model = NetworkClassifier([Dense(4), Foreign()], trainer=Backprop(max_epochs=1))
    with pytest.raises(ValueError, match=r"'foreign_1' \(Foreign\) cannot be compiled by JAX"):
        model.fit(X, Y)
