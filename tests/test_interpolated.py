"""Outputs behind weights of low rank: a few units tell the others."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.layers import Dense, ReLU, Softmax, Tanh, factored, interpolated
from sklearn_zorb.layers.base import Context
from sklearn_zorb.layers.factored import Factored, thin_factors
from sklearn_zorb.layers.interpolated import Interpolated, condense
from sklearn_zorb.layers.rows import Rows
from sklearn_zorb.linalg import Gram, LeastSquares, System, get_backend
from sklearn_zorb.targets import Targets

LAYERS = "Dense[160] Tanh Dense[140] Tanh Dense[120] Tanh"


@pytest.fixture
def eager(monkeypatch):
    """No problem is too small to look for units and factors."""
    monkeypatch.setattr(interpolated, "LEAST_FLOPS", 0)
    monkeypatch.setattr(interpolated, "LEAST_ROWS", 300)
    monkeypatch.setattr(factored, "LEAST_FLOPS", 0)


def never(*arguments):
    """In place of `condense`: all units are read."""


def classes(n_rows=3000):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 20))
    return X, (np.sin(X[:, 0]) + X[:, 1] * X[:, 2] > 0).astype(int) + (X[:, 3] > 1)


def low_rank_rows(n_rows=400, rank=7, width=30):
    """Rows of `width` columns that follow from `rank` of them, and their parts."""
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(n_rows, rank)) + 3.0
    mixing = np.hstack([np.eye(rank), rng.normal(size=(rank, width - rank))])
    means = rng.normal(size=width)
    return Interpolated(columns, mixing, columns.mean(axis=0), means), rng.normal(size=(n_rows, 3))


def behind(layers=(), n_rows=4000, rank=3, width=128):
    """Rows behind weights of low rank, not computed yet."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n_rows, 9))
    left = {"weights": rng.normal(size=(9, rank)), "intercept": np.zeros(rank)}
    right, intercept = 0.01 * rng.normal(size=(rank, width)), rng.normal(size=width)
    params = {"left": left, "right": right, "intercept": intercept}
    return Rows(X, (Factored(Dense(rank)), *layers), (params, *[{}] * len(layers)), (width,))


def test_rows_are_what_their_columns_say():
    rows, _ = low_rank_rows()
    expected = (rows.columns - rows.column_means) @ rows.mixing + rows.means
    assert rows.shape == expected.shape == (400, 30)
    assert_allclose(rows[5:9], expected[5:9])
    assert_allclose(np.asarray(rows), expected)


@pytest.mark.parametrize("alpha", ["loo", 0.7])
def test_ridge_on_a_few_columns_is_ridge_on_all(alpha):
    rows, targets = low_rank_rows()
    solver = LeastSquares(alpha=alpha)
    expected = solver.solve(System.from_arrays(rows[:], targets), loo_outputs=True)
    system = rows.system(System.from_arrays(rows.columns, targets))
    found = solver.solve(system, loo_outputs=True)
    assert_allclose(rows.columns @ rows.for_columns(found.coef) + found.intercept,
                    rows[:] @ expected.coef + expected.intercept, rtol=1e-7)  # fmt: skip
    rows.expand(found)
    assert_allclose(found.coef, expected.coef, atol=1e-8)
    assert_allclose(found.intercept, expected.intercept, atol=1e-7)
    assert found.alpha == pytest.approx(expected.alpha) and found.criterion == expected.criterion
    assert_allclose(found.loo_outputs, expected.loo_outputs, atol=1e-8)


def test_condensed_rows_are_the_rows():
    rows = behind([Tanh()])
    few = condense(rows, Dense(2), Context())
    assert few is None  # too few flops to repay it
    few = _eagerly(rows)
    assert few.columns.shape[1] < 75
    # what is left is next to nothing beside the least penalty
    assert_allclose(few[:], rows[:], atol=3e-4)


def _eagerly(rows, reader=None, context=None):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpolated, "LEAST_FLOPS", 0)
        patch.setattr(interpolated, "LEAST_ROWS", 300)
        return condense(rows, reader or Dense(2), context or Context())


