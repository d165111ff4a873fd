"""Tree layers: out-of-bag outputs, weights, one-hot columns, determinism."""

import itertools
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import parallel_config
from layer_calls import inverted, solved
from sklearn.datasets import load_iris, make_friedman1
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import OneHotEncoder

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, Stack, Tanh, Trees

KINDS = ["forest", "extra", "boosting"]
kinds = pytest.mark.parametrize("kind", KINDS)


def learned(layer, X, Y, *, seed=0, **context):
    Y = np.asarray(Y, dtype=float).reshape(len(X), -1)
    layer.set_params(units=layer.units or Y.shape[1])
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    return solved(layer, params, X, Y, y=Y, rng=np.random.default_rng(seed), **context)


def out_of_bag_score(kind, X, y, weights=None, **options):
    outputs = learned(Trees(200, kind=kind, **options), X, y, sample_weight=weights).outputs[:, 0]
    miss = np.average((outputs - y) ** 2, weights=weights)
    return 1 - miss / np.average((y - np.average(y, weights=weights)) ** 2, weights=weights)


@pytest.mark.quick(2)
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("kind, Forest", [("forest", RandomForestRegressor),
                                          ("extra", ExtraTreesRegressor)])  # fmt: skip
def test_out_of_bag_outputs_are_worth_those_of_scikit_learn(kind, Forest, copies):
    """Of three copies, one may be in the bag while another is out of it."""
    X, y = make_friedman1(200, noise=2.0, random_state=0)
    reference = Forest(200, max_features=0.5, bootstrap=True, oob_score=True, random_state=0)
    reference.fit(np.repeat(X, copies, axis=0), np.repeat(y, copies))
    score = out_of_bag_score(kind, X, y, np.full(200, float(copies)), max_features=0.5)
    assert score == pytest.approx(reference.oob_score_, abs=0.03)


def test_rows_that_every_tree_has_seen_get_the_mean():
    X, y = make_friedman1(400, random_state=0)
    outputs = learned(Trees(1), X, y).outputs[:, 0]
    seen = np.isclose(outputs, y.mean())
    assert seen.mean() == pytest.approx(1 - np.exp(-1), abs=0.06)
    assert len(np.unique(outputs[~seen])) > 50


@kinds
@pytest.mark.parametrize("classes", [False, True])
def test_a_weight_is_so_many_copies_in_any_order(kind, classes):
    X, y = make_friedman1(60, random_state=0)
    y = (y > y.mean()).astype(int) if classes else y
    times = np.random.default_rng(0).integers(0, 4, size=60)
    copies = np.random.default_rng(1).permutation(np.repeat(np.arange(60), times))
    Estimator = ZORBClassifier if classes else ZORBRegressor
    model = Estimator([Dense(6), Tanh(), Trees(10, kind=kind)], random_state=0)
    outputs = "decision_function" if classes else "predict"
    weighted = getattr(model.fit(X, y, sample_weight=times), outputs)(X), model.loo_score_
    repeated = model.fit(X[copies], y[copies])
    np.testing.assert_array_equal(getattr(repeated, outputs)(X), weighted[0])
    assert repeated.loo_score_ == weighted[1]


def test_weights_that_sum_to_little_still_draw_as_many_rows():
    X, y = make_friedman1(80, random_state=0)
    model = ZORBRegressor([Stack([[Trees(30)]])], random_state=0)
    score = model.fit(X, y).loo_score_
    little = model.fit(X, y, sample_weight=np.full(80, 1e-3)).loo_score_
    assert little == pytest.approx(score, abs=0.05)


