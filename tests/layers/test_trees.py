"""Tree layers: out-of-bag outputs, multi-output targets, weights, determinism."""

import itertools
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from scipy import sparse as sp
from sklearn.datasets import load_iris, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Context, Dense, Stack, Tanh, Trees
from sklearn_zorb.layers.forest import _Bag, grow_forest
from sklearn_zorb.layers.trees import FORESTS
from sklearn_zorb.targets import Targets
from sklearn_zorb.testing import check_layer

KINDS = ["forest", "extra", "boosting"]


def solve(layer, X, Y, *, direct=True, **changes):
    Y = np.asarray(Y, dtype=float).reshape(len(X), -1)
    targets = Targets(Y)
    context = Context(
        rng=np.random.default_rng(0), y=Y, y_targets=targets if direct else None
    ).replace(**changes)
    layer.set_params(units=layer.units or Y.shape[1])
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    return params, layer.solve(params, X, targets, context)


def brute_force_out_of_bag(forest, X, targets, weights, rng):
    """Every bootstrap sample drawn again, and every row asked of every tree."""
    total, count = np.zeros(targets.shape), np.zeros(len(X))
    for tree, stream in zip(forest.trees, rng.spawn(len(forest.trees)), strict=True):
        drawn = stream.multinomial(int(weights.sum()), weights / weights.sum())
        for i in range(len(X)):
            chance = (1 - 1 / weights[i]) ** drawn[i]
            total[i] += chance * tree.predict(X[i : i + 1]).ravel()
            count[i] += chance
    return total / count[:, None]


@pytest.mark.parametrize("make_tree", [DecisionTreeRegressor, ExtraTreeRegressor])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("heaviest", [1, 4])
def test_out_of_bag_outputs(make_tree, n_outputs, heaviest):
    X, y = make_friedman1(50, random_state=0)
    Y = np.stack([y, -y, y**2], axis=1)[:, :n_outputs]
    weights = np.random.default_rng(1).integers(1, heaviest + 1, size=50).astype(float)
    given = None if heaviest == 1 else weights
    forest, outputs = grow_forest(make_tree, 40, X, Y, given, np.random.default_rng(0))
    expected = brute_force_out_of_bag(forest, X, Y, weights, np.random.default_rng(0))
    np.testing.assert_allclose(outputs, expected)
    trees = [tree.predict(X).reshape(50, -1) for tree in forest.trees]
    np.testing.assert_allclose(forest.predict(X), np.mean(trees, axis=0))


def test_out_of_bag_score_is_that_of_scikit_learns_forest():
    X, y = make_friedman1(400, random_state=0)
    tree = partial(DecisionTreeRegressor, max_features=0.5)
    _, outputs = grow_forest(tree, 200, X, y[:, None], None, np.random.default_rng(0))
    reference = RandomForestRegressor(200, max_features=0.5, oob_score=True, random_state=0)
    score = 1 - ((outputs[:, 0] - y) ** 2).mean() / y.var()
    assert score == pytest.approx(reference.fit(X, y).oob_score_, abs=0.02)


def test_copies_out_of_the_bag_are_counted_in_the_mean():
    # of three copies, two drawn at random leave out a given one in 4 of 9 cases
    cases = list(itertools.product(range(3), repeat=2))
    share = np.mean([0 not in case for case in cases])
    bag = _Bag(DecisionTreeRegressor, np.zeros((1, 1)), np.zeros((1, 1)), np.array([3.0]))
    assert bag.others[0] ** 2 == pytest.approx(share) == 4 / 9
    assert bag.n_draws == 3


def test_rows_that_every_tree_has_seen_get_the_mean():
    X, y = make_friedman1(40, random_state=0)
    rng = np.random.default_rng(0)
    _, outputs = grow_forest(DecisionTreeRegressor, 1, X, y[:, None], None, rng)
    drawn = np.random.default_rng(0).spawn(1)[0].multinomial(40, np.full(40, 1 / 40)) > 0
    np.testing.assert_allclose(outputs[drawn], y.mean())
    assert np.abs(outputs[~drawn] - y.mean()).min() > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [False, True])
def test_a_weight_is_so_many_copies_in_any_order(kind, classes):
    X, y = make_friedman1(60, random_state=0)
    y = (y > y.mean()).astype(int) if classes else y
    times = np.random.default_rng(0).integers(0, 4, size=60)
    copies = np.random.default_rng(1).permutation(np.repeat(np.arange(60), times))
    Estimator = ZORBClassifier if classes else ZORBRegressor
    model = Estimator([Dense(6), Tanh(), Trees(10, kind=kind)], random_state=0)
    weighted = model.fit(X, y, sample_weight=times)
    weighted = weighted._outputs(X), weighted.loo_score_
    repeated = model.fit(X[copies], y[copies])
    np.testing.assert_array_equal(repeated._outputs(X), weighted[0])
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


