"""Estimators: order, units, copies; nothing of the caller changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.drawn import SEEDS, UNITS, noise

from sklearn_zorb import ZORBClassifier, ZORBRegressor

LISTS = pytest.mark.parametrize("layers", ["Identity", "Dense[5] Tanh", "Kernel[40]", "Trees[3]"])


def table(seed):
    X = noise(seed, 25, 3)
    return X, X[:, 0] + np.abs(X[:, 1])


@LISTS
@given(SEEDS, UNITS, UNITS, st.booleans())
def test_units_and_order_of_rows(layers, seed, unit_of_rows, unit_of_targets, clip):
    X, y = table(seed)
    order = np.random.default_rng(seed).permutation(25)
    model = ZORBRegressor(layers, clip=clip, random_state=0)
    expected = model.fit(X, y).predict(X)
    before = X.copy(), y.copy()
    rows = unit_of_rows * X
    found = model.fit(rows[order], unit_of_targets * y[order] + 3 * unit_of_targets).predict(rows)
    np.testing.assert_allclose(found / unit_of_targets - 3, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@LISTS
@given(SEEDS)
def test_weights_are_copies_and_names_of_classes_are_names(layers, seed):
    X, y = table(seed)
    labels = np.where(y > y.mean(), "b", "a")
    counts = np.random.default_rng(seed).integers(1, 4, 25)
    copies = np.repeat(np.arange(25), counts)
    model = ZORBClassifier(layers, random_state=0)
    expected = model.fit(X, labels, sample_weight=counts).predict_proba(X)
    found = model.fit(X[copies], labels[copies]).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    # the second class stays the second
    named = model.fit(X[copies], np.where(labels == "a", 3, 8)[copies]).predict_proba(X)
    np.testing.assert_allclose(named, found, atol=1e-12)
