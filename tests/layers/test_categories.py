"""One-hot columns are found again, and trees see one column for each category."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Stack, Trees
from sklearn_zorb.layers.one_hot import MOST_CATEGORIES, JoinedCategories

RNG = np.random.default_rng(0)
CODES = np.column_stack([RNG.integers(k, size=400) for k in (3, 7, 2)])
NUMBERS = RNG.normal(size=(400, 2))


def encoded(codes=CODES, numbers=NUMBERS, first=False):
    one_hot = OneHotEncoder(sparse_output=False).fit(CODES).transform(codes)
    return np.hstack([one_hot, numbers] if first else [numbers, one_hot])


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("scaler", [None, StandardScaler()])
def test_codes_come_back(first, scaler):
    X = encoded(first=first)
    X = X if scaler is None else scaler.fit_transform(X)
    joined = JoinedCategories(X)
    assert joined.categorical.tolist() == [False, False, True, True, True]
    rows = joined.transform(X)
    np.testing.assert_array_equal(rows[:, 2:], CODES)
    np.testing.assert_array_equal(rows[:, :2], X[:, -2:] if first else X[:, :2])


def test_a_row_of_no_known_category_and_one_that_training_rows_do_not_have():
    X = np.hstack([np.eye(3)[RNG.integers(3, size=50)], np.zeros((50, 1)), np.ones((50, 1))])
    X = np.hstack([X[:, :1], X[:, 3:4], X[:, 1:3], X[:, 4:]])  # no row has the second category
    joined = JoinedCategories(X)
    assert joined.groups == [slice(0, 4)]
    new = np.array([[0.0, 0, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(joined.transform(new), [[1, -1], [1, 1], [1, 3]])


def test_what_is_no_category_stays_apart():
    overlapping = RNG.integers(2, size=(60, 5)).astype(float)
    apart = np.eye(4)[np.arange(60) % 4][:, :3]  # some rows have none
    twice = np.repeat(np.eye(2)[np.arange(60) % 2], 2, axis=1)[:, [0, 1]]  # both or neither
    wide = np.eye(MOST_CATEGORIES + 1)
    for X in (overlapping, apart, twice, NUMBERS, np.ones((9, 3)), wide):
        before = X.copy()
        joined = JoinedCategories(X)
        assert joined.groups == [] and not joined.categorical.any()
        assert joined.transform(X) is X
        np.testing.assert_array_equal(X, before)


def test_neighbouring_groups_by_brute_force():
    rng = np.random.default_rng(1)
    for _ in range(30):
        sizes = rng.integers(2, 5, size=3)
        parts = [np.eye(size)[rng.permutation(np.arange(40) % size)] for size in sizes]
        ends = np.append(0, np.cumsum(sizes))
        groups = [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        assert JoinedCategories(np.hstack(parts)).groups == groups


def test_boosting_of_one_hot_columns_is_boosting_of_categories():
    effects = RNG.permutation(7) ** 2.0
    y = effects[CODES[:, 1]] + NUMBERS[:, 0]
    layer = Trees(30, kind="boosting")
    model = ZORBRegressor([Stack([[layer]])], random_state=0).fit(encoded(), y)
    boosted = model.params_[-1]["branch_1"]["0"]["estimator"].model.models[0].models[0]
    assert isinstance(boosted, HistGradientBoostingRegressor)
    assert boosted.is_categorical_.tolist() == [False, False, True, True, True]
    assert model.score(encoded(), y) > 0.95
    unknown = encoded()[:5]
    unknown[:, 2:] = 0
    assert np.isfinite(model.predict(unknown)).all()


@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_sparse_rows(kind):
    X, y = encoded(), CODES[:, 1] + NUMBERS[:, 0]
    layers = [Stack([[Trees(20, kind=kind)]])]
    make = ZORBRegressor(layers, standardize=False, random_state=0)
    dense, sparse = clone(make).fit(X, y), clone(make).fit(sp.csr_matrix(X), y)
    assert sparse.score(X, y) > 0.8 and dense.score(sp.csr_matrix(X), y) > 0.8
    np.testing.assert_allclose(dense.predict(sp.csr_matrix(X)), dense.predict(X))
    np.testing.assert_allclose(sparse.predict(sp.csr_matrix(X)), sparse.predict(X))
