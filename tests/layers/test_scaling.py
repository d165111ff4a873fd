"""Scalers against scikit-learn, and noise against its distribution."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.preprocessing import StandardScaler

from sklearn_zorb.layers import (
    BatchNorm,
    Context,
    Conv2D,
    Dropout,
    GaussianNoise,
    Parallel,
    Standardize,
)
from sklearn_zorb.layers.rows import Rows
from sklearn_zorb.linalg import get_backend
from sklearn_zorb.memory import Memory
from sklearn_zorb.targets import Targets

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)) * [1.0, 1e3, 1e-3] + [0.0, 5.0, 1e4]
IMAGES = RNG.gamma(2.0, size=(150, 4, 3, 2)) * [1.0, 10.0]
WEIGHTS = RNG.integers(1, 4, size=200).astype(float)


def scaler(layer, inputs, sample_weight=None):
    data = (inputs, None, sample_weight)
    return layer.init(np.random.default_rng(0), inputs.shape[1:], data)


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_standardize_is_the_scaler_of_scikit_learn(with_mean, weights):
    layer = Standardize(with_mean=with_mean)
    params = scaler(layer, X, weights)
    expected = StandardScaler(with_mean=with_mean).fit(X, sample_weight=weights).transform(X)
    outputs = layer.forward(params, X)
    np.testing.assert_allclose(outputs, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(layer.invert(params, outputs, None)[0], X, rtol=1e-12)


def test_standardize_takes_each_pixel_and_channel_by_itself():
    outputs = Standardize().forward(scaler(Standardize(), IMAGES), IMAGES)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(outputs.std(axis=0), 1)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, -1e-9])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_constants_keep_their_unit(constant, form):
    inputs = np.column_stack([np.full(1001, constant), np.arange(1001.0)])
    weights = np.random.default_rng(0).uniform(0.1, 3, size=1001)
    for sample_weight in (None, weights):
        params = scaler(Standardize(), form(inputs), sample_weight)
        assert params["deviation"][0] == 1 and params["deviation"][1] > 200
    outputs = Standardize().forward(scaler(Standardize(), inputs, weights), inputs)
    assert np.abs(outputs[:, 0]).max() <= 1e-12 * max(1, abs(constant))


def test_standardize_without_data_is_the_identity():
    params = Standardize().init(np.random.default_rng(0), (3,))
    assert np.array_equal(Standardize().forward(params, X), X)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_sparse_inputs_are_scaled_and_stay_sparse(weights):
    inputs = sp.random(200, 6, density=0.2, format="csr", random_state=0, dtype=np.float32)
    before = inputs.copy()
    params = scaler(Standardize(), inputs, weights)
    outputs = Standardize().forward(params, inputs)
    assert sp.issparse(outputs) and outputs.dtype == np.float32
    expected = StandardScaler(with_mean=False).fit(inputs, sample_weight=weights)
    np.testing.assert_allclose(outputs.toarray(), expected.transform(inputs).toarray(), rtol=1e-5)
    np.testing.assert_allclose(
        Standardize().forward(params, inputs.toarray()), outputs.toarray(), rtol=1e-5
    )
    assert (inputs != before).nnz == 0
    clipped = Standardize(clip=1.0).forward(params, inputs)
    np.testing.assert_allclose(
        clipped.toarray(), Standardize(clip=1.0).forward(params, inputs.toarray()), rtol=1e-5
    )


def test_sparse_inputs_are_refused_where_they_would_become_dense():
    params = scaler(Standardize(), X)
    with pytest.raises(ValueError, match="with_mean=False"):
        Standardize().forward(params, sp.csr_matrix(X))
    params = BatchNorm().init(np.random.default_rng(0), (3,))
    with pytest.raises(ValueError, match="BatchNorm centres"):
        BatchNorm().forward(params, sp.csr_matrix(X))
    with pytest.raises(ValueError, match="BatchNorm centres"):
        BatchNorm().solve(params, sp.csr_matrix(X), None, Context())
    with pytest.raises(ValueError, match="GaussianNoise"):
        GaussianNoise().forward({}, sp.csr_matrix(X), rng=np.random.default_rng(0))


def test_clip_bounds_outliers_and_hardly_moves_the_rest():
    inputs = np.linspace(-50, 50, 2001)[:, None]
    layer = Standardize(clip=5.0)
    params = layer.init(np.random.default_rng(0), (1,))
    outputs = layer.forward(params, inputs)
    np.testing.assert_allclose(outputs, inputs / np.sqrt(1 + (inputs / 5) ** 2))
    assert np.abs(outputs).max() < 5 and (np.diff(outputs[:, 0]) > 0).all()
    near = np.abs(inputs) < 0.5
    np.testing.assert_allclose(outputs[near], inputs[near], rtol=0.01)
    np.testing.assert_allclose(layer.invert(params, outputs, None)[0], inputs, rtol=1e-9)


@pytest.mark.parametrize("dtype, largest", [(np.float32, 1e38), (np.float64, 1e300)])
def test_clip_of_values_whose_squares_overflow(dtype, largest):
    layer = Standardize(clip=3.0)
    params = layer.init(None, (1,), (np.array([[-1.0], [1.0]], dtype=dtype), None, None))
    found = layer.forward(params, np.array([[largest], [-largest]], dtype=dtype))
    np.testing.assert_allclose(found, [[3.0], [-3.0]], rtol=1e-6)


def test_targets_beyond_the_clip_are_drawn_in():
    layer = Standardize(clip=2.0)
    params = layer.init(np.random.default_rng(0), (1,))
    targets = np.array([[-7.0], [-2.0], [2.0], [1e300]])
    found, _ = layer.invert(params, targets, None)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(layer.forward(params, found), [[-2], [-2], [2], [2]], rtol=1e-4)


def solved(layer, inputs, **context):
    params = layer.init(np.random.default_rng(0), inputs.shape[1:])
    return layer.solve(params, inputs, Targets(np.zeros(inputs.shape)), Context(**context)).params


def test_batch_norm_takes_each_channel_over_samples_and_positions():
    layer = BatchNorm(epsilon=1e-9)
    params = solved(layer, IMAGES, memory=Memory(1))
    np.testing.assert_allclose(params["mean"], IMAGES.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(params["variance"], IMAGES.var(axis=(0, 1, 2)))
    outputs = layer.forward(params, IMAGES)
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0, atol=1e-9)
    np.testing.assert_allclose(outputs.std(axis=(0, 1, 2)), 1)
    np.testing.assert_allclose(layer.invert(params, outputs, None)[0], IMAGES)


@pytest.mark.parametrize("inputs", [X[:150], IMAGES], ids=["rows", "images"])
def test_batch_norm_weights_are_repetition(inputs):
    counts = WEIGHTS[:150]
    weighted = solved(BatchNorm(), inputs, sample_weight=counts, memory=Memory(1))
    repeated = solved(BatchNorm(), np.repeat(inputs, counts.astype(int), axis=0))
    for name, value in repeated.items():
        np.testing.assert_allclose(weighted[name], value, rtol=1e-9)


def test_moments_keep_digits_beside_large_offsets():
    noise = RNG.normal(size=(20_000, 1))
    params = solved(BatchNorm(), noise + 1e8, memory=Memory(1))
    assert params["variance"][0] == pytest.approx(noise.var(), rel=1e-7)
    narrow = (noise + 1e3).astype(np.float32)
    params = solved(BatchNorm(), narrow, memory=Memory(1))
    assert params["variance"][0] == pytest.approx(narrow.astype(float).var(), rel=1e-9)


def test_batch_norm_keeps_the_context_dtype_and_its_own_scale():
    layer, inputs = BatchNorm(), IMAGES[:, 0, :, 0]
    params = layer.init(np.random.default_rng(0), (3,))
    params = {**params, "scale": np.array([2.0, 0.0, -1.0]), "offset": np.array([1.0, 5.0, 0.0])}
    found = layer.solve(params, inputs, None, Context(dtype=np.dtype(np.float32))).params
    assert found["mean"].dtype == found["variance"].dtype == np.float32
    assert found["scale"] is params["scale"] and found["offset"] is params["offset"]
    outputs = layer.forward(found, inputs)
    np.testing.assert_allclose(outputs.mean(axis=0), [1, 5, 0], atol=1e-3)
    np.testing.assert_allclose(outputs.std(axis=0), [2, 0, 1], atol=1e-3)
    again, _ = layer.invert(found, outputs, None)
    assert np.isfinite(again).all()
    np.testing.assert_allclose(layer.forward(found, again), outputs, atol=1e-6)


@pytest.mark.parametrize("layer", [Standardize(clip=3.0), BatchNorm()], ids=str)
def test_init_reads_rows_that_are_computed_as_they_are_read(layer):
    conv = Conv2D(4, 2)
    own = conv.init(np.random.default_rng(0), (4, 3, 2))
    rows = Rows(IMAGES, [conv], [own], (3, 2, 4))
    for name, value in scaler(layer, rows, WEIGHTS[:150]).items():
        expected = scaler(layer, conv.forward(own, IMAGES), WEIGHTS[:150])[name]
        np.testing.assert_allclose(value, expected, rtol=1e-10)


@pytest.mark.parametrize("layer", [Standardize(clip=3.0), BatchNorm()], ids=str)
def test_jax_agrees(layer):
    import jax

    params = scaler(layer, IMAGES, WEIGHTS[:150])
    backend = get_backend("jax")
    with backend.scope():
        inputs = backend.asarray(IMAGES)
        outputs = layer.forward(params, inputs)
        found, _ = layer.invert(params, outputs, None)
        if layer.solvable:
            context = Context(backend="jax", sample_weight=WEIGHTS[:150])
            for name, value in layer.solve(params, inputs, None, context).params.items():
                np.testing.assert_allclose(value, params[name], rtol=1e-10)
        step = 1e-5 * np.random.default_rng(1).normal(size=IMAGES.shape)
        gradient = jax.grad(lambda x: (layer.forward(params, x) ** 3).sum())(inputs)
    np.testing.assert_allclose(outputs, layer.forward(params, IMAGES), rtol=1e-10)
    np.testing.assert_allclose(found, IMAGES, rtol=1e-7)
    ends = [(layer.forward(params, IMAGES + sign * step) ** 3).sum() for sign in (1, -1)]
    assert (np.asarray(gradient) * step).sum() == pytest.approx((ends[0] - ends[1]) / 2, rel=1e-5)


def test_no_row_of_positive_weight_is_an_error():
    with pytest.raises(ValueError, match="positive weight"):
        scaler(Standardize(), X, np.zeros(200))


@pytest.mark.parametrize("layer", [Dropout(0.4), GaussianNoise(0.3)], ids=str)
def test_noise_comes_only_with_an_rng(layer):
    assert layer.forward({}, X) is X
    assert layer.invert({}, X, None)[0] is X
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


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (Dropout(1), "rate"),
        (Dropout(-0.1), "rate"),
        (GaussianNoise(-1), "scale"),
        (Standardize(clip=0), "clip"),
        (Standardize(with_mean="yes"), "with_mean"),
        (BatchNorm(epsilon=0), "epsilon"),
    ],
    ids=str,
)
def test_bad_hyperparameters_are_named(layer, name):
    with pytest.raises(ValueError, match=name):
        layer._validate_params()


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
