"""Distinct rows: found whatever their scale and order, and weighed."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_zorb.layers.distinct import count_distinct, merge_copies, row_keys
from sklearn_zorb.memory import Memory


@pytest.mark.parametrize(
    "values, columns",
    [((0, 1), 15), (range(8), 5), ((0.0, 0.5, 1e15, -0.25), 7), ((1, 2**40, 2.0**-40), 8)],
)
def test_every_row_of_a_grid_is_told_from_the_others(values, columns):
    grid = np.array(list(itertools.product(values, repeat=columns)), dtype=float)
    assert count_distinct(grid, Memory()) == len(grid)
    assert count_distinct(np.vstack([grid, grid[::3]]), Memory()) == len(grid)


def test_a_large_column_hides_no_small_one():
    X = np.stack([np.full(50, 1e18), np.arange(50) * 1e-9], axis=1)
    assert count_distinct(X, Memory()) == 50


def test_keys_are_those_of_the_numbers_however_they_are_kept():
    X = sp.random(60, 40, 0.2, format="csr", random_state=0, dtype=np.float32)
    keys = row_keys(X.toarray().astype(np.float64), Memory())
    zero_kept = X.copy()
    zero_kept.data[:5] = 0
    backwards = sp.csr_matrix(
        (X.data[::-1], X.indices[::-1], X.nnz - X.indptr[::-1]), shape=X.shape
    )[::-1]
    for same in (X, X.toarray(), np.asfortranarray(X.toarray()), X.toarray()[:, :], backwards):
        np.testing.assert_array_equal(row_keys(same, Memory()), keys)
    np.testing.assert_array_equal(
        row_keys(zero_kept, Memory()), row_keys(zero_kept.toarray(), Memory())
    )
    assert row_keys(np.array([[-0.0]]), Memory()) == row_keys(np.array([[0.0]]), Memory())


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("labels", [np.array(["b", "a", "c"]), np.array([0.5, -1.0, 2.0])])
def test_copies_are_merged_in_an_order_of_their_own(kind, labels):
    rng = np.random.default_rng(0)
    X, y = rng.integers(3, size=(40, 2)).astype(float), labels[rng.integers(3, size=40)]
    weights = rng.integers(1, 4, size=40)
    expected = {}
    for row, target, weight in zip(X.tolist(), y.tolist(), weights, strict=True):
        key = (*row, target)
        expected[key] = expected.get(key, 0) + weight
    copies = rng.permutation(np.repeat(np.arange(40), weights))
    once = merge_copies(kind(X), y, weights, Memory())
    again = merge_copies(kind(X[copies]), y[copies], None, Memory())
    for result in (once, again):
        rows = result[0] if kind is np.asarray else result[0].toarray()
        found = {
            (*row, target): weight
            for row, target, weight in zip(
                rows.tolist(), result[1].tolist(), result[2], strict=True
            )
        }
        assert found == expected and len(rows) == len(expected)
        np.testing.assert_array_equal(result[1], once[1])


def test_rows_that_are_all_distinct_have_no_weights():
    X = np.arange(12.0).reshape(6, 2)
    assert merge_copies(X, np.arange(6), None, Memory())[2] is None
    assert merge_copies(X, np.zeros((6, 2)), np.ones(6), Memory())[2] is None
    assert merge_copies(X, np.arange(6), np.full(6, 2.0), Memory())[2].tolist() == [2.0] * 6