@pytest.mark.parametrize("kind", KINDS)
def test_training_outputs_of_noise_are_worth_nothing(kind):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), rng.normal(size=200)
    _, solved = solve(Trees(30, kind=kind), X, y)
    score = 1 - ((solved.outputs[:, 0] - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert score < 0.05
    fitted = Trees(30, kind=kind, units=1).forward(solved.params, X)[:, 0]
    assert np.corrcoef(fitted, y)[0, 1] > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_left_out_predictions_rank_noise_labels_no_better_than_chance(kind):
    rng = np.random.default_rng(1)
    X, labels = rng.normal(size=(300, 4)), rng.integers(2, size=300)
    model = ZORBClassifier([Stack([[Trees(40, kind=kind)]])], random_state=0).fit(X, labels)
    assert model.loo_score_ < 0.58


@pytest.mark.parametrize("kind", KINDS)
def test_several_outputs_and_learning(kind):
    X, y = make_friedman1(300, random_state=0)
    Y = np.stack([y, X[:, 3], -y], axis=1)
    layer = Trees(50, kind=kind)
    _, solved = solve(layer, X[:200], Y[:200])
    predicted = layer.forward(solved.params, X[200:])
    assert predicted.shape == (100, 3)
    for k in range(3):
        assert np.corrcoef(predicted[:, k], Y[200:, k])[0, 1] > 0.8


def test_forest_of_indicator_columns_is_a_classification_forest():
    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier([Stack([[Trees(100)]])], random_state=0).fit(X, y)
    from sklearn.ensemble import RandomForestClassifier

    reference = RandomForestClassifier(100, oob_score=True, random_state=0).fit(X, y)
    assert abs(model.loo_score_ - reference.oob_score_) < 0.02
    outputs = model._outputs(X)
    np.testing.assert_allclose(outputs.sum(axis=1), 1)
    assert outputs.min() >= 0


def test_boosting_of_labels_minimises_the_log_loss():
    from sklearn.ensemble import HistGradientBoostingClassifier

    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier([Stack([[Trees(20, kind="boosting")]])], random_state=0).fit(X, y)
    inner = model.params_[-1]["branch_1"]["0"]["estimator"].model.models[0].models[0]
    assert isinstance(inner, HistGradientBoostingClassifier)


def test_a_row_of_large_weight_is_followed():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 2)), np.zeros(100)
    y[:50] = 1.0
    X[:50] = X[50:]
    weights = np.where(np.arange(100) < 50, 9.0, 1.0)
    for kind in KINDS:
        layer = Trees(100, kind=kind, min_samples_leaf=5)
        _, solved = solve(layer, X, y, sample_weight=weights)
        assert layer.forward(solved.params, X).mean() == pytest.approx(0.9, abs=0.08)


