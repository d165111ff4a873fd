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
    errors = [own.mean() for own in losses]
    for start in (0, 3, 9):
        fit = fit_ridge(K, groups, start)
        assert fit.decade == np.argmin(errors)
        assert fit.error == pytest.approx(min(errors), rel=1e-9)
        np.testing.assert_allclose(fit.losses, losses[fit.decade], rtol=1e-8)
    np.testing.assert_allclose(fit_ridge(K, groups, 1, walk=False).losses, losses[1], rtol=1e-8)
