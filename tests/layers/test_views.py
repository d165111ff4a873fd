"""Averages over several views of an image, and responses of both signs."""

import numpy as np
import pytest
from layer_calls import initial, inverted

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.layers import AvgPool2D, Conv2D, CReLU, Flatten, FlipAverage, ShiftAverage

IMAGES = np.random.default_rng(0).normal(size=(40, 6, 5, 2))


BLOCK = [Conv2D(4, 3), CReLU(0.1), AvgPool2D(regions=2), Flatten()]


def mean_of_block(params, views):
    """What the layers make of each view, on average."""
    total = 0
    for rows in views:
        for layer, layer_params in zip(BLOCK, params["branch_1"].values(), strict=True):
            rows = layer.forward(layer_params, rows)
        total = total + rows / len(views)
    return total


def test_an_image_and_its_mirror_image_have_the_same_features():
    layer = FlipAverage(BLOCK)
    params = initial(layer, IMAGES)
    outputs = layer.forward(params, IMAGES)
    np.testing.assert_allclose(layer.forward(params, IMAGES[:, :, ::-1]), outputs, atol=1e-12)
    expected = mean_of_block(params, [IMAGES, IMAGES[:, :, ::-1]])
    np.testing.assert_allclose(outputs, expected, atol=1e-12)


def test_features_of_an_image_and_of_itself_moved():
    layer = ShiftAverage(BLOCK, pixels=2)
    params = initial(layer, IMAGES)
    rows, columns = np.arange(6)[:, None], np.arange(5)
    views = [
        IMAGES[:, np.clip(rows + down, 0, 5), np.clip(columns + across, 0, 4)]
        for down, across in ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2))
    ]
    np.testing.assert_allclose(
        layer.forward(params, IMAGES), mean_of_block(params, views), atol=1e-12
    )


def test_the_side_does_not_matter_to_a_model():
    y = (IMAGES.mean(axis=(1, 2, 3)) > 0).astype(int)
    text = "FlipAverage(Conv2D[6, 3, initializer=patches, contrast=0.1] CReLU Flatten)"
    shape = {"input_shape": (6, 5, 2), "standardize": False}
    model = ZORBClassifier(text, readout="last", random_state=0, **shape)
    model.fit(IMAGES.reshape(40, -1), y)
    mirrored = np.ascontiguousarray(IMAGES[:, :, ::-1]).reshape(40, -1)
    found, expected = model.predict_proba(mirrored), model.predict_proba(IMAGES.reshape(40, -1))
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("Average", [FlipAverage, ShiftAverage])
def test_views_need_images(Average):
    with pytest.raises(ValueError, match="height, width, channels"):
        Average([Flatten()]).output_shape((6,))


def test_both_signs_beyond_a_threshold():
    z = np.linspace(-2, 2, 9)[:, None]
    outputs = CReLU(0.75).forward({}, z)
    np.testing.assert_array_equal(outputs[:, 0], np.maximum(z[:, 0] - 0.75, 0))
    np.testing.assert_array_equal(outputs[:, 1], np.maximum(-z[:, 0] - 0.75, 0))
    found, _ = inverted(CReLU(0.75), {}, outputs)
    # what lies within the threshold has left no trace
    np.testing.assert_allclose(found, np.where(abs(z) > 0.75, z, 0.0))


def test_filters_that_stay_as_they_are_take_no_step_of_a_fit():
    y = np.arange(40) % 2
    for relaxation, solved in ((0, False), (0.5, True)):
        text = f"FlipAverage(Conv2D[3, 3, relaxation={relaxation}] CReLU Flatten) BatchNorm"
        model = ZORBClassifier(text, input_shape=(6, 5, 2), random_state=0)
        steps = [step["layer"] for step in model.fit(IMAGES.reshape(40, -1), y).history_]
        assert ("flipaverage_1" in steps) == solved and "batchnorm_1" in steps
