"""Targets through a pseudoinverse, against NumPy's."""

import numpy as np
import pytest

from sklearn_zorb.linalg.pseudoinverse import minimum_norm_map, solve_minimum_norm


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (6, 6), (60, 40)])
@pytest.mark.parametrize("deficient", [False, True])
def test_targets_through_a_pseudoinverse(shape, deficient):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=shape)
    if deficient:
        weights[0] = weights[1]
        weights[:, 0] = weights[:, 1]
    targets = rng.normal(size=(4, shape[1]))
    expected = targets @ np.linalg.pinv(weights)
    np.testing.assert_allclose(solve_minimum_norm(weights, targets), expected, atol=1e-9)
    cut = targets @ np.linalg.pinv(weights, rcond=0.3)
    np.testing.assert_allclose(solve_minimum_norm(weights, targets, 0.3), cut, atol=1e-9)
    single = minimum_norm_map(weights)(targets.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=1e-4)
