"""Kernel functions and their derivatives, against SciPy and finite differences."""

import numpy as np
import pytest
from kernel_tables import naive_kernel
from scipy.spatial.distance import pdist

from sklearn_zorb.layers.kernel.functions import (
    KINDS,
    distances,
    gradient_products,
    kernel_matrix,
    kernel_values,
    pair_distances,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_features, n_rows", [(3, 20), (40, 20), (3, 2500)])
def test_kernels_of_pairs(kind, n_features, n_rows):
    """Few pairs, and so many that they are shared out to threads."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(n_rows, n_features)), rng.normal(size=(300, n_features))
    expected = naive_kernel(kind, left, right)
    np.testing.assert_allclose(kernel_matrix(kind, left, right), expected, rtol=1e-10)
    pairs = pdist(right, "cityblock" if kind == "laplace_l1" else "euclidean")
    np.testing.assert_allclose(pair_distances(kind, right), pairs, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_products_of_gradients_by_finite_differences(kind):
    rng = np.random.default_rng(3)
    halves = [(rng.normal(size=(n, 4)), rng.normal(size=(n, 2))) for n in (12, 9)]
    points, weight = rng.normal(size=(7, 4)), rng.uniform(1, 2, size=7)

    def slope(half, step):
        ends = (points + step, points - step)
        high, low = (kernel_values(kind, distances(kind, x, half[0])) @ half[1] for x in ends)
        return (high - low) / 2e-6

    products = gradient_products(kind, points, halves, weight)
    for j, step in enumerate(1e-6 * np.eye(4)):
        expected = weight @ (slope(halves[0], step) * slope(halves[1], step)).sum(axis=1)
        assert products[j] == pytest.approx(expected / weight.sum(), rel=1e-5)


def test_gradient_at_a_landmark_leaves_it_out():
    landmarks = np.random.default_rng(3).normal(size=(12, 4))
    halves = [(landmarks, np.ones((12, 1)))] * 2
    assert np.isfinite(gradient_products("laplace", landmarks, halves, np.ones(12))).all()


def test_tiny_distances_of_many_columns_keep_their_digits():
    """Products lose them: rows and near copies, far from zero, with an outlier."""
    rng = np.random.default_rng(0)
    rows = 1000 + rng.normal(size=(200, 40))
    near = rows + 1e-7 * rng.normal(size=rows.shape)
    near[0] = 3000.0
    expected = np.sqrt(((rows[:, None] - near) ** 2).sum(axis=2))
    np.testing.assert_allclose(distances("laplace", rows, near), expected, rtol=1e-5)
    np.testing.assert_array_equal(np.diag(distances("laplace", rows, rows)), 0)