@pytest.mark.parametrize(
    "rows, reader, context",
    [
        (behind([Softmax()]), None, None),
        (behind([Tanh()], rank=9), None, None),
        (behind([Tanh()], n_rows=700), None, None),
        (behind([Tanh()]), Dense(2, use_bias=False), None),
        (behind([Tanh()]), Dense(2, alpha=0.0), None),
        (behind([Tanh()]), Dense(2, relaxation=0.5), None),
        (behind([Tanh()]), ReLU(), None),
        (behind([Tanh()]), None, Context(refine=True)),
    ],
    ids=["not elementwise", "rank", "few rows", "no bias", "minimum norm", "relaxed",
         "not solved", "second sweep"],
)  # fmt: skip
def test_all_units_are_computed_where_a_few_would_not_do(rows, reader, context):
    assert _eagerly(behind([Tanh()])) is not None
    assert _eagerly(rows, reader, context) is None


def test_units_are_chosen_by_rows_of_weight():
    rows = behind([Tanh()])
    weights = np.ones(4000)
    expected = _eagerly(rows, None, Context(sample_weight=weights))
    source = np.vstack([rows.source, np.full((500, 9), 1e3)])
    padded = Rows(source, rows.layers, rows.params, rows.shape[1:])
    found = _eagerly(padded, None, Context(sample_weight=np.repeat([1.0, 0.0], [4000, 500])))
    assert_allclose(found.mixing, expected.mixing)
    assert_allclose(found[:4000], expected[:])
    assert _eagerly(rows, None, Context(sample_weight=np.repeat([1.0, 0.0], [600, 3400]))) is None


def test_a_penalty_that_is_given_says_what_is_negligible():
    rows = behind([Tanh()])
    least = 1e-6 * rows[:].var(axis=0).mean() * len(rows)
    expected = _eagerly(rows).columns.shape[1]
    counts = [_eagerly(rows, Dense(2, alpha=f * least)).columns.shape[1] for f in (1, 1e4)]
    assert abs(counts[0] - expected) <= 1 and counts[1] < expected - 5


def test_a_subclass_with_rows_of_its_own_reads_all_units():
    class Squares(Dense):
        def rows(self, params, inputs):
            return inputs**2

    assert Dense(3).reads_units(Context()) and not Squares(3).reads_units(Context())


def test_units_that_do_not_tell_those_of_other_rows_are_not_taken():
    rows = behind([Tanh()])
    # every sampled row is alike, the others are not
    step = 4000 // 300
    rows.source[::step, 1:] = 0.0
    assert _eagerly(rows) is None


def test_a_fit_is_the_same_by_a_few_units(eager, monkeypatch):
    X, y = classes()
    model = ZORBClassifier(LAYERS, relaxation=1.0, readout="last", random_state=0)
    few = model.fit(X, y)
    read = [entry.get("units_read") for entry in few.history_]
    assert read[0] is None and all(count < 60 for count in read[1:])
    errors = [entry["loo_error"] for entry in few.history_]
    outputs = few.decision_function(X)
    small = model.set_params(memory_limit="300KB").fit(X, y).decision_function(X)
    assert_allclose(small, outputs, atol=1e-5)
    monkeypatch.setattr("sklearn_zorb.layers.sequence.condense", never)
    whole = model.set_params(memory_limit=None).fit(X, y)
    assert all("units_read" not in entry for entry in whole.history_)
    # differences grow from layer to layer
    assert few.loo_score_ == pytest.approx(whole.loo_score_, abs=2e-3)
    for one, other in zip(errors, whole.history_, strict=True):
        assert one == pytest.approx(other["loo_error"], rel=3e-3)


