"""Pooling against loops and against the nearest image found by search; shapes."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import minimize

from sklearn_zorb.layers import AvgPool2D, Flatten, MaxPool2D, Reshape
from sklearn_zorb.linalg import get_backend

GEOMETRIES = [
    {"pool_size": 2},
    {"pool_size": (2, 3)},
    {"pool_size": 3, "stride": 2},
    {"pool_size": (1, 2), "stride": (3, 1)},
    {"pool_size": (6, 7)},
]
geometries = pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
pools = pytest.mark.parametrize("pool", [MaxPool2D, AvgPool2D])


def windows_of(geometry, shape):
    """(p, q) and the slices of each window."""
    size = np.broadcast_to(geometry["pool_size"], 2)
    stride = np.broadcast_to(geometry.get("stride", size), 2)
    tops = range(0, shape[0] - size[0] + 1, stride[0])
    lefts = range(0, shape[1] - size[1] + 1, stride[1])
    return [
        ((p, q), (slice(i, i + size[0]), slice(j, j + size[1])))
        for p, i in enumerate(tops)
        for q, j in enumerate(lefts)
    ]


def images(n=3, shape=(6, 7, 2), seed=0):
    return np.random.default_rng(seed).normal(size=(n, *shape))


@geometries
@pools
def test_forward_takes_the_largest_or_the_mean(pool, geometry):
    inputs, layer = images(), pool(**geometry)
    reduce = np.max if pool is MaxPool2D else np.mean
    expected = np.zeros((3, *layer.output_shape((6, 7, 2))))
    for (p, q), (rows, columns) in windows_of(geometry, (6, 7)):
        expected[:, p, q] = reduce(inputs[:, rows, columns], axis=(1, 2))
    np.testing.assert_allclose(layer.forward({}, inputs), expected, atol=1e-12)


@geometries
@pools
def test_invert_is_the_mean_of_the_nearest_windows(pool, geometry):
    inputs, layer = images(), pool(**geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward({}, inputs).shape)
    total, count = np.zeros_like(inputs), np.zeros((6, 7, 1))
    for (p, q), where in windows_of(geometry, (6, 7)):
        count[where] += 1
        for n in range(3):
            for c in range(2):
                window, target = inputs[n][where][..., c], targets[n, p, q, c]
                if pool is AvgPool2D:
                    near = window + target - window.mean()
                else:
                    near = np.minimum(window, target)
                    near[np.unravel_index(window.argmax(), window.shape)] = target
                total[n][where][..., c] += near
    expected = np.where(count > 0, total / np.maximum(count, 1), inputs)
    found, params = layer.invert({}, targets, inputs)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert params == {}


@pytest.mark.parametrize("target", [-0.5, 0.4, 3.0])
@pools
def test_one_window_comes_as_near_as_any_search(pool, target):
    window = np.array([0.3, -1.0, 1.2, 0.9])
    layer = pool()
    found, _ = layer.invert({}, np.full((1, 1, 1, 1), target), window.reshape(1, 2, 2, 1))
    found = found.ravel()
    reached = found.mean() if pool is AvgPool2D else found.max()
    assert reached == pytest.approx(target)
    if pool is AvgPool2D:
        constraints = [{"type": "eq", "fun": lambda x: x.mean() - target}]
        starts = [None]
    else:
        # the largest is the target if one entry is it and no other exceeds it
        constraints, starts = [], range(4)
    distances = []
    for top in starts:
        bounds = None
        if top is not None:
            bounds = [(None, target)] * 4
            bounds[top] = (target, target)
        search = minimize(
            lambda x: ((x - window) ** 2).sum(), np.full(4, target), bounds=bounds,
            constraints=constraints, method="SLSQP", options={"ftol": 1e-12},
        )  # fmt: skip
        distances.append(search.fun)
    assert ((found - window) ** 2).sum() == pytest.approx(min(distances), abs=1e-6)


@geometries
@pools
def test_targets_that_are_reached_move_nothing(pool, geometry):
    inputs, layer = images(), pool(**geometry)
    found, _ = layer.invert({}, layer.forward({}, inputs), inputs)
    np.testing.assert_allclose(found, inputs, atol=1e-12)


def test_equal_pixels_are_raised_once():
    found, _ = MaxPool2D().invert({}, np.full((1, 1, 1, 1), 2.0), np.ones((1, 2, 2, 1)))
    assert found.ravel().tolist() == [2.0, 1.0, 1.0, 1.0]


@geometries
@pools
def test_jax_agrees(pool, geometry):
    inputs, layer = images(), pool(**geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward({}, inputs).shape)
    backend = get_backend("jax")
    with backend.scope():
        outputs = layer.forward({}, backend.asarray(inputs))
        found, _ = layer.invert({}, backend.asarray(targets), backend.asarray(inputs))
    np.testing.assert_allclose(outputs, layer.forward({}, inputs), atol=1e-12)
    np.testing.assert_allclose(found, layer.invert({}, targets, inputs)[0], atol=1e-12)


@geometries
@pools
def test_jax_gradient_is_the_finite_difference(pool, geometry):
    import jax

    inputs, layer = images(n=2), pool(**geometry)
    target = np.random.default_rng(1).normal(size=layer.forward({}, inputs).shape)

    def loss(inputs):
        return ((layer.forward({}, inputs) - target) ** 2).sum()

    with get_backend("jax").scope():
        gradient = np.asarray(jax.grad(loss)(inputs))
    step = 1e-6 * np.random.default_rng(2).normal(size=inputs.shape)
    slope = (loss(inputs + step) - loss(inputs - step)) / 2
    assert (gradient * step).sum() == pytest.approx(slope, rel=1e-5)


@pools
def test_windows_that_do_not_fit_are_refused(pool):
    name = pool.__name__
    with pytest.raises(ValueError, match=rf"{name} got input of shape \(2, 9, 1\).*3 x 3"):
        pool(3).output_shape((2, 9, 1))
    with pytest.raises(ValueError, match=rf"{name} got input of shape \(18,\).*height"):
        pool(3).output_shape((18,))
    for wrong in ({"pool_size": 0}, {"stride": -1}, {"stride": "two"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            pool(**wrong)._validate_params()


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Flatten(), (4, 3, 2), (24,)),
        (Flatten(), (24,), (24,)),
        (Reshape((4, 3, 2)), (24,), (4, 3, 2)),
        (Reshape([2, -1]), (4, 3, 2), (2, 12)),
        (Reshape((np.int64(24),)), (4, 3, 2), (24,)),
    ],
)
def test_shapes_there_and_back(layer, shape, expected):
    inputs = np.arange(48.0).reshape(2, *shape)
    params = layer.init(np.random.default_rng(0), shape)
    outputs = layer.forward(params, inputs)
    assert layer.output_shape(shape) == expected and outputs.shape == (2, *expected)
    assert np.array_equal(outputs.ravel(), inputs.ravel())
    found, _ = layer.invert(params, outputs, None)
    assert np.array_equal(found, inputs)
    assert layer.forward(params, inputs[:0]).shape == (0, *expected)


@pytest.mark.parametrize("shape", [(5, 5), (-1, -1), (0, -1), (), (-2, -12), (-1, 7)])
def test_shapes_that_do_not_hold_the_numbers_are_refused(shape):
    with pytest.raises(ValueError, match=r"Reshape got input of shape \(24,\).*24 numbers"):
        Reshape(shape).output_shape((24,))


def test_sparse_rows_stay_sparse_only_where_they_stay_flat():
    X = sp.random(5, 12, density=0.3, format="csr", random_state=0)
    assert Flatten().forward({}, X) is X
    dense = Reshape((3, 4, 1)).forward({}, X)
    assert np.array_equal(dense.reshape(5, 12), X.toarray())
