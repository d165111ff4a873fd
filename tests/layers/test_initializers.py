"""Initial weights: their spread, and what is drawn from training rows."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_digits

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, ReceptiveFields, ReLU


def drawn(initializer, rows, y, units=30, sample_weight=None):
    """Weights and, as the last row, intercepts of a Dense layer that may look at its rows."""
    layer = Dense(units, initializer=initializer)
    data = (rows, y, sample_weight)
    params = layer.init(np.random.default_rng(5), rows.shape[1:], data)
    return np.vstack([params["weights"], params["intercept"]])


def test_variance_of_initial_weights():
    variances = dict.fromkeys(("glorot", "glorot_uniform", "glorot_normal"), 2 / 100)
    variances |= dict.fromkeys(("he", "he_uniform", "he_normal"), 2 / 60)
    for name, variance in variances.items():
        weights = drawn(name, np.ones((1, 60)), None, 40)
        assert weights.shape == (61, 40)
        assert weights.var() == pytest.approx(variance, rel=0.1)


def test_orthogonal_weights():
    for width, units in ((20, 8), (8, 20)):
        weights = drawn("orthogonal", np.ones((1, width)), None, units)[:-1]
        small = weights.T @ weights if width > units else weights @ weights.T
        np.testing.assert_allclose(small, np.eye(8), atol=1e-12)


def test_bad_initializers_are_named():
    for bad in (np.ones((2, 2)), np.full((4, 5), np.nan)):
        with pytest.raises(ValueError, match="initializer returned"):
            Dense(5, initializer=lambda rng, shape, bad=bad: bad).init(None, (3,))


def test_data_pairs_cross_between_two_rows():
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    values = np.column_stack([rows, np.ones(30)]) @ drawn("data_pairs", rows, y, 25)
    for unit in values.T:
        # some row sits at -ln 3 and its partner at ln 3
        assert np.abs(unit - np.log(3)).min() < 1e-9 and np.abs(unit + np.log(3)).min() < 1e-9


@pytest.mark.parametrize("initializer", ["data_pairs", ReceptiveFields()], ids=str)
def test_copies_order_and_sparsity_change_nothing(initializer):
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(12, 16)), rng.integers(3, size=12)
    rows[rng.random(rows.shape) < 0.3] = 0
    order = rng.permutation(12)
    first = drawn(initializer, rows, y)
    for data in (
        (rows[order], y[order]),
        (np.repeat(rows, 3, axis=0), np.repeat(y, 3)),
        (sp.csr_matrix(rows), y),
    ):
        np.testing.assert_array_equal(drawn(initializer, *data), first)
    weights = np.append(np.ones(12), 0)
    more = np.vstack([rows, rows[:1] + 1])
    weighed = drawn(initializer, more, np.append(y, 9), sample_weight=weights)
    np.testing.assert_array_equal(weighed, first)


@pytest.mark.parametrize("initializer", ["data_pairs", ReceptiveFields()], ids=str)
def test_rows_that_do_not_differ(initializer):
    for y in (np.zeros(5), np.arange(5.0), np.eye(5)):
        weights = drawn(initializer, np.ones((5, 9)), y)
        assert weights.shape == (10, 30) and np.isfinite(weights).all()
    # rows that differ and targets that do not: any pair will do
    assert np.isfinite(drawn(initializer, np.eye(9), np.zeros(9))).all()


@pytest.mark.parametrize("image", [(7, 9), (7, 9, 2)])
def test_a_unit_crosses_between_two_rows_within_its_field(image):
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(30, int(np.prod(image)))), rng.integers(3, size=30)
    weights = drawn(ReceptiveFields(image, min_size=2, max_size=4), rows, y)
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
    fields = ReceptiveFields(max_size=5)
    weights = drawn(fields, images.reshape(40, -1), rng.integers(2, size=40))
    assert (weights[:-1] != 0).any(axis=0).all()
    # an edge of the patch alone would make weights an order of magnitude larger
    lengths = np.linalg.norm(weights[:-1], axis=0)
    assert lengths.max() < 4 * lengths.min()


def test_fields_inside_estimators():
    X, y = load_digits(return_X_y=True)
    X_train, y_train = X[:300], y[:300]
    fields = ReceptiveFields((8, 8), min_size=3, max_size=6)
    model = ZORBClassifier([Dense(60, initializer=fields, relaxation=0), ReLU()], random_state=0)
    first = clone(model).fit(X_train, y_train)
    again = pickle.loads(pickle.dumps(model)).fit(X_train, y_train)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    text = "Dense[60, initializer=receptive_fields] ReLU"
    assert ZORBClassifier(text, random_state=0).fit(X_train, y_train).score(X, y) > 0.85
    outputs = np.column_stack([y, -y])
    regressor = ZORBRegressor(text, random_state=0).fit(X_train, outputs[:300])
    assert regressor.score(X, outputs) > 0.5


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
def test_errors_of_fields(fields, message):
    rows, y = np.random.default_rng(0).normal(size=(6, 12)), np.arange(6)
    with pytest.raises(ValueError, match=message):
        drawn(fields, rows, y)
    with pytest.raises(ValueError, match="draws from training rows; none came"):
        Dense(5, initializer=fields).init(np.random.default_rng(0), (12,))
