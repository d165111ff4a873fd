"""Scalers against scikit-learn and the moments that NumPy computes."""

import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import by_jax, initial, inverted, outputs_before, solved, trait
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBRegressor
from sklearn_zorb.layers import (
    BatchNorm,
    Dense,
    GaussianNoise,
    Identity,
    Parallel,
    Sigmoid,
    Skip,
    Standardize,
    Tanh,
)
from sklearn_zorb.linalg import get_backend
from sklearn_zorb.trainers import MLELM, ZORB

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)) * [1.0, 1e3, 1e-3] + [0.0, 5.0, 1e4]
IMAGES = RNG.gamma(2.0, size=(150, 4, 3, 2)) * [1.0, 10.0]
WEIGHTS = RNG.integers(1, 4, size=200).astype(float)


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_standardize_is_the_scaler_of_scikit_learn(with_mean, weights):
    layer = Standardize(with_mean=with_mean)
    params = initial(layer, X, weights)
    expected = StandardScaler(with_mean=with_mean).fit(X, sample_weight=weights).transform(X)
    outputs = layer.forward(params, X)
    np.testing.assert_allclose(outputs, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(inverted(layer, params, outputs)[0], X, rtol=1e-12)


def test_standardize_takes_each_pixel_and_channel_by_itself():
    outputs = Standardize().forward(initial(Standardize(), IMAGES), IMAGES)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(outputs.std(axis=0), 1)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, -1e-9])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_constants_keep_their_unit(constant, form):
    inputs = np.column_stack([np.full(1001, constant), np.arange(1001.0)])
    weights = np.random.default_rng(0).uniform(0.1, 3, size=1001)
    for sample_weight in (None, weights):
        params = initial(Standardize(), form(inputs), sample_weight)
        assert params["deviation"][0] == 1 and params["deviation"][1] > 200
    outputs = Standardize().forward(initial(Standardize(), inputs, weights), inputs)
    assert np.abs(outputs[:, 0]).max() <= 1e-12 * max(1, abs(constant))


def test_standardize_without_data_is_the_identity():
    params = Standardize().init(np.random.default_rng(0), (3,))
    assert np.array_equal(Standardize().forward(params, X), X)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_sparse_inputs_are_scaled_and_stay_sparse(weights):
    inputs = sp.random(200, 6, density=0.2, format="csr", random_state=0, dtype=np.float32)
    before = inputs.copy()
    params = initial(Standardize(), inputs, weights)
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
    params = initial(Standardize(), X)
    with pytest.raises(ValueError, match="with_mean=False"):
        Standardize().forward(params, sp.csr_matrix(X))
    params = BatchNorm().init(np.random.default_rng(0), (3,))
    with pytest.raises(ValueError, match="BatchNorm centres"):
        BatchNorm().forward(params, sp.csr_matrix(X))
    with pytest.raises(ValueError, match="BatchNorm centres"):
        ZORBRegressor("BatchNorm Dense[3] Tanh").fit(sp.csr_matrix(X), X[:, 0])
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
    np.testing.assert_allclose(inverted(layer, params, outputs)[0], inputs, rtol=1e-9)


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
    found, _ = inverted(layer, params, targets)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(layer.forward(params, found), [[-2], [-2], [2], [2]], rtol=1e-4)


def moments(layer, inputs, **context):
    params = layer.init(np.random.default_rng(0), inputs.shape[1:])
    return solved(layer, params, inputs, np.zeros(inputs.shape), **context).params


def test_batch_norm_takes_each_channel_over_samples_and_positions():
    layer = BatchNorm(epsilon=1e-9)
    params = moments(layer, IMAGES, memory_limit=1)
    np.testing.assert_allclose(params["mean"], IMAGES.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(params["variance"], IMAGES.var(axis=(0, 1, 2)))
    outputs = layer.forward(params, IMAGES)
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0, atol=1e-9)
    np.testing.assert_allclose(outputs.std(axis=(0, 1, 2)), 1)
    np.testing.assert_allclose(inverted(layer, params, outputs)[0], IMAGES)


def test_moments_keep_digits_beside_large_offsets():
    noise = RNG.normal(size=(20_000, 1))
    params = moments(BatchNorm(), noise + 1e8, memory_limit=1)
    assert params["variance"][0] == pytest.approx(noise.var(), rel=1e-7)
    narrow = (noise + 1e3).astype(np.float32)
    params = moments(BatchNorm(), narrow, memory_limit=1)
    assert params["variance"][0] == pytest.approx(narrow.astype(float).var(), rel=1e-9)


def test_batch_norm_keeps_the_context_dtype_and_its_own_scale():
    layer, inputs = BatchNorm(), IMAGES[:, 0, :, 0]
    params = layer.init(np.random.default_rng(0), (3,))
    params = {**params, "scale": np.array([2.0, 0.0, -1.0]), "offset": np.array([1.0, 5.0, 0.0])}
    found = solved(layer, params, inputs, None, dtype=np.dtype(np.float32)).params
    assert found["mean"].dtype == found["variance"].dtype == np.float32
    assert found["scale"] is params["scale"] and found["offset"] is params["offset"]
    outputs = layer.forward(found, inputs)
    np.testing.assert_allclose(outputs.mean(axis=0), [1, 5, 0], atol=1e-3)
    np.testing.assert_allclose(outputs.std(axis=0), [2, 0, 1], atol=1e-3)
    again, _ = inverted(layer, found, outputs)
    assert np.isfinite(again).all()
    np.testing.assert_allclose(layer.forward(found, again), outputs, atol=1e-6)


