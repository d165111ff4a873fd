"""Kernel ridge regression of groups of rows, against refits."""

import numpy as np
import pytest
from kernel_tables import mean_eigenvalue, naive_kernel, squared_left_out, table

from sklearn_zorb.layers.kernel.ridge import DECADES, fit_ridge
from sklearn_zorb.memory import Memory
from sklearn_zorb.rows.duplicates import group_rows


def test_leave_one_out_error_by_brute_force():
    X, y = table(25)
    groups = group_rows(X, y, None, Memory())
    K = naive_kernel("laplace", X, X, 2.0)[np.ix_(groups.first, groups.first)]
    losses = [squared_left_out(K, groups.mean[:, 0], a) for a in DECADES * mean_eigenvalue(K)]
    errors = [squares.mean() for squares in losses]
    for start in (0, 3, 9):
        fit = fit_ridge(K, groups, start)
        assert fit.decade == np.argmin(errors)
        assert fit.error == pytest.approx(min(errors), rel=1e-9)
        np.testing.assert_allclose(fit.losses, losses[fit.decade], rtol=1e-8)
    np.testing.assert_allclose(fit_ridge(K, groups, 1, walk=False).losses, losses[1], rtol=1e-8)


def test_copies_are_one_row_of_their_weight():
    X, y = table(20)
    copies = np.arange(20) % 3 + 1
    groups = group_rows(np.repeat(X, copies, axis=0), np.repeat(y, copies), None, Memory())
    weighted = group_rows(X, y, copies.astype(float), Memory())
    K = naive_kernel("gaussian", X, X, 2.0)[np.ix_(weighted.first, weighted.first)]
    one, other = fit_ridge(K, groups, 3), fit_ridge(K, weighted, 3)
    assert one.error == pytest.approx(other.error)
    np.testing.assert_allclose(one.dual, other.dual)


def test_a_kernel_that_says_nothing():
    X, y = table(10)
    fit = fit_ridge(np.ones((10, 10)), group_rows(X, y, None, Memory()), 3)
    assert fit.error == np.inf and not fit.dual.any()
