"""Filters learned from training rows, against scikit-learn's own whitening and clusters."""

import numpy as np
import pytest
from layer_calls import initial
from sklearn.decomposition import PCA

from sklearn_zorb.layers import Conv2D, Dense

LEARNED = ("patches", "kmeans", "pca")


@pytest.fixture
def rows(rng):
    return rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6)) + 3


def outputs(rows, initializer, units=4):
    layer = Dense(units, initializer=initializer)
    params = initial(layer, rows)
    return params, layer.forward(params, rows)


def whitened_scores(rows):
    """Scores of scikit-learn's PCA, a tenth of the mean variance added to each variance."""
    pca = PCA().fit(rows)
    variances = pca.explained_variance_ * (len(rows) - 1) / len(rows)
    return pca.transform(rows) / np.sqrt(variances + 0.1 * variances.mean()), pca


def test_patches_are_whitened_training_rows(rows):
    _, found = outputs(rows, "patches")
    scores, pca = whitened_scores(rows)
    white = scores @ pca.components_
    unit = white / np.linalg.norm(white, axis=1, keepdims=True)
    responses = white @ unit.T
    for column in found.T:
        nearest = np.abs(responses - column[:, None]).max(axis=0).min()
        assert nearest < 1e-9


def test_pca_gives_scores_of_the_leading_components(rows):
    _, found = outputs(rows, "pca")
    scores, _ = whitened_scores(rows)
    np.testing.assert_allclose(np.abs(found), np.abs(scores[:, :4]), atol=1e-9)


def test_kmeans_finds_separate_clusters(rng):
    centres = 20 * np.eye(4)[:, :3] - 5
    labels = rng.integers(4, size=400)
    rows = centres[labels] + rng.normal(size=(400, 3))
    _, found = outputs(rows, "kmeans")
    # each unit answers most to one cluster, each to another
    means = np.array([found[labels == k].mean(axis=0) for k in range(4)])
    assert sorted(means.argmax(axis=0)) == [0, 1, 2, 3]


@pytest.mark.parametrize("initializer", LEARNED)
def test_copies_and_order_of_rows_change_nothing(rows, initializer, rng):
    first, _ = outputs(rows, initializer)
    copies = rows[rng.permutation(np.tile(np.arange(300), 2))]
    again, _ = outputs(copies, initializer)
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])


@pytest.mark.parametrize("initializer", LEARNED)
def test_units_do_not_change_responses(rows, initializer):
    _, found = outputs(rows, initializer)
    _, scaled = outputs(1000 * rows, initializer)
    np.testing.assert_allclose(np.abs(scaled), np.abs(found), atol=1e-8)


def test_more_principal_filters_than_numbers_are_refused(rows):
    with pytest.raises(ValueError, match="no more than 6 filters.*patches"):
        outputs(rows, "pca", 7)


@pytest.mark.parametrize("initializer", LEARNED)
def test_few_or_constant_rows_give_finite_filters(initializer):
    for rows in (np.ones((5, 3)), np.ones((1, 3)), np.eye(3)):
        params, found = outputs(rows, initializer, 3)
        assert np.isfinite(found).all() and np.isfinite(params["weights"]).all()


@pytest.mark.parametrize("initializer", LEARNED)
def test_windows_of_images_are_whitened(initializer, rng):
    images = np.cumsum(rng.normal(size=(200, 9, 9, 2)), axis=1)
    layer = Conv2D(12, 3, initializer=initializer, contrast=0.1)
    params = initial(layer, images)
    responses = layer.forward(params, images).reshape(-1, 12)
    # filters of length one of whitened windows
    assert np.abs(responses.mean(axis=0)).max() < 0.1
    assert 0.4 < responses.std() < 1.1
    weighted = initial(layer, images, sample_weight=np.repeat([1.0, 0.0], 100))
    alone = initial(layer, images[:100])
    np.testing.assert_array_equal(weighted["weights"], alone["weights"])


@pytest.mark.parametrize("whitening", [0.1, 1.0])
def test_whitening_leaves_directions_of_noise_small(rng, whitening):
    images = (rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6))).reshape(500, 1, 1, 6)
    layer = Conv2D(6, 1, initializer="pca", whitening=whitening)
    outputs = layer.forward(initial(layer, images), images).reshape(500, 6)
    variances = PCA().fit(images.reshape(500, 6)).explained_variance_
    expected = variances / (variances + whitening * variances.mean())
    np.testing.assert_allclose(outputs.var(axis=0), expected, rtol=0.01)