@pytest.mark.parametrize("kind", KINDS)
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
    params, solved = solve(layer, X, Y)
    below, _ = layer.invert(params, Y, None)
    np.testing.assert_allclose(layer.forward(params, below), Y)
    found, _ = layer.invert(solved.params, Y, None)
    known = layer.forward(solved.params, solved.params["prototype_inputs"])
    expected = ((Y[:, None] - known[None]) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(found, solved.params["prototype_inputs"][expected])


def test_repeated_targets_are_fitted_in_a_basis_of_their_own():
    rng = np.random.default_rng(0)
    X, codes, values = rng.normal(size=(200, 3)), rng.integers(4, size=200), rng.normal(size=(4, 9))
    layer = Trees(8, units=9, min_samples_leaf=10)
    params = layer.init(rng, (3,))
    thin, full = (
        layer.solve(params, X, table, Context(rng=np.random.default_rng(0)))
        for table in (Targets(values, codes), Targets(values[codes]))
    )
    assert thin.params["estimator"].model.basis.shape == (4, 9)
    np.testing.assert_allclose(thin.outputs, full.outputs)
    np.testing.assert_allclose(layer.forward(thin.params, X), layer.forward(full.params, X))


def test_the_latest_fits_are_averaged():
    X, y = make_friedman1(60, random_state=0)
    layer = Trees(5, units=1, n_keep=2)
    context = Context(y=y[:, None])
    params = layer.init(np.random.default_rng(1), (10,))
    singles, outputs = [], []
    for turn, targets in enumerate((y, -y, y**2)):
        table = Targets(targets[:, None])
        again = partial(np.random.default_rng, turn)
        solved = layer.solve(params, X, table, context.replace(rng=again()))
        alone = Trees(5, units=1).solve(params, X, table, context.replace(rng=again()))
        singles.append(alone.params["estimator"].predict(X))
        outputs.append(alone.outputs)
        params = solved.params
        np.testing.assert_allclose(layer.forward(params, X), np.mean(singles[-2:], axis=0))
        np.testing.assert_allclose(solved.outputs, np.mean(outputs[-2:], axis=0))
    copy = pickle.loads(pickle.dumps(params["estimator"]))
    assert copy.outputs == []
    np.testing.assert_array_equal(copy.predict(X), params["estimator"].predict(X))


def test_sweeps_fill_the_window():
    X, y = make_friedman1(200, noise=0.5, random_state=0)
    layers = "Dense[8] Tanh Trees[10, units=8, n_keep=3] Dense[8] Tanh"
    model = ZORBRegressor(layers, n_sweeps=3, random_state=0).fit(X, y)
    sweeps = len({entry["sweep"] for entry in model.history_})
    kept = len(model.params_[3]["estimator"].models)
    # the last sweep counts only if it was a gain
    assert sweeps > 1 and kept in (sweeps - 1, sweeps)


def test_contract():
    check_layer(Trees(5, units=2), (3,), exact_inverse=False)
    check_layer(Trees(5, kind="boosting", units=2, max_depth=2), (3,), exact_inverse=False)


def test_sparse_rows_pickling_summary_and_float32():
    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier(
        [Stack([[Trees(10)], [Dense(8), Tanh()]])], random_state=0, dtype="float32"
    ).fit(sp.csr_matrix(X), y)
    assert model.score(sp.csr_matrix(X), y) > 0.9
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert "Stack" in model.summary(print_fn=None)
    assert copy.params_[-1]["block_weights"].dtype == np.float32


@pytest.mark.parametrize(
    "layers",
    [
        "Trees[20]",
        "Dense[8] Tanh Trees[20] Dense[8] Tanh",
        "Trees[20, units=6] Dense[6] ReLU",
        "Skip(Dense[4] Tanh) Trees",
    ],
)
def test_anywhere_in_a_list(layers):
    X, y = make_friedman1(300, noise=0.5, random_state=0)
    model = ZORBRegressor(layers, random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.6


def test_errors_name_the_parameter():
    with pytest.raises(ValueError, match="units=None"):
        Trees().output_shape((3,))
    with pytest.raises(ValueError, match="Flatten"):
        Trees(units=1).output_shape((3, 3))
    with pytest.raises(ValueError, match="kind"):
        ZORBRegressor([Trees(kind="oak")]).fit(np.eye(4), np.arange(4))
    assert set(FORESTS) == {"forest", "extra"}


def test_a_row_far_away_is_predicted_without_warnings():
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = ZORBRegressor(random_state=0).fit(X, X[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = model.predict([[-1e60, 0.0, 0.0], [1e60, 0.0, 0.0]])
    assert low < -1 and high > 1


@pytest.mark.parametrize(
    ("times", "leaf", "repeated"),
    [([1, 1, 1, 2], None, True), ([1, 3, 3, 2], None, False), ([1, 1, 1, 1.5], None, False),
     ([1, 1, 1, 2], 20, False)],
)  # fmt: skip
def test_boosting_is_given_few_copies_as_rows(monkeypatch, times, leaf, repeated):
    seen, fit = [], HistGradientBoostingRegressor.fit

    def spy(self, X, y, sample_weight=None):
        total = len(X) if sample_weight is None else sample_weight.sum()
        seen.append((sample_weight is None, self.min_samples_leaf, total))
        return fit(self, X, y, sample_weight)

    monkeypatch.setattr(HistGradientBoostingRegressor, "fit", spy)
    X, y = make_friedman1(80, random_state=0)
    weights = np.tile(times, 20)
    layer = Trees(5, kind="boosting", min_samples_leaf=leaf)
    ZORBRegressor([Stack([[layer]])], random_state=0).fit(X, y, sample_weight=weights)
    assert {plain for plain, *_ in seen} == {repeated}
    # no numbers of copies are relative to the largest
    scale = 1 if weights.dtype == int else weights.max()
    assert sum(total for *_, total in seen) == pytest.approx(4 * weights.sum() / scale)
    if repeated or leaf:
        assert {own for _, own, _ in seen} == {20}
