"""Noise against its distribution."""

import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import inverted

from sklearn_zorb.layers import Dropout, GaussianNoise, Parallel
from sklearn_zorb.linalg import get_backend

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
IMAGES = RNG.gamma(2.0, size=(150, 4, 3, 2)) * [1.0, 10.0]


@pytest.mark.parametrize("layer", [Dropout(0.4), GaussianNoise(0.3)], ids=str)
def test_noise_comes_only_with_an_rng(layer):
    assert layer.forward({}, X) is X
    assert inverted(layer, {}, X)[0] is X
    one, same, other = (layer.forward({}, X, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert not np.array_equal(one, X)


@pytest.mark.parametrize("draw", ["numpy", "jax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_has_its_distribution(draw, dtype):
    import jax

    ones = np.ones((400, 500), dtype=dtype)
    with get_backend("jax").scope():
        if draw == "jax":
            ones, rng = jax.numpy.asarray(ones), jax.random.key(0)
        else:
            rng = np.random.default_rng(0)
        dropped = Dropout(0.2).forward({}, ones, rng=rng)
        noisy = GaussianNoise(0.5).forward({}, ones, rng=rng)
    assert dropped.dtype == noisy.dtype == dtype
    dropped, noisy = np.asarray(dropped, float), np.asarray(noisy, float)
    assert set(np.unique(dropped).round(6)) == {0.0, 1.25}
    # five standard errors
    assert (dropped == 0).mean() == pytest.approx(0.2, abs=5 * 0.4 / 447)
    assert noisy.mean() == pytest.approx(1, abs=5 * 0.5 / 447)
    assert noisy.std() == pytest.approx(0.5, abs=5 * 0.5 / 632)
    assert abs(np.corrcoef(noisy[:-1].ravel(), noisy[1:].ravel())[0, 1]) < 5 / 447


@pytest.mark.parametrize("layer", [Dropout(0.4), GaussianNoise(0.3)], ids=str)
def test_one_generator_gives_one_draw_in_every_backend_and_dtype(layer):
    expected = layer.forward({}, IMAGES, rng=np.random.default_rng(0))
    narrow = layer.forward({}, IMAGES.astype(np.float32), rng=np.random.default_rng(0))
    np.testing.assert_allclose(narrow, expected, rtol=1e-4, atol=1e-5)
    backend = get_backend("jax")
    with backend.scope():
        moved = layer.forward({}, backend.asarray(IMAGES), rng=np.random.default_rng(0))
    np.testing.assert_allclose(moved, expected, rtol=1e-12)


@pytest.mark.parametrize("layer", [Dropout(0.4), GaussianNoise(0.3)], ids=str)
def test_a_traced_call_takes_a_key_and_refuses_a_generator(layer):
    import jax

    traced = jax.jit(lambda inputs, key: layer.forward({}, inputs, rng=key))
    one, other = (traced(X, jax.random.key(seed)) for seed in (0, 1))
    assert not np.array_equal(one, other)
    with pytest.raises(TypeError, match="JAX key"):
        jax.jit(lambda inputs: layer.forward({}, inputs, rng=np.random.default_rng(0)))(X)


def test_dropout_of_sparse_rows_drops_what_is_stored():
    inputs = sp.random(300, 200, density=0.3, format="csr", random_state=0)
    outputs = Dropout(0.25).forward({}, inputs, rng=np.random.default_rng(0))
    assert sp.issparse(outputs) and inputs.nnz == (inputs.data != 0).sum()
    kept = outputs.data != 0
    np.testing.assert_allclose(outputs.data[kept], inputs.data[kept] / 0.75)
    assert kept.mean() == pytest.approx(0.75, abs=5 * 0.43 / np.sqrt(inputs.nnz))


def test_noise_layers_of_a_composite_do_not_share_a_key():
    import jax

    ones = jax.numpy.ones((50, 40))
    pair = Parallel([[Dropout(0.5)], [Dropout(0.5)]])
    params = pair.init(np.random.default_rng(0), (40,))
    left, right = np.split(np.asarray(pair.forward(params, ones, rng=jax.random.key(0))), 2, axis=1)
    assert 0.45 < (left == right).mean() < 0.55
    twice = Parallel([[Dropout(0.5), Dropout(0.5)]])
    params = twice.init(np.random.default_rng(0), (40,))
    kept = np.asarray(twice.forward(params, ones, rng=jax.random.key(0))) > 0
    assert 0.2 < kept.mean() < 0.3
