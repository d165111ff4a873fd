"""Sums over rows against NumPy, however they are split, and what they leave alone."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from systems import in_chunks, make
from threadpoolctl import threadpool_limits

from sklearn_zorb.linalg import Gram, System

NAMES = ("weight", "n_rows", "mean", "target_mean", "product", "cross", "target_squares")


def assert_same(gram, other, **tolerance):
    for name in NAMES:
        np.testing.assert_allclose(getattr(gram, name), getattr(other, name), **tolerance)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("centre", [True, False])
def test_sums_equal_numpy(kind, centre):
    rows, targets, weights = make("tall")
    weights[40:] = 0.0
    gram = Gram(centre=centre)
    for start in range(0, 60, 13):
        part = slice(start, start + 13)
        gram.add(kind(rows[part]), targets[part], weights[part])
    mean = centre * np.average(rows, axis=0, weights=weights)
    target_mean = centre * np.average(targets, axis=0, weights=weights)
    centred, deviation = rows - mean, targets - target_mean
    np.testing.assert_allclose(gram.mean, mean)
    np.testing.assert_allclose(gram.product, (centred.T * weights) @ centred, rtol=1e-9)
    np.testing.assert_allclose(gram.cross, (centred.T * weights) @ deviation, atol=1e-9)
    np.testing.assert_allclose(gram.target_squares, weights @ deviation**2)
    assert gram.n_rows == 40 and gram.weight == weights.sum()


def test_sums_merge_in_any_order_and_keep_their_parts():
    rows, targets, _ = make("tall")
    parts = [Gram().add(rows[i::3], targets[i::3]) for i in range(3)]
    before = [copy.deepcopy(part) for part in parts]
    forward = parts[0].merge(parts[1]).merge(parts[2]).merge(Gram())
    backward = Gram().merge(parts[2]).merge(parts[1]).merge(parts[0])
    assert_same(forward, backward)
    assert_same(forward, Gram().add(rows, targets), rtol=1e-9, atol=1e-9)
    total = Gram()
    for part in parts:
        assert total.absorb(part) is total
    assert_same(total, forward)
    total.add(rows, targets)
    forward.add(rows, targets)
    for part, gram in zip(parts, before, strict=True):
        assert_same(part, gram, rtol=0)


def read_only(gram):
    """The same sums, in memory that cannot be written to."""
    for name in NAMES:
        if isinstance(getattr(gram, name), np.ndarray):
            getattr(gram, name).flags.writeable = False
    return gram


@pytest.mark.parametrize("handed_on", [copy.copy, copy.deepcopy, pickle.dumps])
def test_arrays_of_others_are_not_written_to(handed_on):
    rows, targets, weights = make("tall")
    first = Gram().add(rows[:20], targets[:20]).add(rows[20:40], targets[20:40])
    expected = copy.deepcopy(first).add(rows[40:], targets[40:])
    other = handed_on(first)
    given = first.product
    before = given.copy()
    # neither the one that was handed on nor that which is left
    first.add(rows[40:], targets[40:])
    other = pickle.loads(other) if isinstance(other, bytes) else other
    np.testing.assert_array_equal(other.product, before)
    np.testing.assert_array_equal(given, before)
    assert_same(read_only(other).add(rows[40:], targets[40:]), expected)
    assert_same(first, expected)
    # from now on they are its own
    product = first.product
    assert first.add(rows, targets, weights).product is product


def test_large_offsets_cost_no_digits():
    rows, targets, _ = make("tall", offset=0.0)
    near, far = (Gram() for _ in range(2))
    for part in (slice(0, 25), slice(25, 60)):
        near.add(rows[part], targets[part])
        far.add(rows[part] + 1e7, targets[part])
    np.testing.assert_allclose(far.product, near.product, rtol=1e-6, atol=1e-7)


def test_float32_rows_are_summed_in_float64():
    """Many blocks of float32 rows: the error is that of one block, not of their number."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 800)).astype(np.float32) + 100
    targets = rng.normal(size=(200, 1))
    gram = Gram()
    for _ in range(20):
        gram.add(rows, targets)
    centred = rows.astype(float) - rows.mean(axis=0, dtype=float)
    expected = 20 * centred.T @ centred
    assert np.abs(gram.product - expected).max() / np.abs(expected).max() < 1e-5


def test_nothing_is_added_by_rows_without_weight():
    rows, targets, _ = make("tall")
    gram = Gram().add(rows, targets, np.zeros(60))
    assert gram.product is None and gram.n_rows == 0


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 1e-4)])
def test_sums_of_a_system_are_the_same_bits_for_any_number_of_threads(dtype, tolerance):
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(3000, 300)) + 1e3).astype(dtype)
    targets, weights = rng.normal(size=(3000, 2)), rng.integers(1, 4, size=3000).astype(float)
    grams = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            grams.append(in_chunks(rows, targets, weights, size=900).gram())
    assert_same(*grams, rtol=0)
    exact = rows.astype(np.longdouble)
    exact = (exact - np.average(exact, axis=0, weights=weights)).astype(float)
    expected = (exact * weights[:, None]).T @ exact
    np.testing.assert_allclose(grams[0].product, expected, atol=tolerance * expected.max())


def test_sparse_systems_are_never_made_dense():
    rows = sp.random(50, 30, density=0.1, random_state=0, format="csr")
    targets = np.ones((50, 1))
    found = System.from_arrays(rows, targets).gram()
    assert_same(found, System.from_arrays(rows.toarray(), targets).gram(), rtol=1e-9, atol=1e-12)


def test_read_only_sums_take_part_in_all():
    rows, targets, _ = make("tall")
    whole = Gram().add(rows, targets)
    one = pickle.loads(pickle.dumps(Gram().add(rows[:30], targets[:30])))
    two = read_only(Gram().add(rows[30:], targets[30:]))
    read_only(one)
    for total in (one.merge(two), Gram().absorb(one).absorb(two)):
        assert_same(total, whole, rtol=1e-9, atol=1e-9)
    assert_same(one.add(rows[30:], targets[30:]), whole, rtol=1e-9, atol=1e-9)
    # rows that cannot be written to either
    for table in (rows, targets):
        table.flags.writeable = False
    assert_same(Gram().add(rows, targets), whole)
