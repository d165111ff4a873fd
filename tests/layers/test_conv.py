"""Conv2D against loops, SciPy and scikit-learn."""

import numpy as np
import pytest
from scipy.signal import correlate2d
from sklearn.linear_model import Ridge

from sklearn_zorb.layers import Context, Conv2D
from sklearn_zorb.linalg import LeastSquares, get_backend
from sklearn_zorb.memory import Memory
from sklearn_zorb.targets import Targets

GEOMETRIES = [
    {"kernel_size": 3},
    {"kernel_size": (2, 3), "stride": 2},
    {"kernel_size": (1, 2), "stride": (3, 1), "padding": 1},
    {"kernel_size": (2, 3), "padding": 1},
    {"kernel_size": 3, "padding": "same"},
    {"kernel_size": (4, 2), "padding": "same"},
    {"kernel_size": (3, 2), "stride": (2, 3), "padding": "same"},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": (7, 8)},
    {"kernel_size": 4, "stride": 2, "padding": 2},
]
geometries = pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)


def pads_of(layer, image):
    """Zeros before and after each axis, from the definition of each padding."""
    sizes = np.broadcast_to(layer.kernel_size, 2)
    strides = np.broadcast_to(layer.stride, 2)
    if layer.padding == "valid":
        return [(0, 0), (0, 0)]
    if layer.padding != "same":
        return [(layer.padding, layer.padding)] * 2
    pads = []
    for n, k, s in zip(image, sizes, strides, strict=True):
        count = int(np.ceil(n / s))
        missing = max((count - 1) * s + k - n, 0)
        pads.append((missing // 2, missing - missing // 2))
    return pads


def windows_of(layer, image):
    """Pixel indices of each window: list of ((p, q), [(element, (row, column)), ...])."""
    size, stride = np.broadcast_to(layer.kernel_size, 2), np.broadcast_to(layer.stride, 2)
    pads = pads_of(layer, image)
    found, p = [], 0
    top = -pads[0][0]
    while top + size[0] <= image[0] + pads[0][1]:
        q, left = 0, -pads[1][0]
        while left + size[1] <= image[1] + pads[1][1]:
            elements = [
                (i * size[1] + j, (top + i, left + j))
                for i in range(size[0])
                for j in range(size[1])
            ]
            inside = [
                (e, (r, c)) for e, (r, c) in elements if 0 <= r < image[0] and 0 <= c < image[1]
            ]
            found.append(((p, q), inside))
            q, left = q + 1, left + stride[1]
        p, top = p + 1, top + stride[0]
    return found


def rows_by_loops(layer, images):
    """The design rows, sample by sample and window by window."""
    n_elements, channels = int(np.prod(np.broadcast_to(layer.kernel_size, 2))), images.shape[3]
    rows = []
    for image in images:
        for _, elements in windows_of(layer, image.shape[:2]):
            row = np.zeros((n_elements, channels))
            for element, pixel in elements:
                row[element] = image[pixel]
            rows.append(row.ravel())
    return np.array(rows)


def setup(geometry, n=4, image=(7, 8, 3), filters=5, **kwargs):
    rng = np.random.default_rng(0)
    layer = Conv2D(filters, **geometry, **kwargs)
    return layer, layer.init(rng, image), rng.normal(size=(n, *image))


@geometries
def test_rows_are_the_pixels_of_each_window(geometry):
    layer, params, images = setup(geometry)
    expected = rows_by_loops(layer, images)
    assert layer.row_width((7, 8, 3)) == expected.shape[1]
    assert np.array_equal(layer.rows(params, images), expected)
    assert layer.rows(params, images.astype(np.float32)).dtype == np.float32


@geometries
def test_forward_multiplies_each_window_by_the_weights(geometry):
    layer, params, images = setup(geometry)
    last, _ = windows_of(layer, (7, 8))[-1]
    assert layer.output_shape((7, 8, 3)) == (last[0] + 1, last[1] + 1, 5)
    outputs = rows_by_loops(layer, images) @ params["weights"] + params["intercept"]
    expected = outputs.reshape(4, last[0] + 1, last[1] + 1, 5)
    np.testing.assert_allclose(layer.forward(params, images), expected, atol=1e-12)


@pytest.mark.parametrize(("padding", "mode"), [("valid", "valid"), ("same", "same"), (2, "full")])
def test_forward_is_scipy_correlation(padding, mode):
    layer, params, images = setup({"kernel_size": 3, "padding": padding}, image=(6, 5, 2))
    kernels = params["weights"].reshape(3, 3, 2, 5)
    for image, output in zip(images, layer.forward(params, images), strict=True):
        for f in range(5):
            channels = [correlate2d(image[..., c], kernels[..., c, f], mode) for c in range(2)]
            np.testing.assert_allclose(output[..., f], sum(channels) + params["intercept"][f])


@pytest.mark.parametrize("stride", [1, 3])
def test_chunks_of_samples_change_nothing(stride, monkeypatch):
    layer, params, images = setup({"kernel_size": 2, "stride": stride}, n=150)
    inputs = images if layer.needs_inputs else None
    whole = layer.forward(params, images)
    found, _ = layer.invert(params, whole, inputs)
    monkeypatch.setattr("sklearn_zorb.layers.conv.Memory", lambda: Memory(1))
    monkeypatch.setattr("sklearn_zorb.layers.conv.CACHED_BYTES", 7e3)
    np.testing.assert_allclose(layer.forward(params, images), whole, atol=1e-12)
    np.testing.assert_allclose(layer.invert(params, whole, inputs)[0], found, atol=1e-12)


@geometries
def test_jax_agrees(geometry):
    layer, params, images = setup(geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward(params, images).shape)
    backend = get_backend("jax")
    with backend.scope():
        moved = {name: backend.asarray(value) for name, value in params.items()}
        outputs = layer.forward(moved, backend.asarray(images))
        np.testing.assert_allclose(outputs, layer.forward(params, images), atol=1e-12)
        rows = layer.rows(moved, backend.asarray(images))
        np.testing.assert_array_equal(rows, layer.rows(params, images))
        found, _ = layer.invert(moved, backend.asarray(targets), backend.asarray(images))
        expected, _ = layer.invert(params, targets, images)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES[:7], ids=str)
def test_jax_gradient_is_the_finite_difference(geometry):
    import jax

    layer, params, images = setup(geometry, n=2)
    target = np.random.default_rng(1).normal(size=layer.forward(params, images).shape)

    def loss(params, images):
        return ((layer.forward(params, images) - target) ** 2).sum()

    with get_backend("jax").scope():
        gradients = jax.grad(loss, argnums=(0, 1))(params, images)
    direction = np.random.default_rng(2)
    for k, name in [(0, "weights"), (0, "intercept"), (1, None)]:
        value = params[name] if name else images
        step = 1e-5 * direction.normal(size=value.shape)

        def moved(sign, name=name, step=step):
            if name is None:
                return loss(params, images + sign * step)
            return loss({**params, name: params[name] + sign * step}, images)

        gradient = np.asarray(gradients[k][name] if name else gradients[k])
        assert (gradient * step).sum() == pytest.approx((moved(1) - moved(-1)) / 2, rel=1e-6)


@pytest.mark.parametrize(("platform", "fitting"), [("gpu", 1), *(("cpu", n) for n in (1, 3, 7))])
@pytest.mark.parametrize("geometry", [GEOMETRIES[k] for k in (2, 6, 7)], ids=str)
def test_jax_derivatives_are_products_with_the_windows(geometry, platform, fitting, monkeypatch):
    import jax

    layer, params, images = setup(geometry, n=7)
    rng = np.random.default_rng(1)
    weights, along = params["weights"], rng.normal(size=params["weights"].shape)
    rows = rows_by_loops(layer, images)
    outer = rng.normal(size=layer.forward(params, images).shape)
    pixels = (outer @ weights.T).reshape(*outer.shape[:3], -1, 3)
    of_images = np.zeros_like(images)
    for (p, q), elements in windows_of(layer, (7, 8)):
        for element, pixel in elements:
            of_images[:, *pixel] += pixels[:, p, q, element]
    # samples that go through together: one, some and a rest, all
    sample_bytes = 8 * len(rows) // 7 * sum(weights.shape)
    monkeypatch.setattr("sklearn_zorb.layers.conv.CACHED_BYTES", fitting * sample_bytes)
    monkeypatch.setattr(jax, "default_backend", lambda: platform)

    def outputs(weights, images):
        return layer.forward({**params, "weights": weights}, images)

    def derivatives(weights, images):
        found, pull = jax.vjp(outputs, weights, images)
        _, change = jax.jvp(lambda w: outputs(w, images), (weights,), (along,))
        return found, change, pull(outer)

    with get_backend("jax").scope():
        found, change, gradients = jax.jit(derivatives)(weights, images)
    expected = (rows @ weights + params["intercept"]).reshape(outer.shape)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(gradients[0], rows.T @ outer.reshape(-1, 5), atol=1e-11)
    np.testing.assert_allclose(gradients[1], of_images, atol=1e-12)
    np.testing.assert_allclose(change, (rows @ along).reshape(outer.shape), atol=1e-12)


@geometries
def test_invert_is_the_mean_of_minimum_norm_windows(geometry):
    layer, params, images = setup(geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward(params, images).shape)
    patches = (targets - params["intercept"]) @ np.linalg.pinv(params["weights"])
    expected = images.copy()
    for n in range(len(images)):
        total, count = np.zeros((7, 8, 3)), np.zeros((7, 8, 1))
        for (p, q), elements in windows_of(layer, (7, 8)):
            patch = patches[n, p, q].reshape(-1, 3)
            for element, pixel in elements:
                total[pixel] += patch[element]
                count[pixel] += 1
        expected[n] = np.where(count > 0, total / np.maximum(count, 1), images[n])
    found, same = layer.invert(params, targets, images)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert same is params
    if not layer.needs_inputs:
        np.testing.assert_array_equal(layer.invert(params, targets, None)[0], found)


def test_pixels_under_no_window_keep_their_present_value():
    layer, params, images = setup({"kernel_size": 2, "stride": 3})
    found, _ = layer.invert(params, layer.forward(params, images), images)
    assert layer.needs_inputs
    # the layer is one window of 2 x 2 in every 3 x 3
    np.testing.assert_array_equal(found[:, 2::3], images[:, 2::3])
    np.testing.assert_array_equal(found[:, :, 2::3], images[:, :, 2::3])
    np.testing.assert_allclose(layer.forward(params, found), layer.forward(params, images))


def test_invert_cuts_singular_values_at_backward_rcond():
    layer, params, images = setup({"kernel_size": 2, "stride": 2}, image=(6, 6, 1), filters=4)
    left, _, right = np.linalg.svd(params["weights"])
    params["weights"] = left @ np.diag([1.0, 0.5, 0.1, 1e-3]) @ right
    targets = np.random.default_rng(1).normal(size=(4, 3, 3, 4))
    found, _ = layer.invert(params, targets, images, backward_rcond=0.2)
    inverse = np.linalg.pinv(params["weights"], rcond=0.2)
    expected = (targets - params["intercept"]) @ inverse
    np.testing.assert_allclose(layer.rows(params, found), expected.reshape(-1, 4), atol=1e-12)


@pytest.mark.parametrize("use_bias", [True, False])
def test_solve_is_ridge_on_rows_weighted_by_sample(use_bias):
    layer, params, images = setup(
        {"kernel_size": 3, "padding": "same"}, n=70, image=(5, 4, 2), use_bias=use_bias
    )
    rng = np.random.default_rng(1)
    targets, weights = rng.normal(size=(70, 5, 4, 5)), rng.uniform(0.5, 2, size=70)
    context = Context(solver=LeastSquares(alpha=3.0), sample_weight=weights, memory=Memory(1))
    solved = layer.solve(params, images, Targets(targets), context).params
    ridge = Ridge(alpha=3.0, fit_intercept=use_bias)
    ridge.fit(rows_by_loops(layer, images), targets.reshape(-1, 5), np.repeat(weights, 20))
    np.testing.assert_allclose(solved["weights"], ridge.coef_.T, atol=1e-10)
    np.testing.assert_allclose(
        solved["intercept"], np.broadcast_to(ridge.intercept_, 5), atol=1e-10
    )


def test_solve_finds_the_weights_that_made_the_targets():
    layer, params, images = setup({"kernel_size": 3, "stride": 2}, n=40)
    other = layer.init(np.random.default_rng(7), (7, 8, 3))
    context = Context(solver=LeastSquares(alpha=0))
    solved = layer.solve(params, images, Targets(layer.forward(other, images)), context).params
    for name in ("weights", "intercept"):
        np.testing.assert_allclose(solved[name], other[name], atol=1e-10)


def test_glorot_limit_counts_the_pixels_of_a_window():
    weights = Conv2D(50, (3, 5)).init(np.random.default_rng(0), (9, 9, 4))["weights"]
    limit = np.sqrt(6 / (3 * 5 * 4 + 50))
    assert weights.shape == (60, 50)
    assert 0.99 * limit < np.abs(weights).max() <= limit


def test_data_pairs_take_the_window_of_largest_variance():
    seen = {}

    class Spy(Conv2D):
        def _rows_of(self, data):
            rows = super()._rows_of(data)
            seen["rows"] = rows()[0]
            return rows

    images = np.zeros((12, 6, 6, 1))
    places = np.random.default_rng(0).integers(4, size=(12, 2))
    patches = np.random.default_rng(1).normal(size=(12, 3, 3, 1))
    for image, (i, j), patch in zip(images, places, patches, strict=True):
        image[i : i + 3, j : j + 3] = patch
    layer = Spy(4, 3, initializer="data_pairs")
    y = np.arange(12.0)
    params = layer.init(np.random.default_rng(0), (6, 6, 1), (images, y, None))
    assert params["weights"].shape == (9, 4)
    all_rows = rows_by_loops(layer, images).reshape(12, 16, 9)
    best = all_rows.var(axis=2).argmax(axis=1)
    np.testing.assert_array_equal(seen["rows"], all_rows[np.arange(12), best])


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv2D(2), (9,), r"Conv2D got input of shape \(9,\).*Reshape\(\(height, width"),
        (Conv2D(2, 5), (4, 9, 1), r"Conv2D got input of shape \(4, 9, 1\).*5 x 5"),
        (Conv2D(2, (3, 0)), (4, 9, 1), r"kernel_size=\(3, 0\)"),
        (Conv2D(2, stride=(1, 2, 3)), (4, 9, 1), r"stride=\(1, 2, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.output_shape(shape)


@pytest.mark.parametrize(
    "wrong",
    [{"filters": 0}, {"kernel_size": 0}, {"stride": 1.5}, {"padding": "full"}, {"padding": -1}],
)
def test_bad_hyperparameters_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Conv2D(2).set_params(**wrong)._validate_params()
    Conv2D(np.int64(2), np.int32(3), stride=(1, 2), padding=np.int64(0))._validate_params()
