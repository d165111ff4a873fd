"""Conv2D against loops over windows and scikit-learn's ridge regression."""

import numpy as np
import pytest
from layer_calls import by_jax, initial, inverted, solved, trait
from sklearn.linear_model import Ridge
from windows import windows

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Conv2D, Flatten
from sklearn_zorb.linalg import get_backend

GEOMETRIES = [
    {"kernel_size": (2, 3), "stride": 2}, {"kernel_size": (1, 2), "stride": (3, 1), "padding": 1},
    {"kernel_size": (4, 2), "padding": "same"},
    {"kernel_size": (3, 2), "stride": (2, 3), "padding": "same"}, {"kernel_size": 2, "stride": 3},
    {"kernel_size": (7, 8)}, {"kernel_size": 4, "stride": 2, "padding": 2},
]  # fmt: skip
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
    found = []
    for place, (top, left) in windows(image, size, stride, pads_of(layer, image)):
        pixels = [(top + i, left + j) for i in range(size[0]) for j in range(size[1])]
        inside = [
            (e, (r, c))
            for e, (r, c) in enumerate(pixels)
            if 0 <= r < image[0] and 0 <= c < image[1]
        ]
        found.append((place, inside))
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
def test_forward_multiplies_the_pixels_of_each_window_by_the_weights(geometry):
    layer, params, images = setup(geometry)
    rows = rows_by_loops(layer, images)
    assert np.array_equal(layer.rows(params, images), rows)
    assert layer.rows(params, images.astype(np.float32)).dtype == np.float32
    last, _ = windows_of(layer, (7, 8))[-1]
    shape = (last[0] + 1, last[1] + 1, 5)
    assert layer.output_shape((7, 8, 3)) == shape
    expected = (rows @ params["weights"] + params["intercept"]).reshape(4, *shape)
    np.testing.assert_allclose(layer.forward(params, images), expected, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 3])
def test_many_samples_give_what_each_gives(stride):
    layer, params, images = setup({"kernel_size": 3, "stride": stride}, 300, (24, 24, 4), 30)
    inputs = images if trait(layer, "reads_inputs") else None
    outputs = layer.forward(params, images)
    found, _ = inverted(layer, params, outputs, inputs)
    for i in (0, 151, 299):
        alone, present = slice(i, i + 1), None if inputs is None else inputs[i : i + 1]
        np.testing.assert_allclose(layer.forward(params, images[alone]), outputs[alone], atol=1e-12)
        expected, _ = inverted(layer, params, outputs[alone], present)
        np.testing.assert_allclose(found[alone], expected, atol=1e-12)


@pytest.mark.quick(2)
@geometries
def test_jax_agrees(geometry):
    layer, params, images = setup(geometry)
    targets = np.random.default_rng(1).normal(size=layer.forward(params, images).shape)
    outputs, found = by_jax(layer, params, images, targets)
    np.testing.assert_allclose(outputs, layer.forward(params, images), atol=1e-12)
    expected, _ = inverted(layer, params, targets, images)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    with get_backend("jax").scope():
        rows = layer.rows(params, get_backend("jax").asarray(images))
        np.testing.assert_array_equal(rows, layer.rows(params, images))


@pytest.mark.parametrize("geometry", [GEOMETRIES[k] for k in (1, 3, 4)], ids=str)
@pytest.mark.parametrize("n", [7, 500])  # few go through together, many in parts
def test_jax_derivatives_are_products_with_the_windows(geometry, n):
    import jax

    layer, params, images = setup(geometry, n)
    rng = np.random.default_rng(1)
    weights, along = params["weights"], rng.normal(size=params["weights"].shape)
    rows = rows_by_loops(layer, images)
    outer = rng.normal(size=layer.forward(params, images).shape)
    pixels = (outer @ weights.T).reshape(*outer.shape[:3], -1, 3)
    of_images = np.zeros_like(images)
    for (p, q), elements in windows_of(layer, (7, 8)):
        for element, pixel in elements:
            of_images[:, *pixel] += pixels[:, p, q, element]

    def outputs(weights, intercept, images):
        return layer.forward({"weights": weights, "intercept": intercept}, images)

    def derivatives(weights, intercept, images):
        found, pull = jax.vjp(outputs, weights, intercept, images)
        _, change = jax.jvp(lambda w: outputs(w, intercept, images), (weights,), (along,))
        return found, change, pull(outer)

    with get_backend("jax").scope():
        found, change, gradients = jax.jit(derivatives)(weights, params["intercept"], images)
    expected = (rows @ weights + params["intercept"]).reshape(outer.shape)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(gradients[0], rows.T @ outer.reshape(-1, 5), atol=1e-10)
    np.testing.assert_allclose(gradients[1], outer.sum(axis=(0, 1, 2)), atol=1e-11)
    np.testing.assert_allclose(gradients[2], of_images, atol=1e-12)
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
    found, _ = inverted(layer, params, targets, images)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    if not trait(layer, "reads_inputs"):
        np.testing.assert_array_equal(inverted(layer, params, targets)[0], found)


def test_pixels_under_no_window_keep_their_present_value():
    layer, params, images = setup({"kernel_size": 2, "stride": 3})
    found, _ = inverted(layer, params, layer.forward(params, images), images)
    assert trait(layer, "reads_inputs")
    # the layer is one window of 2 x 2 in every 3 x 3
    np.testing.assert_array_equal(found[:, 2::3], images[:, 2::3])
    np.testing.assert_array_equal(found[:, :, 2::3], images[:, :, 2::3])
    np.testing.assert_allclose(layer.forward(params, found), layer.forward(params, images))