def test_boosting_of_few_distinct_rows_with_many_copies():
    rows = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    X = np.repeat(rows, 40, axis=0)
    y = X[:, 0] * X[:, 1] + X[:, 2]
    model = ZORBRegressor([Stack([[Trees(kind="boosting")]])], random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


@kinds
def test_training_outputs_of_noise_are_worth_nothing(kind):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), rng.normal(size=200)
    found = learned(Trees(30, kind=kind), X, y)
    score = 1 - ((found.outputs[:, 0] - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert score < 0.05
    fitted = Trees(30, kind=kind, units=1).forward(found.params, X)[:, 0]
    assert np.corrcoef(fitted, y)[0, 1] > 0.5


@kinds
def test_left_out_predictions_rank_noise_labels_no_better_than_chance(kind):
    rng = np.random.default_rng(1)
    X, labels = rng.normal(size=(300, 4)), rng.integers(2, size=300)
    model = ZORBClassifier([Stack([[Trees(40, kind=kind)]])], random_state=0).fit(X, labels)
    assert model.loo_score_ < 0.58


@kinds
def test_several_outputs_and_learning(kind):
    X, y = make_friedman1(300, random_state=0)
    Y = np.stack([y, X[:, 3], -y], axis=1)
    layer = Trees(50, kind=kind)
    found = learned(layer, X[:200], Y[:200])
    predicted = layer.forward(found.params, X[200:])
    assert predicted.shape == (100, 3)
    for k in range(3):
        assert np.corrcoef(predicted[:, k], Y[200:, k])[0, 1] > 0.8


def test_forest_of_indicator_columns_is_a_classification_forest():
    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier([Stack([[Trees(100)]])], random_state=0).fit(X, y)
    reference = RandomForestClassifier(100, oob_score=True, random_state=0).fit(X, y)
    assert abs(model.loo_score_ - reference.oob_score_) < 0.02
    outputs = learned(Trees(100), X, np.eye(3)[y]).outputs
    np.testing.assert_allclose(outputs.sum(axis=1), 1)
    assert outputs.min() >= 0


def test_boosting_of_labels_hands_on_shares():
    X, y = load_iris(return_X_y=True)
    layer = Trees(20, kind="boosting", units=3)
    params = layer.init(np.random.default_rng(1), (4,))
    options = {"y": y, "task": "multiclass", "rng": np.random.default_rng(0)}
    found = solved(layer, params, X, np.eye(3)[y], **options)
    # squares would give some shares below zero
    for outputs in (found.outputs, layer.forward(found.params, X)):
        assert outputs.min() >= 0
        np.testing.assert_allclose(outputs.sum(axis=1), 1)
        assert (outputs.argmax(axis=1) == y).mean() > 0.9


@kinds
def test_any_number_of_jobs_gives_the_same(kind):
    X, y = make_friedman1(80, random_state=0)
    fits = [
        ZORBRegressor([Stack([[Trees(12, kind=kind)]])], n_jobs=n, random_state=0).fit(X, y)
        for n in (None, 2)
    ]
    np.testing.assert_array_equal(fits[0].predict(X), fits[1].predict(X))
    assert fits[0].loo_score_ == fits[1].loo_score_


def test_targets_travel_through_a_line_first_and_prototypes_afterwards():
    X, y = make_friedman1(100, random_state=0)
    Y = np.stack([y, X[:, 0]], axis=1)
    layer = Trees(20, units=2)
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    np.testing.assert_allclose(layer.forward(params, inverted(layer, params, Y)[0]), Y)
    params = learned(layer, X, Y).params
    known = layer.forward(params, params["prototype_inputs"])
    nearest = ((Y[:, None] - known[None]) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(
        inverted(layer, params, Y)[0], params["prototype_inputs"][nearest]
    )


def test_repeated_targets_are_fitted_in_a_basis_of_their_own():
    rng = np.random.default_rng(0)
    X, codes, values = rng.normal(size=(200, 3)), rng.integers(4, size=200), rng.normal(size=(4, 9))
    layer = Trees(8, units=9, min_samples_leaf=10)
    params = layer.init(rng, (3,))
    thin = solved(layer, params, X, values, codes=codes, rng=np.random.default_rng(0))
    full = solved(layer, params, X, values[codes], rng=np.random.default_rng(0))
    np.testing.assert_allclose(thin.outputs, full.outputs)
    # leaves keep values in single precision
    np.testing.assert_allclose(
        layer.forward(thin.params, X), layer.forward(full.params, X), atol=1e-6
    )


def test_the_latest_fits_are_averaged():
    X, y = make_friedman1(60, random_state=0)
    layer, alone = Trees(5, units=1, n_keep=2), Trees(5, units=1)
    params = layer.init(np.random.default_rng(1), (10,))
    singles, outputs = [], []
    for turn, targets in enumerate((y, -y, y**2)):
        again = partial(np.random.default_rng, turn)
        targets = targets[:, None]
        kept = solved(layer, params, X, targets, y=y[:, None], rng=again())
        one = solved(alone, params, X, targets, y=y[:, None], rng=again())
        singles.append(alone.forward(one.params, X))
        outputs.append(one.outputs)
        params = kept.params
        np.testing.assert_allclose(layer.forward(params, X), np.mean(singles[-2:], axis=0))
        np.testing.assert_allclose(kept.outputs, np.mean(outputs[-2:], axis=0))
    copy = pickle.loads(pickle.dumps(params))
    np.testing.assert_array_equal(layer.forward(copy, X), layer.forward(params, X))


def test_sweeps_change_what_a_window_of_fits_predicts():
    X, y = make_friedman1(200, noise=0.5, random_state=0)
    layers = "Dense[8] Tanh Trees[10, units=8, n_keep={}] Dense[8] Tanh"
    fits = [ZORBRegressor(layers.format(n), n_sweeps=3, random_state=0).fit(X, y) for n in (1, 3)]
    assert len({entry["sweep"] for entry in fits[1].history_}) > 1
    assert not np.allclose(fits[0].predict(X), fits[1].predict(X))
    assert fits[1].score(X, y) > 0.7


@pytest.mark.parametrize(
    "layers",
    [
        "Trees[20]", "Dense[8] Tanh Trees[20] Dense[8] Tanh", "Trees[20, units=6] Dense[6] ReLU",
        "Skip(Dense[4] Tanh) Trees",
    ],
)  # fmt: skip
def test_anywhere_in_a_list(layers):
    X, y = make_friedman1(300, noise=0.5, random_state=0)
    model = ZORBRegressor(layers, random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.6


def test_errors_name_the_parameter():
    with pytest.raises(ValueError, match="units=None"):
        Trees().output_shape((3,))
    with pytest.raises(ValueError, match="Flatten"):
        Trees(units=1).output_shape((3, 3))


def test_a_row_far_away_is_predicted_without_warnings():
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = ZORBRegressor(random_state=0).fit(X, X[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = model.predict([[-1e60, 0.0, 0.0], [1e60, 0.0, 0.0]])
    assert low < -1 and high > 1


RNG = np.random.default_rng(0)
CODES = np.column_stack([RNG.integers(k, size=400) for k in (3, 7, 2)])
NUMBERS = RNG.normal(size=(400, 2))


def one_hot(first=False):
    columns = OneHotEncoder(sparse_output=False).fit_transform(CODES)
    return np.hstack([columns, NUMBERS] if first else [NUMBERS, columns])


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_boosting_of_one_hot_columns_is_boosting_of_categories(first, standardize):
    """One split parts any categories from the others: few stumps tell two groups of them."""
    X, y = one_hot(first), np.isin(CODES[:, 1], [0, 2, 5]).astype(float)
    # pairs of columns that are both on are no categories
    apart = np.repeat(X, 2, axis=1)
    layers = [Stack([[Trees(15, kind="boosting", max_depth=1)]])]
    model = ZORBRegressor(layers, standardize=standardize, random_state=0)
    joined = model.fit(X, y).score(X, y)
    unknown = X[:5].copy()
    unknown[:, slice(None, 12) if first else slice(2, None)] = 0
    assert np.isfinite(model.predict(unknown)).all()
    assert joined > 0.85 > model.fit(apart, y).score(apart, y) + 0.2


@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_sparse_rows_are_dense_rows(kind):
    X, y = one_hot(), CODES[:, 1] + NUMBERS[:, 0]
    layers = [Stack([[Trees(20, kind=kind)]])]
    for train in (X, sp.csr_matrix(X)):
        model = ZORBRegressor(layers, standardize=False, random_state=0).fit(train, y)
        assert model.score(X, y) > 0.8
        np.testing.assert_allclose(model.predict(sp.csr_matrix(X)), model.predict(X))


def test_bounded_samples_are_copies_too_and_predict_rows_out_of_the_bag():
    X, y = make_friedman1(400, random_state=0)
    times = np.random.default_rng(0).integers(1, 4, size=400)
    model = ZORBRegressor([Stack([[Trees(30, max_samples=60)]])], random_state=0)
    weighted = model.fit(X, y, sample_weight=times).predict(X), model.loo_score_
    repeated = model.fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_array_equal(repeated.predict(X), weighted[0])
    assert repeated.loo_score_ == weighted[1]
    # trees of 60 rows know less than those of all, and left-out rows show it
    fresh = make_friedman1(2000, random_state=1)
    assert model.loo_score_ == pytest.approx(model.score(*fresh), abs=0.06)
    whole = ZORBRegressor([Stack([[Trees(30)]])], random_state=0).fit(X, y)
    assert whole.loo_score_ > model.loo_score_ + 0.03


def test_fewer_bins_leaves_and_rounds_are_what_boosting_gets():
    X, y = make_friedman1(300, random_state=0)
    rough = Trees(1, kind="boosting", max_leaf_nodes=2, learning_rate=1.0, max_bins=2, units=1)
    outputs = rough.forward(learned(rough, X, y).params, X)
    # the mean of five stumps of two bins has no more values than their sides allow
    assert len(np.unique(outputs.round(9))) <= 2**5
    # categories may be more than the bins
    codes = np.arange(300) % 10
    one_hot = np.eye(10)[codes]
    found = learned(Trees(20, kind="boosting", max_bins=4), one_hot, codes % 2.0).outputs[:, 0]
    assert np.corrcoef(found, codes % 2)[0, 1] > 0.8


@kinds
def test_the_number_of_workers_and_the_backend_of_joblib_change_nothing(kind):
    X, y = make_friedman1(120, random_state=0)
    fits = [learned(Trees(5, kind=kind), X, y, n_jobs=n_jobs).outputs for n_jobs in (None, 1, 2)]
    with parallel_config(backend="multiprocessing", n_jobs=2):
        fits.append(learned(Trees(5, kind=kind), X, y).outputs)
    for outputs in fits[1:]:
        np.testing.assert_array_equal(outputs, fits[0])
