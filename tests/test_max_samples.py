"""Hidden layers solved on a sample of the rows, the read-out on all of them."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Tanh, least_squares, rows, sequence
from sklearn_zorb.linalg import LeastSquares
from sklearn_zorb.trainers import ZORB

X, Y = load_digits(return_X_y=True)
X = X / 16.0
NUMBERS = X[:, 20] * X[:, 43] + X[:, 36]
LAYERS = "Dense[40] Tanh Dense[30] Sigmoid"


def classifier(layers=LAYERS, **options):
    options = {"standardize": False, "random_state": 0, "max_samples": 600, **options}
    return ZORBClassifier(layers, **options)


@pytest.fixture
def sampled(monkeypatch):
    """The rows that each solve read, as numbers of rows in the order of the solves."""
    seen, solve = [], LeastSquares.solve

    def spy(self, system, **options):
        seen.append(system.n_rows)
        return solve(self, system, **options)

    monkeypatch.setattr(LeastSquares, "solve", spy)
    return seen


@pytest.mark.parametrize(("max_samples", "n_rows"), [(600, 600), (0.25, 449), (1, 1)])
def test_hidden_solves_read_the_sample_and_the_readout_all(sampled, max_samples, n_rows):
    classifier(max_samples=max_samples, relaxation=1.0).fit(X, Y)
    assert sampled == [n_rows, n_rows, len(X)]


@pytest.mark.parametrize("max_samples", [len(X), 10 * len(X), 1.0])
def test_as_many_as_there_are_is_all(max_samples):
    some, every = classifier(max_samples=max_samples).fit(X, Y), classifier(max_samples=None)
    np.testing.assert_array_equal(some.predict_proba(X), every.fit(X, Y).predict_proba(X))


@pytest.mark.parametrize("readout", ["all", "last"])
@pytest.mark.parametrize("relaxation", [0.3, 1.0])
def test_hidden_params_are_those_of_the_sample_and_the_readout_is_a_ridge(
    monkeypatch, readout, relaxation
):
    places = np.random.default_rng(1).permutation(len(X))[:700]
    places.sort()
    monkeypatch.setattr(ZORB, "_sample", lambda *args: places)
    options = {"relaxation": relaxation, "alpha": 0.1, "readout": readout}
    model = classifier(**options).fit(X, Y)
    monkeypatch.setattr(ZORB, "_sample", lambda *args: None)
    own = classifier(**options).fit(X[places], Y[places])
    for params, expected in zip(model.params_[:-1], own.params_[:-1], strict=True):
        for name in expected:
            np.testing.assert_allclose(params[name], expected[name], rtol=1e-7, atol=1e-9)
    layers, blocks = [layer for _, layer in model.layers_], [X]
    for i in range(4):
        blocks.append(layers[i].forward(model.params_[i], blocks[-1]))
    seen = blocks[4] if readout == "last" else np.hstack([X, blocks[2], blocks[4]])
    ridge = Ridge(alpha=0.1, solver="cholesky").fit(seen, np.eye(10)[Y])
    np.testing.assert_allclose(model.params_[-1]["weights"], ridge.coef_.T, atol=1e-7)
    np.testing.assert_allclose(model.params_[-1]["intercept"], ridge.intercept_, atol=1e-7)


def test_seeds_draw_the_sample():
    first, again, other = (classifier(random_state=seed).fit(X, Y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.allclose(first.predict_proba(X), other.predict_proba(X))


def test_left_out_predictions_are_those_of_all_rows():
    model = classifier(max_samples=300).fit(X, Y)
    plain = classifier(max_samples=None).fit(X, Y)
    assert abs(model.loo_score_ - plain.loo_score_) < 0.03
    assert 0.9 < model.loo_score_ < 1


def test_rows_without_weight_are_never_drawn(sampled):
    weights = np.where(np.arange(len(X)) % 2, 1.0, 0.0)
    model = classifier(max_samples=0.5).fit(X, Y, sample_weight=weights)
    assert sampled[0] == round(0.5 * weights.sum())
    own = classifier(max_samples=0.5).fit(X[1::2], Y[1::2])
    np.testing.assert_allclose(model.predict_proba(X), own.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("options", [
    {"memory_limit": "2MB"}, {"backend": "jax"}, {"memory_limit": "300KB", "readout": "last"},
])  # fmt: skip
def test_memory_and_backends_do_not_change_the_model(options):
    one = classifier(**{"readout": "all", **options}).fit(X, Y)
    other = classifier(readout=options.get("readout", "all")).fit(X, Y)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-8)


def test_single_precision_comes_close():
    single, double = classifier(dtype="float32").fit(X, Y), classifier().fit(X, Y)
    assert (single.predict(X) == double.predict(X)).mean() > 0.995


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("memory_limit", [None, "1MB"])
# fewer units than classes have no thin products of their own
@pytest.mark.parametrize("last", [60, 2])
def test_the_readout_sees_what_hidden_layers_make_of_all_rows(monkeypatch, few, memory_limit, last):
    """Also by the shortcuts of wide layers, thin products and few units, beside all units."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12000, 8))
    labels = (rows[:, :3] ** 2).argmax(axis=1)
    for module in ("interpolated", "factored"):
        monkeypatch.setattr(f"sklearn_zorb.layers.{module}.LEAST_FLOPS", 0)
    monkeypatch.setattr("sklearn_zorb.layers.rows.CACHE_BYTES", 1e5)
    if not few:
        monkeypatch.setattr("sklearn_zorb.layers.sequence.condense", lambda *args: None)
    model = classifier(
        f"Dense[120] Tanh Dense[80] Tanh Dense[{last}] Tanh", relaxation=1.0, readout="last",
        alpha=1.0, max_samples=8000, memory_limit=memory_limit,
    ).fit(rows, labels)  # fmt: skip
    assert few == any("units_read" in entry for entry in model.history_)
    hidden = [layer for _, layer in model.layers_[:-1]]
    seen = sequence.forward(hidden, model.params_[:-1], rows)
    ridge = Ridge(alpha=1.0, solver="cholesky").fit(seen, np.eye(3)[labels])
    missed = model.decision_function(rows) - ridge.predict(seen)
    # units that are passed over leave a share of the penalty
    assert np.sqrt((missed**2).mean()) < (2e-3 if few else 1e-6)