def test_invert_cuts_singular_values_at_backward_rcond():
    layer, params, images = setup({"kernel_size": 2, "stride": 2}, image=(6, 6, 1), filters=4)
    left, _, right = np.linalg.svd(params["weights"])
    params["weights"] = left @ np.diag([1.0, 0.5, 0.1, 1e-3]) @ right
    targets = np.random.default_rng(1).normal(size=(4, 3, 3, 4))
    found, _ = inverted(layer, params, targets, images, backward_rcond=0.2)
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
    found = solved(
        layer, params, images, targets, alpha=3.0, sample_weight=weights, memory_limit=1
    ).params
    ridge = Ridge(alpha=3.0, fit_intercept=use_bias)
    ridge.fit(rows_by_loops(layer, images), targets.reshape(-1, 5), np.repeat(weights, 20))
    np.testing.assert_allclose(found["weights"], ridge.coef_.T, atol=1e-10)
    np.testing.assert_allclose(found["intercept"], np.broadcast_to(ridge.intercept_, 5), atol=1e-10)


def test_glorot_limit_counts_the_pixels_of_a_window():
    weights = Conv2D(50, (3, 5)).init(np.random.default_rng(0), (9, 9, 4))["weights"]
    limit = np.sqrt(6 / (3 * 5 * 4 + 50))
    assert weights.shape == (60, 50)
    assert 0.99 * limit < np.abs(weights).max() <= limit


def test_data_pairs_take_the_window_of_largest_variance():
    images = np.zeros((12, 6, 6, 1))
    places = np.random.default_rng(0).integers(4, size=(12, 2))
    patches = np.random.default_rng(1).normal(size=(12, 3, 3, 1))
    for image, (i, j), patch in zip(images, places, patches, strict=True):
        image[i : i + 3, j : j + 3] = patch
    layer = Conv2D(30, 3, initializer="data_pairs")
    params = layer.init(np.random.default_rng(0), (6, 6, 1), (images, np.arange(12.0), None))
    all_rows = rows_by_loops(layer, images).reshape(12, 16, 9)
    best = all_rows[np.arange(12), all_rows.var(axis=2).argmax(axis=1)]
    # each filter goes from -ln 3 to ln 3 between two of these windows
    values = best @ params["weights"] + params["intercept"]
    for end in (np.log(3), -np.log(3)):
        np.testing.assert_allclose(np.abs(values - end).min(axis=0), 0, atol=1e-9)


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


def test_numbers_of_numpy_are_taken():
    X = np.random.default_rng(0).normal(size=(9, 36))
    layer = Conv2D(np.int64(2), np.int32(3), stride=(1, 2), padding=np.int64(0))
    model = ZORBRegressor([layer, Flatten()], input_shape=(6, 6, 1)).fit(X, X[:, 0])
    assert [params["weights"].shape for params in model.params_ if "weights" in params][0] == (9, 2)


def contrasted(rows, floor):
    """Each window less its mean, by its own spread."""
    return np.array([(row - row.mean()) / np.sqrt(row.var() + floor) for row in rows])


@pytest.mark.quick(2)
@geometries
def test_contrast_scales_each_window(geometry):
    layer, _, images = setup(geometry, contrast=0.2)
    params = initial(layer, images)
    rows = rows_by_loops(layer, images)
    expected = contrasted(rows, float(params["floor"]))
    before = images.copy()
    np.testing.assert_allclose(layer.rows(params, images), expected, atol=1e-12)
    outputs = layer.forward(params, images)
    weighed = expected @ params["weights"] + params["intercept"]
    np.testing.assert_allclose(outputs.reshape(-1, 5), weighed, atol=1e-12)
    np.testing.assert_array_equal(images, before)
    by_xla, found = by_jax(layer, params, images)
    np.testing.assert_allclose(by_xla, outputs, atol=1e-12)
    np.testing.assert_allclose(found, inverted(layer, params, outputs, images)[0], atol=1e-10)


def test_contrast_does_not_depend_on_the_unit_of_pixels():
    layer, _, images = setup({"kernel_size": 3}, n=30, contrast=0.2)
    outputs = layer.forward(initial(layer, images), images)
    dark = images / 255
    np.testing.assert_allclose(layer.forward(initial(layer, dark), dark), outputs, atol=1e-9)
    assert float(initial(layer, images)["floor"]) == pytest.approx(
        0.2 * rows_by_loops(layer, images).var(axis=1).mean()
    )


def test_targets_of_windows_get_the_present_mean_and_spread():
    layer, _, images = setup({"kernel_size": 3, "stride": 3}, image=(6, 6, 2), contrast=0.2)
    params = initial(layer, images)
    targets = np.random.default_rng(1).normal(size=(4, 2, 2, 5))
    found, _ = inverted(layer, params, targets, images)
    rows = rows_by_loops(layer, images)
    pixels = (targets - params["intercept"]).reshape(-1, 5) @ np.linalg.pinv(params["weights"])
    spread = np.sqrt(rows.var(axis=1, keepdims=True) + params["floor"])
    expected = pixels * spread + rows.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(rows_by_loops(layer, found), expected, atol=1e-10)
