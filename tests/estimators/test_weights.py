"""What weights mean: copies of a row, or how much it counts."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_classification

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor
from sklearn_zorb.estimators.weights import weights_of_classes


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def halves():
    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return X[order[:200]], y[order[:200]], X[order[200:]], y[order[200:]]


@pytest.mark.parametrize("layers", ["auto", "Dense[50] ReLU"])
@pytest.mark.parametrize("scale", [0.25, 2.0**66])
def test_the_unit_of_weights_makes_no_difference(halves, layers, scale):
    X, y, X_test, _ = halves
    weight = np.random.default_rng(1).uniform(0.1, 30, size=len(y))
    fits = [
        ZORBRegressor(layers, random_state=0).fit(X, y, sample_weight=w)
        for w in (weight, scale * weight)
    ]
    np.testing.assert_allclose(fits[0].predict(X_test), fits[1].predict(X_test), rtol=1e-9)
    assert fits[0].loo_score_ == pytest.approx(fits[1].loo_score_, abs=1e-8)


@pytest.mark.parametrize("weight", [0.5, 1e6])
def test_the_same_weight_for_all_is_none(halves, weight):
    X, y, X_test, _ = halves
    plain = ZORBRegressor(random_state=0).fit(X, y)
    heavy = ZORBRegressor(random_state=0).fit(X, y, sample_weight=np.full(len(y), weight))
    assert heavy.loo_score_ == pytest.approx(plain.loo_score_, abs=0.02)
    low, high = heavy.predict_interval(X_test, 0.9)
    expected = plain.predict_interval(X_test, 0.9)
    assert (high - low).mean() == pytest.approx((expected[1] - expected[0]).mean(), rel=0.05)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 12}])
def test_weights_of_classes_leave_the_judgement_honest(class_weight):
    X, y = make_classification(2000, 20, weights=[0.9], flip_y=0.1, random_state=0)
    model = ZORBClassifier("Dense[200] ReLU", class_weight=class_weight, random_state=0)
    model.fit(X[:500], y[:500])
    weight = np.where(y == 1, 10.0, 1.0)
    test = model.score(X[500:], y[500:], sample_weight=weight[500:])
    # weights as copies gave 1 to .85
    assert model.loo_score_ < test + 0.1


def test_a_class_that_weighs_nothing_is_left_out(iris):
    X, y = iris
    weighted = ZORBClassifier(class_weight={0: 0}, random_state=0).fit(X, y)
    without = ZORBClassifier(random_state=0).fit(X[y != 0], y[y != 0])
    np.testing.assert_array_equal(weighted.classes_, [1, 2])
    np.testing.assert_allclose(weighted.predict_proba(X), without.predict_proba(X), atol=1e-8)
    balanced = ZORBClassifier("Dense[4]", class_weight="balanced", random_state=0)
    balanced.fit(X, y, sample_weight=(y != 0).astype(float))
    np.testing.assert_array_equal(balanced.classes_, [1, 2])


@pytest.mark.parametrize(
    "class_weight, match",
    [
        ({0: -1}, r"class_weight\[0\]=-1"),
        ({1: np.nan}, r"class_weight\[1\]=nan"),
        ({1: np.inf}, r"class_weight\[1\]=inf"),
        ({0: "a"}, r"class_weight\[0\]='a'"),
        ({0: 0, 1: 0, 2: 0}, "times class_weight, is zero"),
        ({"1": 3}, r"a weight for '1', which is not among the classes \[0, 1, 2\]"),
        ({0: 2, 7: 3}, "a weight for 7"),
        ([{0: 1}, {1: 1}], "2 tables of weights for 1 columns of y; pass a dict"),
    ],
)
def test_bad_weights_of_classes(iris, class_weight, match):
    with pytest.raises(ValueError, match=match):
        ZORBClassifier("Dense[4]", class_weight=class_weight).fit(*iris)


def test_one_dict_for_several_labels_is_refused(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"1 tables.*3 columns of y; pass a list of 3 dicts"):
        ZORBClassifier("Dense[4]", class_weight={0: 1, 1: 2}).fit(X, np.eye(3, dtype=int)[y])


def test_batches_without_some_class(iris):
    X, y = iris
    model = ZORBClassifier("Dense[8]", class_weight={0: 2, 1: 1}, random_state=0)
    for label in range(3):
        model.partial_fit(X[y == label], y[y == label], classes=[0, 1, 2])
    assert model.score(X, y) > 0.8
    with pytest.raises(AttributeError) as caught:
        NetworkClassifier("Dense[4]", class_weight="balanced").partial_fit(X, y)
    assert "balanced" in str(caught.value.__cause__)


def test_weights_of_classes_that_are_not_there(iris):
    X, y = iris
    few = y < 2
    weights = {0: 2, 1: 1, 2: 5}
    with_more = ZORBClassifier("Dense[8]", class_weight=weights, random_state=0)
    without = ZORBClassifier("Dense[8]", class_weight={0: 2}, random_state=0)
    np.testing.assert_array_equal(
        with_more.fit(X[few], y[few]).decision_function(X),
        without.fit(X[few], y[few]).decision_function(X),
    )
    rule = NetworkClassifier("Dense[4]", class_weight={2: 5}, random_state=0)
    rule.partial_fit(X[few], y[few], classes=[0, 1, 2]).partial_fit(X[few], y[few])
    labels = np.column_stack([y > 0, y > 5]).astype(int)
    ZORBClassifier("Dense[4]", class_weight=[{0: 2}, {1: 3}]).fit(X, labels)


def test_tables_of_weights():
    y = np.array([[0, 1], [1, 1], [1, 0]])
    np.testing.assert_array_equal(weights_of_classes([{1: 3}, {0: 2, 1: 5}], y), [5, 15, 6])
    np.testing.assert_array_equal(weights_of_classes({"a": 4}, np.array(["b", "a"])), [1, 4])


def test_weights_that_are_nothing_beside_others(iris):
    X, y = iris
    weights = np.where(np.arange(len(y)) % 3 == 0, 1e-300, 1e300)
    heavy = weights > 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ZORBClassifier(random_state=0).fit(X, y, sample_weight=weights)
    alone = ZORBClassifier(random_state=0).fit(X[heavy], y[heavy], sample_weight=weights[heavy])
    np.testing.assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
