"""Columns that never varied."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_zorb.rows.constant import ConstantColumns

FORMS = [np.asarray, sp.csr_matrix]


def table(n_rows=2500):
    """Columns of zeros, of sevens, one that varies in the last row only, and one that varies."""
    rows = np.zeros((n_rows, 4))
    rows[:, 1] = 7
    rows[-1, 2] = 1
    rows[:, 3] = np.arange(n_rows) % 5
    return rows


def dense(rows):
    return rows.toarray() if sp.issparse(rows) else rows


@pytest.mark.parametrize("form", FORMS)
def test_constant_columns_are_found(form):
    found = ConstantColumns.of(form(table()))
    assert found.places.tolist() == [0, 1]
    assert found.values.tolist() == [0, 7]


@pytest.mark.parametrize("form", FORMS)
def test_none_where_all_vary(form):
    assert ConstantColumns.of(form(table()[:, 2:])) is None


@pytest.mark.parametrize("form", FORMS)
def test_other_values_become_those_of_training(form):
    constant = ConstantColumns.of(form(table()))
    later = np.array([[5.0, 1.0, 2.0, 3.0], [0.0, 7.0, 0.0, 4.0]])
    rows = form(later)
    np.testing.assert_array_equal(dense(constant.restore(rows)), [[0, 7, 2, 3], [0, 7, 0, 4]])
    np.testing.assert_array_equal(dense(rows), later)


def test_rows_that_keep_to_them_are_not_copied():
    rows = table()
    assert ConstantColumns.of(rows).restore(rows) is rows


@pytest.mark.parametrize("form", FORMS)
def test_later_rows_end_what_was_constant(form):
    constant = ConstantColumns.of(form(table()))
    later = table(3)
    later[1, 0] = 1
    left = constant.within(form(later))
    assert (left.places.tolist(), left.values.tolist()) == ([1], [7])
    later[:, 1] = 8
    assert constant.within(form(later)) is None


def test_one_row_is_constant_throughout():
    assert ConstantColumns.of(np.array([[1.0, 2.0]])).places.tolist() == [0, 1]


def test_gaps_are_no_value():
    rows = table()
    rows[::2, 1] = rows[:, 0] = np.nan
    constant = ConstantColumns.of(rows)
    assert constant.places.tolist() == [0, 1]
    np.testing.assert_array_equal(constant.values, [np.nan, 7])
    assert constant.restore(rows) is rows
    later = np.array([[5.0, 1.0, 2.0, 3.0], [np.nan, np.nan, 2.0, 3.0]])
    expected = [[np.nan, 7, 2, 3], [np.nan, np.nan, 2, 3]]
    np.testing.assert_array_equal(constant.restore(later), expected)
    assert constant.within(rows[:100]).places.tolist() == [0, 1]
    assert constant.within(table()).places.tolist() == [1]