@pytest.mark.parametrize("layers", [
    "Dense[30] Tanh BatchNorm Dense[20] Tanh", "Skip(Dense[20] Tanh) Dense[20] ReLU",
    "Parallel(Dense[20] Tanh | Dense[10] ReLU) Dense[20] Tanh", "Kernel[50]",
])  # fmt: skip
def test_lists_of_other_layers(layers):
    model = classifier(layers, max_samples=800).fit(X, Y)
    shown = sequence.forward([layer for _, layer in model.layers_[:-1]], model.params_[:-1], X)
    assert np.isfinite(shown).all()
    assert model.score(X, Y) > 0.9


def test_sparse_rows_numbers_and_sweeps():
    dense = ZORBRegressor(LAYERS, max_samples=600, n_sweeps=2, standardize=False, random_state=0)
    dense.fit(X, NUMBERS)
    sparse = ZORBRegressor(LAYERS, max_samples=600, n_sweeps=2, standardize=False, random_state=0)
    sparse.fit(sp.csr_matrix(X), NUMBERS)
    np.testing.assert_allclose(dense.predict(X), sparse.predict(X), atol=1e-6)
    assert dense.score(X, NUMBERS) > 0.95


def test_trees_before_the_readout_are_refused_by_name():
    with pytest.raises(ValueError, match=r"max_samples=600: layer 'trees_1' treats .*Stack"):
        classifier("Trees[20] Dense[20] Tanh").fit(X, Y)


def test_a_stack_learns_from_all_rows():
    layers = "Stack(Dense[20] Tanh | Trees[20])"
    some, every = classifier(layers).fit(X, Y), classifier(layers, max_samples=None).fit(X, Y)
    np.testing.assert_array_equal(some.predict(X), every.predict(X))


@pytest.mark.parametrize("value", [0, -3, 1.5, 0.0, "half"])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match="max_samples"):
        classifier(max_samples=value).fit(X, Y)


# the second takes up whole chunks
@pytest.mark.parametrize("places", [np.arange(0, len(X), 3), np.arange(300, 900)])
def test_rows_of_the_sample_are_not_computed_again(monkeypatch, places):
    computed, forward = [], Tanh.forward

    def counting(self, params, inputs, *, rng=None):
        computed.append(len(inputs))
        return forward(self, params, inputs, rng=rng)

    monkeypatch.setattr(rows, "CACHE_BYTES", 1e5)
    monkeypatch.setattr(Tanh, "forward", counting)
    monkeypatch.setattr(ZORB, "_sample", lambda *args: places)
    options = {"layers": "Dense[40] Tanh", "readout": "last", "relaxation": 0.5}
    model = classifier(**options).fit(X, Y)
    # but for the first chunk, which tells what outputs are like
    assert len(X) <= sum(computed) < len(X) + 100 and min(computed) > 0
    monkeypatch.undo()
    monkeypatch.setattr(ZORB, "_sample", lambda *args: places)
    plain = classifier(**options, memory_limit="10MB").fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(X), atol=1e-9)


def test_products_are_thin_where_they_pay_for_all_rows(monkeypatch):
    """A smaller sample may not make all rows take longer, by products of all units."""
    asked, look = [], least_squares.thin_factors

    def spy(weights, n_rows):
        asked.append(n_rows)
        return look(weights, n_rows)

    monkeypatch.setattr(least_squares, "thin_factors", spy)
    classifier("Dense[80, initializer=low_rank] Tanh", relaxation=0.5, max_samples=0.25).fit(X, Y)
    assert asked == [pytest.approx(len(X))]
