"""Layers that change the shape of a sample and nothing else."""

import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import inverted

from sklearn_zorb.layers import Flatten, Reshape


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Flatten(), (4, 3, 2), (24,)), (Flatten(), (24,), (24,)),
        (Reshape((4, 3, 2)), (24,), (4, 3, 2)), (Reshape([2, -1]), (4, 3, 2), (2, 12)),
        (Reshape((np.int64(24),)), (4, 3, 2), (24,)),
    ],
)  # fmt: skip
def test_shapes_there_and_back(layer, shape, expected):
    inputs = np.arange(48.0).reshape(2, *shape)
    params = layer.init(np.random.default_rng(0), shape)
    outputs = layer.forward(params, inputs)
    assert layer.output_shape(shape) == expected and outputs.shape == (2, *expected)
    assert np.array_equal(outputs.ravel(), inputs.ravel())
    assert np.array_equal(inverted(layer, params, outputs)[0], inputs)
    assert layer.forward(params, inputs[:0]).shape == (0, *expected)


def test_shapes_that_do_not_hold_the_numbers_are_refused():
    for shape in [(5, 5), (-1, -1), (0, -1), (), (-2, -12), (-1, 7)]:
        with pytest.raises(ValueError, match=r"Reshape got input of shape \(24,\).*24 numbers"):
            Reshape(shape).output_shape((24,))


def test_sparse_rows_stay_sparse_only_where_they_stay_flat():
    X = sp.random(5, 12, density=0.3, format="csr", random_state=0)
    assert Flatten().forward({}, X) is X
    dense = Reshape((3, 4, 1)).forward({}, X)
    assert np.array_equal(dense.reshape(5, 12), X.toarray())
