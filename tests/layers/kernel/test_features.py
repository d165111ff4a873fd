"""Projections of kernels on features."""

import numpy as np
import pytest
import scipy.linalg

from sklearn_zorb.layers.kernel.features import principal, whitening
from sklearn_zorb.layers.kernel.functions import kernel_matrix


def test_whitening_is_an_inverse_square_root():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    kernel = kernel_matrix("laplace", rows, rows)
    before = kernel.copy()
    root = whitening(kernel)
    np.testing.assert_array_equal(kernel, before)
    np.testing.assert_allclose(root @ root.T, scipy.linalg.inv(kernel), atol=1e-10)
    assert not np.tril(root, -1).any()
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        whitening(-kernel)


def test_principal_axes_of_weighted_rows():
    rng = np.random.default_rng(0)
    rows, weight = rng.normal(size=(30, 4)), rng.integers(1, 4, size=30).astype(float)
    kernel = kernel_matrix("gaussian", rows, rows)
    projection, offset = principal(kernel, weight, np.finfo(float).eps)
    features = kernel @ projection - offset
    np.testing.assert_allclose(weight @ features, 0, atol=1e-9)
    products = (features.T * weight) @ features
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-8)
    mean = weight / weight.sum()
    centred = kernel - mean @ kernel - (kernel @ mean)[:, None] + mean @ kernel @ mean
    np.testing.assert_allclose(features @ features.T, centred, atol=1e-8)
