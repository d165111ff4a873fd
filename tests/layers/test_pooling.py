"""Pooling against loops and against the nearest image found by search."""

import numpy as np
import pytest
from layer_calls import by_jax, inverted
from scipy.optimize import minimize
from windows import windows

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import AvgPool2D, Context, MaxPool2D
from sklearn_zorb.linalg import get_backend

GEOMETRIES = [
    {"pool_size": (2, 3)}, {"pool_size": 3, "stride": 2}, {"pool_size": (1, 2), "stride": (3, 1)},
    {"pool_size": (6, 7)},
]  # fmt: skip
geometries = pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
pools = pytest.mark.parametrize("pool", [MaxPool2D, AvgPool2D])
IMAGES = np.random.default_rng(0).normal(size=(3, 6, 7, 2))


def windows_of(geometry, shape):
    """(p, q) and the slices of each window."""
    size = np.broadcast_to(geometry["pool_size"], 2)
    stride = np.broadcast_to(geometry.get("stride", size), 2)
    return [
        (place, (slice(i, i + size[0]), slice(j, j + size[1])))
        for place, (i, j) in windows(shape, size, stride)
    ]


@geometries
@pools
def test_forward_takes_the_largest_or_the_mean(pool, geometry):
    layer = pool(**geometry)
    reduce = np.max if pool is MaxPool2D else np.mean
    expected = np.zeros((3, *layer.output_shape((6, 7, 2))))
    for (p, q), (rows, columns) in windows_of(geometry, (6, 7)):
        expected[:, p, q] = reduce(IMAGES[:, rows, columns], axis=(1, 2))
    outputs = layer.forward({}, IMAGES)
    np.testing.assert_allclose(outputs, expected, atol=1e-12)
    # targets that are reached move nothing
    np.testing.assert_allclose(inverted(layer, {}, outputs, IMAGES)[0], IMAGES, atol=1e-12)


