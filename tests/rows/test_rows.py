"""Tables of samples."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_zorb.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Tanh
from sklearn_zorb.layers.base import Context
from sklearn_zorb.memory import Memory
from sklearn_zorb.rows import Rows


def drawn(layers, input_shape, seed=0):
    """Initial params of layers, one after another."""
    params, shape = [], input_shape
    for layer in layers:
        params.append(layer.init(np.random.default_rng(seed), shape))
        shape = layer.output_shape(shape)
    return params


@pytest.fixture
def table(rng):
    return rng.normal(size=(500, 6))


def test_layers_are_applied_to_what_is_read(table):
    dense, tanh = Dense(3), Tanh()
    params = dense.init(np.random.default_rng(0), (6,))
    rows = Rows(table).then(dense, params).then(tanh, {})
    expected = np.tanh(table @ params["weights"] + params["intercept"])
    assert rows.shape == (500, 3) and len(rows) == 500
    for part in (slice(None), slice(3, 9), np.array([4, 4, 1])):
        np.testing.assert_allclose(rows[part], expected[part])
    np.testing.assert_allclose(np.asarray(rows), expected)


def test_rows_side_by_side_are_flat(table, rng):
    images = rng.normal(size=(500, 2, 2, 1))
    both = Rows(table).beside(Rows(images))
    assert both.shape == (500, 10)
    np.testing.assert_array_equal(both[5:7], np.hstack([table, images.reshape(500, 4)])[5:7])
    assert [block.shape for block in both.blocks] == [(500, 6), (500, 2, 2, 1)]


def test_sparse_rows_stay_sparse(table):
    sparse = sp.csr_matrix(np.where(table > 0, table, 0))
    both = Rows(sparse).beside(Rows(table))
    assert sp.issparse(Rows(sparse)[:3]) and sp.issparse(both[:3])
    np.testing.assert_array_equal(both[:].toarray(), np.hstack([sparse.toarray(), table]))


def test_precision_of_slices(table):
    rows = Rows(table, dtype=np.dtype(np.float32))
    assert rows[2:5].dtype == np.float32
    np.testing.assert_array_equal(rows[:], table.astype(np.float32))


@pytest.mark.parametrize("limit", [None, "20KB", "1MB"])
def test_what_is_kept_is_the_same(limit, rng):
    layers = [Reshape((4, 4, 1)), Conv2D(3, 2), ReLU(), MaxPool2D(), Flatten()]
    params = drawn(layers, (16,))
    rows = plain = Rows(rng.normal(size=(700, 16)))
    for layer, layer_params in zip(layers, params, strict=True):
        rows = rows.then(layer, layer_params)
    kept = rows.kept(Context(memory=Memory(limit)))
    np.testing.assert_allclose(kept[:], rows[:])
    np.testing.assert_allclose(kept[100:400], rows[100:400])
    assert (len(kept.layers) > 0) == (limit == "20KB")
    assert plain.kept(Context()) is plain


def test_images_under_many_filters_go_through_in_parts(rng):
    """The first layers a few images at a time, those behind with all of them at once."""
    images = rng.normal(size=(40, 20, 20, 1)).astype(np.float32)
    seen = []

    class Watched(Dense):
        def forward(self, params, inputs, *, rng=None):
            seen.append(len(inputs))
            return super().forward(params, inputs)

    layers = [Conv2D(50, 3), ReLU(), MaxPool2D(9), Flatten(), Watched(3)]
    params = drawn(layers, (20, 20, 1))
    rows, expected = Rows(images), images
    for layer, layer_params in zip(layers, params, strict=True):
        rows, expected = rows.then(layer, layer_params), layer.forward(layer_params, expected)
    seen.clear()
    np.testing.assert_allclose(rows[:], expected, rtol=1e-5, atol=1e-5)
    assert seen == [40]
