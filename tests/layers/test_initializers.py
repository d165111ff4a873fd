"""Units that see windows of images: what they see, and what they do not depend on."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_digits

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, ReceptiveFields, ReLU
from sklearn_zorb.layers.initializers import initial_weights


def draw(rows, y, image=None, units=30, sample_weight=None, **sizes):
    rng, shape = np.random.default_rng(5), (rows.shape[1] + 1, units)
    return ReceptiveFields(image, **sizes)(rng, shape, rows, y, sample_weight)


@pytest.mark.parametrize("image", [(7, 9), (7, 9, 2)])
def test_a_unit_crosses_between_two_rows_within_its_field(image):
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(30, int(np.prod(image)))), rng.integers(3, size=30)
    weights = draw(rows, y, image, min_size=2, max_size=4)
    values = np.column_stack([rows, np.ones(30)]) @ weights
    for unit, column in zip(weights[:-1].T, values.T, strict=True):
        seen = unit.reshape(image) != 0
        for axis in (0, 1):
            others = tuple(k for k in range(len(image)) if k != axis)
            where = np.flatnonzero(seen.any(axis=others))
            assert 2 <= len(where) <= 4 and len(where) == where[-1] - where[0] + 1
        low, high = (np.flatnonzero(np.abs(column - sign * np.log(3)) < 1e-9) for sign in (-1, 1))
        # of the rows at both ends, some pair is of different targets
        assert {y[i] for i in low} | {y[j] for j in high} > {y[low[0]]}


def test_fields_lie_where_rows_differ():
    rng = np.random.default_rng(0)
    images = np.zeros((40, 12, 12))
    images[:, 4:8, 4:8] = rng.random((40, 4, 4))
    weights = draw(images.reshape(40, -1), rng.integers(2, size=40), max_size=5)
    assert (weights[:-1] != 0).any(axis=0).all()
    # an edge of the patch alone would make weights an order of magnitude larger
    lengths = np.linalg.norm(weights[:-1], axis=0)
    assert lengths.max() < 4 * lengths.min()


def test_copies_order_and_sparsity_change_nothing():
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(12, 16)), rng.integers(3, size=12)
    rows[rng.random(rows.shape) < 0.3] = 0
    order = rng.permutation(12)
    first = draw(rows, y)
    for data in (
        (rows[order], y[order]),
        (np.repeat(rows, 3, axis=0), np.repeat(y, 3)),
        (sp.csr_matrix(rows), y),
    ):
        np.testing.assert_array_equal(draw(*data), first)
    weighed = draw(np.vstack([rows, rows[:1] + 1]), np.append(y, 9),
                   sample_weight=np.append(np.ones(12), 0))  # fmt: skip
    np.testing.assert_array_equal(weighed, first)


@pytest.mark.parametrize("y", [np.zeros(5), np.arange(5.0), np.eye(5)])
def test_rows_that_do_not_differ(y):
    weights = draw(np.ones((5, 9)), y)
    assert weights.shape == (10, 30) and np.isfinite(weights).all()
    # rows that differ and targets that do not: any pair will do
    assert np.isfinite(draw(np.eye(9), np.zeros(9))).all()


def test_inside_estimators():
    X, y = load_digits(return_X_y=True)
    fields = ReceptiveFields((8, 8), min_size=3, max_size=6)
    model = ZORBClassifier([Dense(60, initializer=fields, relaxation=0), ReLU()], random_state=0)
    first = clone(model).fit(X[:500], y[:500])
    again = pickle.loads(pickle.dumps(model)).fit(X[:500], y[:500])
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    text = "Dense[60, initializer=receptive_fields] ReLU"
    assert ZORBClassifier(text, random_state=0).fit(X[:500], y[:500]).score(X, y) > 0.85
    outputs = np.column_stack([y, -y])
    assert ZORBRegressor(text, random_state=0).fit(X[:500], outputs[:500]).score(X, outputs) > 0.5


def test_backends_draw_the_same():
    X, y = load_digits(return_X_y=True)
    text = "Dense[40, initializer=receptive_fields, relaxation=0] Tanh"
    found, expected = (
        ZORBClassifier(text, backend=backend, random_state=0).fit(X[:300], y[:300])
        for backend in ("jax", "numpy")
    )
    # scaled rows differ by rounding, and what is drawn from them must not
    np.testing.assert_allclose(
        found.params_[1]["weights"], expected.params_[1]["weights"], rtol=1e-8, atol=1e-10
    )
    np.testing.assert_allclose(found.decision_function(X), expected.decision_function(X), atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (ReceptiveFields(), "input_shape=None does not fit a layer of 12 inputs"),
        (ReceptiveFields((3, 5)), r"input_shape=\(3, 5\) does not fit"),
        (ReceptiveFields((12,)), "pass .rows, columns."),
        (ReceptiveFields((3, 4), min_size=0), "min_size=0; pass an integer >= 1"),
        (ReceptiveFields((3, 4), max_size=2.5), "max_size=2.5"),
        (ReceptiveFields((3, 4), max_size=2), "min_size=4 is above max_size=2"),
    ],
)
def test_errors(fields, message):
    rows, y = np.random.default_rng(0).normal(size=(6, 12)), np.arange(6)
    with pytest.raises(ValueError, match=message):
        initial_weights(fields, np.random.default_rng(0), 12, 5, lambda: (rows, y, None))
    with pytest.raises(ValueError, match="draws from training rows; none came"):
        initial_weights(fields, np.random.default_rng(0), 12, 5)
