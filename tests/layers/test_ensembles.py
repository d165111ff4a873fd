"""Trees as plain arrays, beside scikit-learn's own predictions, and arrays that are no trees."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_friedman1
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from sklearn_zorb.layers.models.cross_fit import Columns, Probabilities
from sklearn_zorb.layers.models.ensembles import boosting, forest
from sklearn_zorb.layers.models.foreign import Mean
from sklearn_zorb.layers.models.nodes import FEW_ROWS, Nodes


def table(n_rows, seed, gaps=True):
    """Rows of three numbers and two categories, with gaps, and five classes that follow them."""
    rng = np.random.default_rng(seed)
    numbers, codes = rng.normal(size=(n_rows, 3)), rng.integers(0, [7, 200], size=(n_rows, 2))
    rows = np.column_stack([codes[:, 0], numbers, codes[:, 1]]).astype(float)
    score = numbers[:, 0] + codes[:, 0] % 3 + np.sin(codes[:, 1]) + 0.3 * rng.normal(size=n_rows)
    if gaps:
        rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows, score, np.digitize(score, [0, 1, 2, 3])


CATEGORICAL = [True, False, False, False, True]
ROWS, SCORE, CLASSES = table(2000, 0)
NEW = table(500, 1)[0]
NEW[:40, 0] = np.resize([7.0, 250.0, 255.0, 256.0, 1e9, -1.0, 2.5], 40)  # unknown codes
NEW[40:60, 4] = np.arange(200, 220)


def agree(model, expected, rows=NEW, **tolerance):
    """Many rows at once, few and single ones, before and after a pickle."""
    twin = pickle.loads(pickle.dumps(model))
    assert len(rows) > 3 * FEW_ROWS
    found = model.predict(rows)
    np.testing.assert_allclose(found, expected, **tolerance)
    for start, stop in [(0, 1), (7, 8), (0, FEW_ROWS), (30, 31), (40, 60)]:
        some = model.predict(rows[start:stop])
        np.testing.assert_allclose(some, found[start:stop], rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(twin.predict(rows), found)
    np.testing.assert_array_equal(twin.predict(rows[:5]), model.predict(rows[:5]))


def boosted(kind, y, part=slice(None), **options):
    options = {"max_iter": 30, "early_stopping": False, "random_state": 0, **options}
    return kind(**options).fit(ROWS[part], y[part])


@pytest.mark.parametrize("categorical", [None, CATEGORICAL])
def test_boosted_numbers_are_those_of_scikit_learn(categorical):
    halves = slice(0, 1000), slice(1000, None)
    kind, options = HistGradientBoostingRegressor, {"categorical_features": categorical}
    fits = [[boosted(kind, y, half, **options) for y in (SCORE, -SCORE)] for half in halves]
    expected = np.mean([[m.predict(NEW) for m in pair] for pair in fits], axis=0).T
    agree(boosting(Mean([Columns(pair) for pair in fits])), expected, rtol=1e-12)


@pytest.mark.parametrize("categorical", [None, CATEGORICAL])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_boosted_probabilities_are_those_of_scikit_learn(categorical, n_classes):
    y, units = np.minimum(CLASSES, n_classes - 1), 1 if n_classes == 2 else n_classes
    kind, options = HistGradientBoostingClassifier, {"categorical_features": categorical}
    fits = [boosted(kind, y, half, **options) for half in (slice(0, 1000), slice(1000, None))]
    expected = np.mean([m.predict_proba(NEW) for m in fits], axis=0)[:, -units:]
    constants = [1 / n_classes] * n_classes
    model = boosting(Mean([Probabilities([m], units, constants) for m in fits]))
    agree(model, expected, atol=1e-12)


def test_classes_that_a_fold_has_not_and_constant_labels():
    two, three = (np.isin(CLASSES, kept) for kept in ([1, 3], [0, 2, 4]))
    constants = [0.1, 0.2, 0.0, 0.3, 0.4]
    fits = [boosted(HistGradientBoostingClassifier, CLASSES, part) for part in (two, three)]
    expected = np.zeros((len(NEW), 5))
    expected[:, [1, 3]] += fits[0].predict_proba(NEW)
    expected[:, [0, 2, 4]] += fits[1].predict_proba(NEW)
    mean = Mean([Probabilities([m], 5, constants) for m in [*fits, None]])
    agree(boosting(mean), (expected + constants) / 3, atol=1e-12)
    label = boosted(HistGradientBoostingClassifier, CLASSES > 2)
    mean = Mean([Probabilities([label, None, None], 3, [0.5, 1.0, 0.25])])
    expected = np.tile([0, 1, 0.25], (len(NEW), 1))
    expected[:, 0] = label.predict_proba(NEW)[:, 1]
    agree(boosting(mean), expected, atol=1e-12)


def test_what_trees_cannot_hold_is_left_as_it_is():
    rows = ROWS.copy()
    rows[:, 0] += 300
    fit = HistGradientBoostingRegressor(max_iter=3, categorical_features=CATEGORICAL)
    for mean in (
        Mean([Columns([fit.fit(rows, SCORE)])]),
        Mean([Probabilities([None], 5, [0.2] * 5)]),
    ):
        assert boosting(mean) is mean


@pytest.mark.parametrize("Kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_forests_are_those_of_scikit_learn(Kind):
    X, y = make_friedman1(600, random_state=0)
    Y, new = np.stack([y, -y, y**2], axis=1), make_friedman1(300, random_state=1)[0]
    X[::7, 3], new[::5, 3], new[::11, 4] = np.nan, np.nan, 1e300
    for targets, basis in ((y, None), (Y, None), (Y, np.ones((3, 2)))):
        fitted = Kind(20, random_state=0, min_samples_leaf=2).fit(X, targets)
        model = forest([Nodes.of_tree(tree.tree_) for tree in fitted.estimators_])
        model = model if basis is None else model.then(basis)
        expected = np.mean([t.predict(np.minimum(new, 3e38)) for t in fitted.estimators_], axis=0)
        expected = expected.reshape(300, -1)
        agree(model, expected if basis is None else expected @ basis, new, rtol=1e-6)


def test_thresholds_part_single_precision_as_doubles_do():
    """Rows of neighbouring numbers, whose middle single precision does not hold."""
    low = np.float32(4.0)
    x = np.repeat([low, np.nextafter(low, np.float32(5))], 10).astype(float)[:, None]
    fitted = RandomForestRegressor(3, bootstrap=False, random_state=0).fit(x, x[:, 0] > 4)
    model = forest([Nodes.of_tree(tree.tree_) for tree in fitted.estimators_])
    np.testing.assert_array_equal(model.predict(x)[:, 0], x[:, 0] > 4)


def test_a_threshold_that_is_not_a_number_parts_gaps_from_all_others():
    """scikit-learn 1.6 has some in trees that were grown on gaps."""
    X, y = make_friedman1(200, random_state=0)
    X[::7, 3] = np.nan
    fitted = RandomForestRegressor(1, random_state=0).fit(X, y)
    tree = fitted.estimators_[0].tree_
    tree.threshold[np.flatnonzero(tree.feature == 3)[:2]] = np.nan
    model = forest([Nodes.of_tree(tree)])
    agree(model, fitted.predict(X)[:, None], X, rtol=1e-6)


def test_trees_of_a_single_leaf():
    fitted = RandomForestRegressor(5, random_state=0).fit(np.zeros((10, 2)), np.arange(10.0))
    model = forest([Nodes.of_tree(tree.tree_) for tree in fitted.estimators_])
    agree(model, np.tile(fitted.predict(np.zeros((1, 2))), (200, 1)), np.ones((200, 2)), rtol=1e-6)


def nodes():
    mean = Mean([Columns([boosted(HistGradientBoostingRegressor, SCORE, max_iter=3,
                                  categorical_features=CATEGORICAL)])])  # fmt: skip
    return boosting(mean).nodes


def changed(name, place, value):
    def change(trees):
        array = getattr(trees, name).copy()
        array[place] = value
        return {name: array}

    return change


BREACHES = {
    "a child beyond its tree": changed("children", (0, 0), 120),
    "a leaf beyond its tree": changed("children", (0, 0), -120),
    "a child before its parent": changed("children", (-1, 0), 0),
    "a node that is its own child": changed("children", (5, 1), 5),
    "a column beyond what the predictor counts": lambda trees: {
        "feature": trees.feature.astype(np.int64) + 2**31
    },
    "a missing tree": lambda trees: {"counts": trees.counts[1:]},
    "counts that sum up by overflow": lambda trees: {
        "counts": np.array([2**62, 2**62, -(2**63) + trees.counts.sum()])
    },
    "too few leaves": lambda trees: {"values": trees.values[1:]},
    "too few sets": lambda trees: {"left_sets": trees.left_sets[1:]},
    "short sets": lambda trees: {"left_sets": trees.left_sets[:, :8]},
    "one more node that parts categories": lambda trees: {
        "threshold": np.where(np.arange(len(trees.threshold)) == 0, np.nan, trees.threshold)
    },
    "numbers for children that are none": lambda trees: {"children": trees.children.astype(float)},
    "text": lambda trees: {"feature": trees.feature.astype(str)},
    "a list": lambda trees: {"feature": trees.feature.tolist()},
    "no trees": lambda trees: {"counts": trees.counts[:0]},
}


@pytest.mark.parametrize("name", BREACHES)
def test_arrays_that_are_no_trees_are_refused(name):
    trees = nodes()
    with pytest.raises(ValueError, match="these are no proper trees"):
        replace(trees, **BREACHES[name](trees))


def test_rows_that_are_too_narrow_are_refused():
    trees = nodes()
    for count in (1, 100):
        with pytest.raises(ValueError, match="rows have 1 columns; the trees look at [45]"):
            trees.sums(NEW[:count, :1], np.zeros(trees.n_trees, dtype=int), 1)


def test_what_is_pickled_is_small_and_plain():
    X, y = make_classification(1000, random_state=0)
    fitted = RandomForestRegressor(20, random_state=0).fit(X, y)
    trees = forest([Nodes.of_tree(tree.tree_) for tree in fitted.estimators_]).nodes
    before = pickle.dumps(trees)
    trees.sums(X, np.zeros(20, dtype=int), 1)
    trees.sums(X[:1], np.zeros(20, dtype=int), 1)
    assert pickle.dumps(trees) == before
    assert len(before) < 0.25 * len(pickle.dumps([tree.tree_ for tree in fitted.estimators_]))
    assert all(type(getattr(trees, field.name)) is np.ndarray for field in fields(trees))
