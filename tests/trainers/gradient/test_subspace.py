"""Products with random directions, and sums of them, against their matrix."""

import numpy as np
import pytest

from sklearn_zorb.trainers.gradient.sketch import Sketch
from sklearn_zorb.trainers.gradient.subspace import Subspace

pytestmark = pytest.mark.usefixtures("x64")
SIZES = (30, 4, 50)


def keys_of(space, seed=3):
    import jax

    return jax.random.split(jax.random.key(seed), space.n_directions)


def matrix(space, keys):
    """The directions, one a row."""
    import jax

    return np.asarray(jax.jit(jax.vmap(lambda row: space.combine(keys, row)))(np.eye(len(keys))))


@pytest.mark.quick(1)
# more directions than are in memory at a time; the last chunk is short
@pytest.mark.parametrize("n_directions", [1, 60])
@pytest.mark.parametrize(
    "make, distribution, normalize",
    [
        (Subspace, "normal", "auto"), (Subspace, "rademacher", "tensor"),
        (Sketch, "sketch", "auto"), (Sketch, "sketch", "tensor"),
    ],
)  # fmt: skip
def test_all_products_are_those_with_one_matrix(n_directions, make, distribution, normalize):
    space = make(SIZES, n_directions, distribution, normalize)
    keys, rng = keys_of(space), np.random.default_rng(0)
    basis, vector = matrix(space, keys), rng.normal(size=84)
    np.testing.assert_allclose(space.coordinates(keys, vector), basis @ vector)
    weights = rng.normal(size=n_directions)
    np.testing.assert_allclose(space.combine(keys, weights), weights @ basis, atol=1e-12)
    np.testing.assert_allclose(space.project(keys, vector), (basis @ vector) @ basis, atol=1e-12)
    # mean squares of the entries of each tensor
    ends = np.cumsum((0, *SIZES))
    for start, end in zip(ends[:-1], ends[1:], strict=True):
        expected = 1 / 84 if normalize == "auto" else 1 / (end - start)
        spread = np.sqrt(2 / (n_directions * (end - start)))
        exact = distribution != "normal"
        tolerance = 1e-9 if exact else 5 * spread
        assert (basis[:, start:end] ** 2).mean() == pytest.approx(expected, rel=tolerance)


def test_directions_of_a_sketch_share_no_weight():
    space = Sketch(SIZES, 12, "sketch", "auto")
    basis = matrix(space, keys_of(space))
    np.testing.assert_array_equal((basis != 0).sum(axis=0), 1)
    counts = (basis != 0).sum(axis=1)
    assert counts.max() - counts.min() <= 1
    assert set(np.sign(basis[basis != 0])) == {-1, 1}


@pytest.mark.parametrize("make, distribution", [(Subspace, "rademacher"), (Sketch, "sketch")])
def test_the_projection_is_a_share_of_the_vector_on_average(make, distribution):
    import jax

    space = make(SIZES, 8, distribution, "auto")
    vector = np.random.default_rng(0).normal(size=84)
    seeds = jax.random.split(jax.random.key(0), 3000)
    project = jax.jit(jax.vmap(lambda key: space.project(jax.random.split(key, 8), vector)))
    found = np.asarray(project(seeds))
    error = found.std(axis=0) / np.sqrt(len(seeds))
    np.testing.assert_array_less(np.abs(found.mean(axis=0) - vector * 8 / 84), 5 * error)


def test_signs_are_balanced_and_independent():
    space = Subspace((999,), 50, "rademacher", "auto")
    rows = np.stack([space.noise(key, np.float64) for key in keys_of(space)])
    assert set(np.unique(rows)) == {-1.0, 1.0}
    assert abs(rows.mean()) < 4 / np.sqrt(rows.size)
    assert np.abs(rows @ rows.T / 999 - np.eye(50)).max() < 5 / np.sqrt(999)
