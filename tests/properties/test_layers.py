"""Layers: chunks agree with the whole, and nothing of the caller changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_calls import initial, solved
from properties.drawn import SEEDS, noise

from sklearn_zorb.layers import Context, parse_layers

LAYERS = (
    "Dense[4]", "Dense[2, relaxation=0.5]", "Tanh", "Sigmoid", "ReLU", "LeakyReLU", "Softmax",
    "Step", "Sign", "Cos", "Standardize", "Standardize[clip=2]", "BatchNorm", "NormalScores[0]",
    "PiecewiseLinear", "Kernel[9]", "Trees[3, units=3]", "Skip(Dense[2] Tanh)",
    "Parallel(Dense[2] | Tanh)", "Flatten", "Identity",
)  # fmt: skip
EACH = pytest.mark.parametrize("text", LAYERS)


def fitted(text, seed):
    """A layer, its params after a solve, and the inputs that it saw."""
    (layer,) = parse_layers(text)
    inputs = noise(seed, 20, 3)
    params = initial(layer, inputs, y=np.arange(20) % 2, seed=seed)
    if layer.traits.learns:
        targets = noise(seed + 1, 20, *layer.output_shape((3,)))
        params = solved(layer, params, inputs, targets, rng=np.random.default_rng(seed)).params
    return layer, params, inputs


@EACH
@given(SEEDS, st.integers(1, 19))
def test_chunks_agree_and_inputs_stay(text, seed, cut):
    layer, params, inputs = fitted(text, seed)
    before = inputs.copy()
    whole = layer.forward(params, inputs)
    parts = [layer.forward(params, part) for part in (inputs[:cut], inputs[cut:])]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(inputs, before)
    assert whole.shape == (20, *layer.output_shape((3,)))


@EACH
@given(SEEDS, st.sampled_from([1.0, 1e-9, 1e6]))
def test_targets_stay_and_what_is_asked_of_the_input_is_finite(text, seed, unit):
    layer, params, inputs = fitted(text, seed)
    targets = unit * noise(seed + 2, 20, *layer.output_shape((3,)))
    before, context = targets.copy(), Context(rng=np.random.default_rng(seed))
    params = layer.learn_inverse(params, [(targets, inputs)], context)
    found = layer.invert(params, targets, inputs, context)
    assert found.shape == inputs.shape and np.isfinite(found).all()
    np.testing.assert_array_equal(targets, before)