@geometries
@pools
def test_invert_is_the_mean_of_the_nearest_windows(pool, geometry):
    layer = pool(**geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward({}, IMAGES).shape)
    total, count = np.zeros_like(IMAGES), np.zeros((6, 7, 1))
    for (p, q), where in windows_of(geometry, (6, 7)):
        count[where] += 1
        for n in range(3):
            for c in range(2):
                window, target = IMAGES[n][where][..., c], targets[n, p, q, c]
                if pool is AvgPool2D:
                    near = window + target - window.mean()
                else:
                    near = np.minimum(window, target)
                    near[np.unravel_index(window.argmax(), window.shape)] = target
                total[n][where][..., c] += near
    expected = np.where(count > 0, total / np.maximum(count, 1), IMAGES)
    found, params = inverted(layer, {}, targets, IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert params == {}


@pytest.mark.parametrize("target", [-0.5, 0.4, 3.0])
@pools
def test_one_window_comes_as_near_as_any_search(pool, target):
    window = np.array([0.3, -1.0, 1.2, 0.9])
    found, _ = inverted(pool(), {}, np.full((1, 1, 1, 1), target), window.reshape(1, 2, 2, 1))
    found = found.ravel()
    reached = found.mean() if pool is AvgPool2D else found.max()
    assert reached == pytest.approx(target)
    if pool is AvgPool2D:
        constraints = [{"type": "eq", "fun": lambda x: x.mean() - target}]
        all_bounds = [None]
    else:
        # the largest is the target if one entry is it and no other exceeds it
        constraints, free = [], (None, target)
        all_bounds = [[free] * top + [(target, target)] + [free] * (3 - top) for top in range(4)]
    distances = [
        minimize(
            lambda x: ((x - window) ** 2).sum(), np.full(4, target), bounds=bounds,
            constraints=constraints, method="SLSQP", options={"ftol": 1e-12},
        ).fun
        for bounds in all_bounds
    ]  # fmt: skip
    assert ((found - window) ** 2).sum() == pytest.approx(min(distances), abs=1e-6)


def test_equal_pixels_are_raised_once():
    found, _ = inverted(MaxPool2D(), {}, np.full((1, 1, 1, 1), 2.0), np.ones((1, 2, 2, 1)))
    assert found.ravel().tolist() == [2.0, 1.0, 1.0, 1.0]


@pytest.mark.quick(1)
@pytest.mark.parametrize("geometry", GEOMETRIES[:3], ids=str)
@pools
def test_jax_agrees_and_its_gradient_is_the_finite_difference(pool, geometry):
    import jax

    layer = pool(**geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward({}, IMAGES).shape)

    def loss(inputs):
        return ((layer.forward({}, inputs) - targets) ** 2).sum()

    outputs, found = by_jax(layer, {}, IMAGES, targets)
    with get_backend("jax").scope():
        gradient = np.asarray(jax.grad(loss)(IMAGES))
    np.testing.assert_allclose(outputs, layer.forward({}, IMAGES), atol=1e-12)
    np.testing.assert_allclose(found, inverted(layer, {}, targets, IMAGES)[0], atol=1e-12)
    step = 1e-6 * np.random.default_rng(2).normal(size=IMAGES.shape)
    slope = (loss(IMAGES + step) - loss(IMAGES - step)) / 2
    assert (gradient * step).sum() == pytest.approx(slope, rel=1e-5)


@pools
def test_windows_that_do_not_fit_are_refused(pool):
    name = pool.__name__
    with pytest.raises(ValueError, match=rf"{name} got input of shape \(2, 9, 1\).*3 x 3"):
        pool(3).output_shape((2, 9, 1))
    with pytest.raises(ValueError, match=rf"{name} got input of shape \(18,\).*height"):
        pool(3).output_shape((18,))


@pools
@pytest.mark.parametrize("regions", [1, 2, 3, (4, 5), (6, 7)], ids=str)
def test_regions_cover_the_image(pool, regions):
    layer = pool(regions=regions)
    down, across = np.broadcast_to(regions, 2)
    assert layer.output_shape((6, 7, 2)) == (down, across, 2)
    seen = np.zeros((6, 7))
    size = [6 - (down - 1) * (6 // down), 7 - (across - 1) * (7 // across)]
    reduce = np.max if pool is MaxPool2D else np.mean
    outputs = layer.forward({}, IMAGES)
    for p in range(down):
        for q in range(across):
            where = (
                slice(p * (6 // down), p * (6 // down) + size[0]),
                slice(q * (7 // across), q * (7 // across) + size[1]),
            )
            seen[where] += 1
            expected = reduce(IMAGES[:, *where], axis=(1, 2))
            np.testing.assert_allclose(outputs[:, p, q], expected, atol=1e-12)
    assert seen.min() >= 1


@pools
@pytest.mark.parametrize(
    "side, regions, overlap, size, step",
    [(32, 4, 0.5, 14, 6), (32, 4, 0.25, 11, 7), (32, 4, 0.9, 26, 2), (24, 3, 0.3, 10, 7)],
)
def test_regions_overlap_by_a_share(pool, side, regions, overlap, size, step):
    images = np.random.default_rng(0).normal(size=(2, side, side, 1))
    layer, expected = pool(regions=regions, overlap=overlap), pool(size, stride=step)
    targets = expected.forward({}, images)
    np.testing.assert_array_equal(layer.forward({}, images), targets)
    np.testing.assert_array_equal(
        layer.invert({}, targets + 1, images, Context()),
        expected.invert({}, targets + 1, images, Context()),
    )


@pools
@pytest.mark.parametrize("overlap", [-0.1, 1, "half"])
def test_an_overlap_is_a_share_below_one(pool, overlap):
    layer = pool(regions=2, overlap=overlap)
    with pytest.raises(ValueError, match="overlap"):
        ZORBRegressor([layer], input_shape=(4, 4, 1)).fit(np.zeros((3, 16)), np.arange(3))


@pools
def test_more_regions_than_pixels_are_refused(pool):
    with pytest.raises(ValueError, match="no 7 x 7 regions"):
        pool(regions=7).output_shape((6, 7, 2))
