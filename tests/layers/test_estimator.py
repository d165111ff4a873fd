"""scikit-learn's estimators as layers: out-of-fold outputs and what goes with them."""

from importlib.util import find_spec

import numpy as np
import pytest
from layer_calls import solved
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.datasets import load_iris, make_friedman1, make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, TargetEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, EstimatorLayer, Stack, Tanh

# the same folds, as scikit-learn before 1.9 and since then are told of them
SINCE_1_9 = find_spec("sklearn.callback") is not None
FOLDS = (
    {"cv": KFold(3, shuffle=True, random_state=0)} if SINCE_1_9 else {"cv": 3, "random_state": 0}
)
CONTINUOUS = TargetEncoder(target_type="continuous", **FOLDS)


def learned(layer, X, Y, **context):
    Y = np.asarray(Y, dtype=float).reshape(len(X), -1)
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    return solved(layer, params, X, Y, y=Y, rng=np.random.default_rng(0), **context)


class Remembers(RegressorMixin, BaseEstimator):
    """Tells how many rows it was fitted to, and 1000 more of those rows themselves."""

    def fit(self, X, y):
        self.rows_ = {tuple(row) for row in X}
        return self

    def predict(self, X):
        return np.array([1000 * (tuple(row) in self.rows_) + len(self.rows_) for row in X])


def test_each_row_is_predicted_by_models_that_have_not_seen_it():
    X, y = make_friedman1(62, random_state=0)
    layer = EstimatorLayer(Remembers(), units=1, cv=4)
    found = learned(layer, X, y)
    # folds of 15 or 16 rows
    assert sorted(np.unique(found.outputs)) == [46, 47]
    # other rows are given the mean of the models of all folds
    np.testing.assert_allclose(layer.forward(found.params, X), 750 + 46.5)


class Counts(ClassifierMixin, BaseEstimator):
    """Predicts the numbers of rows of each class that it was fitted to, as shares."""

    def fit(self, X, y):
        self.classes_, self.counts_ = np.unique(y, return_counts=True)
        return self

    def predict_proba(self, X):
        return np.repeat(self.counts_[None] / 1000, len(X), axis=0)


def test_folds_of_classes_are_stratified():
    codes = np.repeat([0, 1, 2], [50, 30, 11])
    X, one_hot = np.random.default_rng(0).normal(size=(91, 2)), np.eye(3)[codes]
    layer = EstimatorLayer(Counts(), units=3, cv=5)
    params = layer.init(np.random.default_rng(1), (2,))
    context = {"y": codes, "task": "multiclass", "rng": np.random.default_rng(0)}
    counts = 1000 * solved(layer, params, X, one_hot, **context).outputs
    np.testing.assert_allclose(counts[:, 0], 40)
    np.testing.assert_allclose(counts[:, 1], 24)
    assert set(counts[:, 2].round()) == {8, 9}


def test_outputs_of_noise_are_worth_nothing():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(200, 4)), rng.integers(3, size=200)
    layer = EstimatorLayer(DecisionTreeClassifier())
    model = ZORBClassifier([Stack([[layer]])], random_state=0).fit(X, labels)
    assert model.loo_score_ < 0.42
    outputs = learned(EstimatorLayer(DecisionTreeRegressor(), units=1), X, labels).outputs[:, 0]
    assert abs(np.corrcoef(outputs, labels)[0, 1]) < 0.2


@pytest.mark.parametrize("estimator", [LogisticRegression(), GaussianNB(), KNeighborsClassifier()])
def test_classifiers_hand_on_probabilities(estimator):
    X, y = load_iris(return_X_y=True)
    for labels in (y, y > 0):
        model = ZORBClassifier([Stack([[EstimatorLayer(estimator)]])], random_state=0)
        assert model.fit(X, labels).score(X, labels) > 0.93


def test_multilabel_and_softmax_columns():
    X, Y = make_multilabel_classification(120, n_labels=2, n_classes=4, random_state=0)
    layer = EstimatorLayer(RandomForestClassifier(20))
    model = ZORBClassifier([Stack([[layer]])], random_state=0).fit(X, Y)
    assert model.predict_proba(X).shape == (120, 4)
    assert model.score(X, Y) > 0.6
    model = ZORBClassifier([EstimatorLayer(GaussianNB()), Dense(4), Tanh()], random_state=0)
    assert model.fit(X, Y[:, 0]).score(X, Y[:, 0]) > 0.7


def test_a_class_that_a_fold_misses():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 4, [[9, 9]]])
    for estimator, counts in (
        (GaussianNB(var_smoothing=0.1), [20, 20, 1]), (LogisticRegression(), [40, 1])
    ):  # fmt: skip
        model = ZORBClassifier([Stack([[EstimatorLayer(estimator)]])], random_state=0)
        model.fit(X, np.repeat(np.arange(len(counts)), counts))
        assert np.isfinite(model.predict_proba(X)).all()


def test_regressors_of_one_column_are_fitted_to_each():
    X, y = make_friedman1(100, random_state=0)
    layer = EstimatorLayer(GradientBoostingRegressor(n_estimators=10, random_state=0), units=2)
    found = learned(layer, X, np.stack([y, -y], axis=1))
    outputs = layer.forward(found.params, X)
    np.testing.assert_allclose(outputs[:, 0], -outputs[:, 1], atol=1e-6)


