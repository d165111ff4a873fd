"""Tree layers: out-of-bag outputs, multi-output targets, weights, determinism."""

import pickle

import numpy as np
import pytest
from scipy import sparse as sp
from sklearn.datasets import load_iris, make_friedman1
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Context, Dense, Stack, Tanh, Trees
from sklearn_zorb.layers.trees import FORESTS, out_of_bag
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


@pytest.mark.parametrize("cls", [RandomForestRegressor, ExtraTreesRegressor])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_out_of_bag_is_scikit_learns(cls, n_outputs):
    X, y = make_friedman1(120, random_state=0)
    Y = np.stack([y, -y, y**2], axis=1)[:, :n_outputs]
    forest = cls(60, bootstrap=True, oob_score=True, random_state=0)
    forest.fit(X, Y[:, 0] if n_outputs == 1 else Y)
    expected = forest.oob_prediction_.reshape(120, -1)
    np.testing.assert_allclose(out_of_bag(forest, X, Y, None), expected)


def test_rows_that_every_tree_has_seen_get_the_mean():
    X, y = make_friedman1(40, random_state=0)
    forest = RandomForestRegressor(1, random_state=0).fit(X, y)
    outputs = out_of_bag(forest, X, y[:, None], None)
    drawn = np.unique(forest.estimators_samples_[0])
    np.testing.assert_allclose(outputs[drawn], y.mean())
    assert np.isfinite(outputs).all()


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
    inner = model.params_[-1]["branch_1"]["0"]["estimator"].models[0].models[0]
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
