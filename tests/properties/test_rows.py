"""Tables of rows and targets: order, copies, chunks."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from properties.drawn import SEEDS, UNITS, tables

from sklearn_zorb.layers import ReLU, Tanh
from sklearn_zorb.memory import Memory
from sklearn_zorb.rows import Rows, Targets, merge_copies
from sklearn_zorb.rows.constant import ConstantColumns
from sklearn_zorb.rows.device import bucket

FORMS = pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])


def dense(X):
    return X.toarray() if sp.issparse(X) else X


@FORMS
@given(tables(), SEEDS, UNITS)
def test_merged_rows_depend_on_the_set_of_rows_only(form, X, seed, unit):
    rng = np.random.default_rng(seed)
    y, weights = rng.integers(0, 2, len(X)), rng.integers(1, 4, len(X)).astype(float)
    before = X.copy(), y.copy(), weights.copy()
    rows, targets, merged = merge_copies(form(X), y, weights, Memory())
    for one, other in zip((X, y, weights), before, strict=True):
        np.testing.assert_array_equal(one, other)
    merged = np.ones(len(targets)) if merged is None else merged
    assert merged.sum() == weights.sum()
    pairs = np.column_stack([dense(rows), targets])
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    copies = rng.permutation(np.repeat(np.arange(len(X)), weights.astype(int)))
    again = merge_copies(form(unit * X[copies]), y[copies], None, Memory())
    np.testing.assert_array_equal(dense(again[0]), unit * dense(rows))
    np.testing.assert_array_equal(again[1], targets)
    np.testing.assert_array_equal(np.ones(len(targets)) if again[2] is None else again[2], merged)


@given(tables(), st.integers(0, 12), st.integers(0, 12))
def test_slices_are_those_of_the_whole(X, start, stop):
    rows = Rows(X).then(Tanh(), {}).beside(Rows(X).then(ReLU(), {}))
    whole = np.hstack([np.tanh(X), np.maximum(X, 0)])
    assert rows.shape == whole.shape
    np.testing.assert_array_equal(rows[start:stop], whole[start:stop])


@given(st.integers(0, 5000), st.integers(1, 10**7), st.integers(1, 10**6), st.booleans())
def test_chunks_hold_each_row_once(n_rows, row_bytes, limit, even):
    parts = Memory(limit).chunks(n_rows, row_bytes, even=even)
    places = [place for part in parts for place in range(part.start, part.stop)]
    assert places == list(range(n_rows))


@given(st.integers(1, 10**7))
def test_buckets_hold_their_rows_and_an_eighth_more_at_most(n_rows):
    assert n_rows <= bucket(n_rows) <= n_rows + max(1, n_rows // 8)
    assert bucket(bucket(n_rows)) == bucket(n_rows)


@given(tables(n_rows=st.integers(1, 4)), SEEDS)
def test_thin_targets_and_their_basis_are_the_table(X, seed):
    codes = np.random.default_rng(seed).integers(0, len(X), 9)
    table = Targets(X, codes)
    thin, basis = table.compress()
    found = thin[:] if basis is None else thin[:] @ basis
    np.testing.assert_allclose(found, X[codes], rtol=1e-12, atol=1e-13 * np.abs(X).max())


@FORMS
@given(tables(n_rows=st.integers(2, 9)), tables(n_rows=st.just(3), n_columns=st.just(4)))
def test_columns_that_never_varied_are_restored(form, X, later):
    X[:, 0] = X[0, 0]
    later = later[:, : X.shape[1]]
    constant = ConstantColumns.of(form(X))
    assert set(constant.places) == set(np.flatnonzero(np.ptp(X, axis=0) == 0))
    before = later.copy()
    found = dense(constant.restore(form(later)))
    expected = np.where(np.ptp(X, axis=0) == 0, X[0], later)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(later, before)