def test_transformers_hand_on_what_fit_transform_gives():
    X = np.random.default_rng(0).integers(8, size=(200, 3)).astype(float)
    y = X[:, 0] % 2
    layer = EstimatorLayer(TargetEncoder(target_type="continuous", cv=3))
    assert layer.output_shape((3,)) == (3,)
    found = learned(layer, X, y)
    # cross-fitted while training, fitted to all rows afterwards
    assert not np.allclose(found.outputs, layer.forward(found.params, X))
    model = ZORBRegressor([layer], standardize=False, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_width_of_a_transformer_is_found_out_or_asked_for():
    assert EstimatorLayer(PCA(2)).output_shape((5,)) == (2,)
    assert EstimatorLayer(PolynomialFeatures(2)).output_shape((4,)) == (15,)
    X = np.arange(20.0)[:, None] % 4
    encoder = OneHotEncoder(handle_unknown="ignore")
    with pytest.raises(ValueError, match="units=4"):
        ZORBRegressor([EstimatorLayer(encoder)], standardize=False).fit(X, X[:, 0])
    model = ZORBRegressor([EstimatorLayer(encoder, units=4)], standardize=False)
    assert model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.9


def test_weights_that_are_all_the_same_are_none():
    X, y = make_friedman1(60, random_state=0)
    layer = EstimatorLayer(LinearRegression(), units=1)
    heavy = learned(layer, X, y, sample_weight=np.full(60, 3.0))
    np.testing.assert_allclose(heavy.outputs, learned(layer, X, y).outputs)


@pytest.mark.parametrize(
    "estimator", [KNeighborsClassifier(), LogisticRegression(), CONTINUOUS, PCA(2)]
)
def test_whole_weights_are_copies_whether_or_not_the_estimator_takes_weights(estimator):
    X, y = load_iris(return_X_y=True)
    times = np.random.default_rng(0).integers(0, 4, size=150)
    copies = np.repeat(np.arange(150), times)
    model = ZORBClassifier([EstimatorLayer(estimator), Dense(8), Tanh()], random_state=0)
    weighted = model.fit(X, y, sample_weight=times).decision_function(X)
    repeated = model.fit(X[copies], y[copies]).decision_function(X)
    np.testing.assert_array_equal(repeated, weighted)


def test_copies_that_a_transformer_puts_in_different_folds_are_averaged():
    rng = np.random.default_rng(0)
    X, y = rng.integers(3, size=(40, 2)).astype(float), rng.normal(size=40)
    times = rng.integers(1, 5, size=40)
    copies = np.repeat(np.arange(40), times)
    found = learned(EstimatorLayer(CONTINUOUS), X, y, sample_weight=times.astype(float))
    every = clone(CONTINUOUS).fit_transform(X[copies], y[copies])
    expected = [every[copies == i].mean(axis=0) for i in range(40)]
    np.testing.assert_allclose(found.outputs, expected)


def test_one_row_cannot_be_left_out():
    with pytest.raises(ValueError, match="at least 2 distinct rows"):
        ZORBRegressor([EstimatorLayer(Ridge())]).fit(np.ones((5, 2)), np.ones(5))


def test_random_states_follow_that_of_the_model_and_jobs_do_not_matter():
    X, y = load_iris(return_X_y=True)

    def shares(seed, n_jobs=None):
        layers = [Stack([[EstimatorLayer(RandomForestClassifier(5))]])]
        model = ZORBClassifier(layers, n_jobs=n_jobs, random_state=seed)
        return model.fit(X, y).predict_proba(X)

    np.testing.assert_array_equal(shares(0), shares(0, n_jobs=2))
    assert not np.array_equal(shares(0), shares(1))


def test_errors_name_what_to_do():
    X, y = make_friedman1(40, random_state=0)
    halves = np.arange(1, 41) / 2
    for Estimator, layer, error, message in (
        (ZORBRegressor, EstimatorLayer(GaussianNB()), ValueError, "wrap a regressor"),
        (ZORBClassifier, EstimatorLayer(LinearSVC()), TypeError, "CalibratedClassifierCV"),
        (ZORBClassifier, EstimatorLayer(KNeighborsClassifier()), ValueError, "no sample_weight"),
        (ZORBClassifier, EstimatorLayer(GaussianNB(), units=3), ValueError, "leave units=None"),
        (ZORBClassifier, EstimatorLayer("ridge"), TypeError, "takes an estimator"),
    ):
        with pytest.raises(error, match=message):
            Estimator([layer]).fit(X, (y > y.mean()).astype(int), sample_weight=halves)


class GivesNaN(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), np.nan)


@pytest.mark.parametrize("layers", [[], [Dense(3), Tanh()]])
def test_an_estimator_that_gives_nan_is_named(layers):
    rows, y = make_friedman1(40, random_state=0)
    with pytest.raises(ValueError, match=r"GivesNaN\(\) gives NaN or infinity for 40 of 40 rows"):
        ZORBRegressor([*layers, EstimatorLayer(GivesNaN())], random_state=0).fit(rows, y)