@pytest.mark.parametrize("readout", [False, True])
def test_one_solve_by_a_few_units_is_that_of_all(readout):
    rows, layer = behind([Tanh()]), Dense(12)
    few, H = _eagerly(rows), rows[:]
    values = np.random.default_rng(3).normal(size=(3, 12))
    targets = Targets(values, (rows.source[:, 0] > 0).astype(int) + (rows.source[:, 1] > 0))
    context = Context(loo_outputs=readout)
    found, expected = (layer.solve({}, inputs, targets, context) for inputs in (few, H))
    assert found.report["units_read"] == few.columns.shape[1]
    assert found.report["alpha"] == pytest.approx(expected.report["alpha"], rel=1e-6)
    outputs = layer.forward(expected.params, H)
    assert_allclose(layer.forward(found.params, H), outputs, atol=1e-2)
    assert np.abs(layer.forward(found.params, H) - outputs).mean() < 1e-3
    # what the next layer sees is computed from the columns alone
    assert_allclose(found.outputs[:], layer.forward(found.params, few[:]), atol=1e-8)
    if readout:
        assert_allclose(found.loo_outputs, expected.loo_outputs, atol=3e-2)


def test_backends_take_the_same_units(eager):
    X, y = classes()
    model = ZORBClassifier(LAYERS, relaxation=1.0, readout="last", random_state=0)
    model.set_params(backend="numpy").fit(X, y)
    outputs = model.decision_function(X)
    reads = [entry.get("units_read") for entry in model.history_]
    if get_backend("jax").accelerated:
        pytest.skip("an accelerator computes all units")
    model.set_params(backend="jax").fit(X, y)
    assert [entry.get("units_read") for entry in model.history_] == reads
    assert_allclose(model.decision_function(X), outputs, atol=1e-5)


def test_thin_factors():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(90, 5)) @ rng.normal(size=(5, 70))
    left, right = thin_factors(weights, 10**9)
    assert left.shape == (90, 5)
    assert_allclose(left @ right, weights, atol=1e-12)
    assert thin_factors(weights, 10) is None
    assert thin_factors(rng.normal(size=(90, 70)), 10**9) is None
    assert thin_factors(weights + 1e-6 * rng.normal(size=(90, 70)), 10**9) is None
    assert thin_factors(rng.normal(size=(4, 70)), 10**9) is None


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_low_rank_weights_by_thin_products(eager, monkeypatch, backend):
    X, y = classes()
    monkeypatch.setattr("sklearn_zorb.layers.initializers.LOW_RANK", 1)
    layers = "Dense[64, initializer=low_rank, relaxation=0.4] Tanh Dense[30] Tanh"
    model = ZORBClassifier(layers, relaxation=1.0, random_state=0, backend=backend).fit(X, y)
    found, calls = model.decision_function(X), []
    monkeypatch.setattr(
        "sklearn_zorb.layers.least_squares.thin_factors",
        lambda *args: calls.append(thin_factors(*args)),
    )
    assert_allclose(model.fit(X, y).decision_function(X), found, atol=1e-7)
    # the read-out is not relaxed, nor is the other layer
    assert [factors[0].shape for factors in calls] == [(20, 1)]


@pytest.mark.parametrize("offset", [0.0, 20.0, 1e6])
def test_sums_of_rows_whose_means_are_taken_away_after(offset):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 200)) + offset
    rows[:, 0] = 7.0 if offset else 0.0
    targets = rng.normal(size=(3000, 2)) + offset
    gram = Gram().add(rows[:1999], targets[:1999]).add(rows[1999:], targets[1999:])
    centred, deviation = rows - rows.mean(axis=0), targets - targets.mean(axis=0)
    rounding = 1e-9 + 3000 * 1e-16 * offset
    assert_allclose(gram.full(), centred.T @ centred, atol=rounding)
    assert_allclose(gram.cross, centred.T @ deviation, atol=rounding)
    assert_allclose(gram.mean, rows.mean(axis=0))
    assert_allclose(gram.target_squares, (deviation**2).sum(axis=0))


def test_rows_far_from_zero_are_centred_first(monkeypatch):
    monkeypatch.setattr(Gram, "_add_plain", lambda *args: pytest.fail("not centred"))
    rows = np.random.default_rng(0).normal(size=(3000, 200))
    Gram().add(rows + 1e3, rows[:, :1])
    rows[:, 3] = 0.5
    Gram().add(rows, rows[:, :1])
