"""Count sketches against the directions that they stand for."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import RandomBases
from sklearn_zorb.trainers.sketch import combine, coordinates
from sklearn_zorb.trainers.subspace import Subspace

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


def test_projection_is_the_gradient_on_average():
    import jax

    vector = np.random.default_rng(0).normal(size=60)
    space = Subspace(((0, 40), (40, 60)), 8, "sketch", "mean", 4)
    keys = jax.random.split(jax.random.key(0), 4000)
    project = jax.vmap(lambda key: space.project(jax.random.split(key, 8), vector))
    mean = np.asarray(project(keys)).mean(axis=0)
    # each entry has a variance of what else its direction holds, less than all of its part
    spread = np.linalg.norm(vector) / np.sqrt(4000)
    assert np.abs(mean - vector).max() < 4.5 * spread


@pytest.mark.parametrize("kind", ["rbd", "fpd"])
def test_it_learns(kind):
    X, y = load_iris(return_X_y=True)
    rule = RandomBases(kind, n_directions=40, distribution="sketch", normalize="mean")
    model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


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