@pytest.mark.parametrize("scaler", ["Standardize[clip=3.0]", "BatchNorm"])
def test_scalers_behind_other_layers_scale_what_those_hand_on(scaler):
    layers = f"Conv2D[4, 2] Flatten Stack[shrinkage=1e9]({scaler} | Identity)"
    pixels = IMAGES.reshape(150, -1)
    model = ZORBRegressor(layers, input_shape=(4, 3, 2), random_state=0, memory_limit="50KB")
    model.fit(pixels, IMAGES[:, 0, 0, 0], sample_weight=WEIGHTS[:150])
    rows = outputs_before(model, pixels)
    params = model.params_[-1]["branch_1"]["0"]
    np.testing.assert_allclose(params["mean"], np.average(rows, axis=0, weights=WEIGHTS[:150]))


@pytest.mark.quick(1)
@pytest.mark.parametrize("layer", [Standardize(clip=3.0), BatchNorm()], ids=str)
def test_jax_agrees(layer):
    import jax

    params = initial(layer, IMAGES, WEIGHTS[:150])
    outputs, found = by_jax(layer, params, IMAGES)
    with get_backend("jax").scope():
        if trait(layer, "learns"):
            options = {"backend": "jax", "sample_weight": WEIGHTS[:150]}
            inputs = jax.numpy.asarray(IMAGES)
            for name, value in solved(layer, params, inputs, None, **options).params.items():
                np.testing.assert_allclose(value, params[name], rtol=1e-10)
        step = 1e-5 * np.random.default_rng(1).normal(size=IMAGES.shape)
        gradient = jax.grad(lambda x: (layer.forward(params, x) ** 3).sum())(IMAGES)
    np.testing.assert_allclose(outputs, layer.forward(params, IMAGES), rtol=1e-10)
    np.testing.assert_allclose(found, IMAGES, rtol=1e-7)
    ends = [(layer.forward(params, IMAGES + sign * step) ** 3).sum() for sign in (1, -1)]
    assert (np.asarray(gradient) * step).sum() == pytest.approx((ends[0] - ends[1]) / 2, rel=1e-5)


def test_no_row_of_positive_weight_is_an_error():
    with pytest.raises(ValueError, match="positive weight"):
        initial(Standardize(), X, np.zeros(200))


@pytest.mark.parametrize(
    "layer",
    [
        Skip([BatchNorm(epsilon=1e-9)]),
        Parallel([[Tanh()], [BatchNorm(epsilon=1e-9)]]),
        Skip([Dense(4), BatchNorm(epsilon=1e-9)]),
        Parallel([[Identity()], [Skip([BatchNorm(epsilon=1e-9)])]]),
    ],
    ids=str,
)
@pytest.mark.parametrize("rule", [ZORB(), ZORB(relaxation=0), MLELM()], ids=repr)
@pytest.mark.parametrize("Estimator", [NetworkClassifier, NetworkRegressor])
def test_batch_norm_inside_composite_layers_learns_its_moments(Estimator, rule, layer):
    if isinstance(rule, MLELM) and layer.traits.reads_targets:
        pytest.skip("layers that read targets stay as they are drawn")
    rows = X * [1.0, 1e-3, 1e3]
    model = Estimator([Dense(4), Sigmoid(), layer], trainer=rule, random_state=0)
    model.fit(rows, (X[:, 0] > 0).astype(int), sample_weight=WEIGHTS)
    found = outputs_before(model, rows)[:, -4:]
    mean = np.average(found, axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(mean, 0, atol=1e-6)
    np.testing.assert_allclose(np.average(found**2, axis=0, weights=WEIGHTS), 1, rtol=1e-4)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("unit", [1e-150, 1e-200, 1e-300])
def test_no_unit_of_columns_is_too_small(unit, form, rng):
    rows = np.stack([unit * rng.normal(size=50), np.zeros(50), rng.normal(size=50)], axis=1)
    params = initial(Standardize(with_mean=False), form(rows))
    expected = [unit * (rows[:, 0] / unit).std(), 1, rows[:, 2].std()]
    np.testing.assert_allclose(params["deviation"], expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("spread", [1e-60, 1e-42])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_a_spread_that_vanishes_in_single_precision_divides_by_nothing(form, spread, rng):
    rows = form(spread * rng.normal(size=(20, 2)))
    layer = Standardize(with_mean=False)
    params = layer.init(rng, (2,), (rows, None, None))
    outputs = layer.forward(params, rows.astype(np.float32))
    assert np.isfinite(outputs.data if sp.issparse(outputs) else outputs).all()
