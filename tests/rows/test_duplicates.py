"""Distinct rows: counted whatever their scale and order, and merged with their weights."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers
from sklearn_zorb.memory import Memory
from sklearn_zorb.rows.duplicates import group_rows


def count_distinct(X):
    """The default list has a landmark for each distinct row, up to 3000."""
    return auto_layers(X)[0].blocks[1][-1].units


@pytest.mark.parametrize(
    "values, columns",
    [((0, 1), 11), (range(8), 3), ((0.0, 0.5, 1e15, -0.25), 5), ((1, 2**40, 2.0**-40), 6)],
)
def test_every_row_of_a_grid_is_told_from_the_others(values, columns):
    grid = np.array(list(itertools.product(values, repeat=columns)), dtype=float)
    assert count_distinct(grid) == len(grid)
    assert count_distinct(np.vstack([grid, grid[::3]])) == len(grid)


def test_a_large_column_hides_no_small_one():
    assert count_distinct(np.stack([np.full(50, 1e18), np.arange(50) * 1e-9], axis=1)) == 50


def test_rows_are_the_same_however_they_are_kept():
    X = sp.random(60, 40, 0.2, format="csr", random_state=0, dtype=np.float32)
    n_distinct = len(np.unique(X.toarray(), axis=0))
    zeros = X.copy()
    zeros.data[:5] = 0
    for twice in (
        sp.vstack([X, X], format="csr"),
        np.asfortranarray(np.vstack([X.toarray(), X.toarray()])),
        np.vstack([X.toarray(), X.toarray()]).astype(np.float64),
    ):
        assert count_distinct(twice) == n_distinct
    assert count_distinct(np.vstack([zeros.toarray(), zeros.toarray()])) == count_distinct(zeros)
    assert count_distinct(np.array([[-0.0], [0.0], [1.0]])) == 2


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("labels", [np.array(["b", "a", "c"]), np.array([0.5, -1.0, 2.0])])
def test_copies_are_merged_in_an_order_of_their_own(kind, labels):
    """Forests and folds draw rows: the order of copies may not matter to them."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(3, size=(40, 2)).astype(float), labels[rng.integers(3, size=40)]
    weights = rng.integers(1, 4, size=40)
    copies = rng.permutation(np.repeat(np.arange(40), weights))
    Estimator = ZORBClassifier if labels.dtype.kind == "U" else ZORBRegressor
    method = "predict_proba" if Estimator is ZORBClassifier else "predict"
    model = Estimator("Stack(Trees[8] | Identity)", standardize=False, random_state=0)
    once = getattr(model.fit(kind(X), y, sample_weight=weights), method)(X), model.loo_score_
    again = getattr(model.fit(kind(X[copies]), y[copies]), method)(X), model.loo_score_
    np.testing.assert_allclose(again[0], once[0], rtol=1e-9, atol=1e-12)
    assert again[1] == pytest.approx(once[1])


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_models_that_draw_rows_do_not_depend_on_the_units_of_columns(form, rng):
    rows = rng.normal(size=(90, 5)) * (rng.random((90, 5)) < 0.7)
    y = np.sin(rows[:, 0]) + rows[:, 1]
    units = 2.0 ** np.array([1, -3, 20, 0, 7])  # exact, so that splits are the same to the bit
    found = [
        ZORBRegressor("Trees[20]", random_state=0).fit(form(one), y).predict(form(one))
        for one in (rows, rows * units)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_groups_know_the_mean_and_the_scatter_of_their_copies(rng):
    rows, targets = rng.integers(0, 3, size=(50, 2)).astype(float), rng.normal(size=(50, 2))
    weights = rng.uniform(0.1, 3, size=50)
    groups = group_rows(rows, targets, weights, Memory())
    assert len(groups) == len(np.unique(rows, axis=0))
    for i, first in enumerate(groups.first):
        copies = (rows == rows[first]).all(axis=1)
        mean = np.average(targets[copies], axis=0, weights=weights[copies])
        np.testing.assert_allclose(groups.mean[i], mean)
        squares = weights[copies] @ (targets[copies] - mean) ** 2
        assert groups.scatter[i] == pytest.approx(squares.sum())
        assert groups.weight[i] == pytest.approx(weights[copies].sum())
