"""Count sketches against the directions that they stand for; what they share with Hadamard
matrices stands with those.
"""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import RandomBases
from sklearn_zorb.trainers.gradient.sketch import combine, coordinates

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("size, n_directions", [(100, 12), (60, 60), (24, 8), (5, 1)])
def test_directions_share_no_weight(size, n_directions):
    import jax

    key, rng = jax.random.key(3), np.random.default_rng(0)
    basis = np.stack([combine(key, row, size) for row in np.eye(n_directions)])
    np.testing.assert_array_equal((basis != 0).sum(axis=0), 1)
    np.testing.assert_allclose(np.abs(basis).max(axis=0), np.sqrt(n_directions))
    counts = (basis != 0).sum(axis=1)
    assert counts.max() - counts.min() <= 1
    vector, weights = rng.normal(size=size), rng.normal(size=n_directions)
    np.testing.assert_allclose(coordinates(key, vector, n_directions), basis @ vector)
    np.testing.assert_allclose(combine(key, weights, size), weights @ basis)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kind": "nes"}, "distribution='sketch' has products with all"),
        ({"compartments": "tensor"}, "n_directions=250 and distribution='sketch'"),
        ({"redraw_fraction": 0.5}, "distribution='sketch' all of them at once"),
        ({"n_jobs": 2, "worker_batches": "same"}, "distribution='sketch' has all coordinates"),
    ],
)
def test_errors(options, message):
    X, y = load_iris(return_X_y=True)
    rule = RandomBases(distribution="sketch", **options)
    with pytest.raises(ValueError, match=message):
        NetworkClassifier("Dense[16] Tanh", trainer=rule).fit(X, y)
