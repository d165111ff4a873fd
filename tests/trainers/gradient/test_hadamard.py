"""Fast transforms of random signs against the matrix that they stand for."""

import numpy as np
import pytest
from scipy.linalg import hadamard as reference
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import RandomBases
from sklearn_zorb.trainers.gradient.hadamard import combine, coordinates, draw, factors, transform
from sklearn_zorb.trainers.gradient.subspace import Subspace

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("size", [1, 2, 50, 128, 300])
@pytest.mark.parametrize("largest", [2, 6])
def test_transform_against_the_matrix(size, largest, monkeypatch):
    monkeypatch.setattr("sklearn_zorb.trainers.gradient.hadamard.LARGEST", largest)
    assert max(factors(size)) <= 2**largest
    vector = np.random.default_rng(0).normal(size=size)
    length = int(np.prod(factors(size)))
    assert length / 2 < size <= length
    np.testing.assert_allclose(transform(vector), reference(length)[:, :size] @ vector, atol=1e-12)


def basis_of(key, size, n_directions):
    signs, rows = draw(key, size, n_directions, np.dtype(float))
    length = int(np.prod(factors(size)))
    return reference(length)[np.asarray(rows)][:, :size] * np.asarray(signs)


def test_coordinates_and_combination_against_the_directions():
    import jax

    key, rng = jax.random.key(3), np.random.default_rng(0)
    basis = basis_of(key, 100, 12)
    assert len(np.unique(basis, axis=0)) == 12 and set(np.unique(basis)) == {-1, 1}
    vector, weights = rng.normal(size=100), rng.normal(size=12)
    np.testing.assert_allclose(coordinates(key, vector, 12), basis @ vector)
    np.testing.assert_allclose(combine(key, weights, 100), weights @ basis)


@pytest.mark.parametrize("distribution, dimension", [("hadamard", 8), ("sketch", 1)])
def test_projection_is_the_gradient_on_average(distribution, dimension):
    import jax

    vector = np.random.default_rng(0).normal(size=60)
    space = Subspace(((0, 40), (40, 60)), 8, distribution, "mean", 4)
    keys = jax.random.split(jax.random.key(0), 4000)
    project = jax.vmap(lambda key: space.project(jax.random.split(key, 8), vector))
    mean = np.asarray(project(keys)).mean(axis=0)
    # each entry has a variance of |vector|^2 / 8 at most; in a sketch, of what else its
    # direction holds, which is less than |vector|^2
    spread = np.linalg.norm(vector) / np.sqrt(dimension * 4000)
    assert np.abs(mean - vector).max() < 4.5 * spread


@pytest.mark.parametrize("distribution", ["hadamard", "sketch"])
@pytest.mark.parametrize("kind", ["rbd", "fpd"])
def test_it_learns(kind, distribution):
    X, y = load_iris(return_X_y=True)
    rule = RandomBases(kind, n_directions=40, distribution=distribution, normalize="mean")
    model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_errors():
    X, y = load_iris(return_X_y=True)
    for options, message in (
        ({"kind": "nes"}, "one by one"),
        ({"compartments": "tensor"}, "n_directions=250"),
    ):
        rule = RandomBases(distribution="hadamard", **options)
        with pytest.raises(ValueError, match=message):
            NetworkClassifier("Dense[16] Tanh", trainer=rule).fit(X, y)
