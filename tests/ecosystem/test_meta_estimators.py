"""Estimators that hold others hold ours, on real data."""

import numpy as np
import pytest
from sklearn import ensemble
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_zorb import ZORBClassifier, ZORBRegressor, ZORBTransformer

COLUMNS = ["mean radius", "mean texture", "mean smoothness", "mean area", "worst area"]
CLASSES = load_breast_cancer(return_X_y=True, as_frame=True)
CLASSES = CLASSES[0][COLUMNS][:240], CLASSES[1][:240]
NUMBERS = load_diabetes(return_X_y=True, as_frame=True)
NUMBERS = NUMBERS[0][:240], NUMBERS[1][:240]
IRIS = load_iris(return_X_y=True, as_frame=True)
GRID = {"relaxation": [0.0, 0.5]}


def small():
    return ZORBClassifier("Dense[16] Tanh", random_state=0)


def regressor():
    return ZORBRegressor("Dense[16] Tanh", random_state=0)


def fast():
    return ZORBClassifier("fast", random_state=0)


def named():
    """What an ensemble of different estimators takes."""
    return [("zorb", fast()), ("linear", make_pipeline(StandardScaler(), LogisticRegression()))]


CLASSIFIERS = [
    ensemble.StackingClassifier(named(), cv=3),
    ensemble.StackingClassifier([("forest", ensemble.RandomForestClassifier(5))], small(), cv=3),
    ensemble.VotingClassifier(named(), voting="soft"),
    ensemble.VotingClassifier(named(), voting="hard"),
    ensemble.BaggingClassifier(small(), 3, max_features=0.8, random_state=0),
    ensemble.AdaBoostClassifier(small(), n_estimators=3, random_state=0),
    CalibratedClassifierCV(small(), method="isotonic", cv=3),
    CalibratedClassifierCV(small(), method="sigmoid", cv=3, ensemble=False),
    TunedThresholdClassifierCV(small(), cv=3),
    FixedThresholdClassifier(small(), threshold=0.4),
    OneVsRestClassifier(small()),
    OneVsOneClassifier(small()),
    OutputCodeClassifier(small(), random_state=0),
    GridSearchCV(small(), GRID, cv=3),
    HalvingGridSearchCV(small(), GRID, cv=3, random_state=0),
    RandomizedSearchCV(small(), GRID, n_iter=2, cv=3, random_state=0),
    make_pipeline(RFE(fast(), n_features_to_select=3), LogisticRegression(max_iter=1000)),
    make_pipeline(RFECV(small(), cv=3, min_features_to_select=3), fast()),
    make_pipeline(SelectFromModel(fast(), max_features=3), fast()),
    make_pipeline(SequentialFeatureSelector(small(), n_features_to_select=2, cv=3), fast()),
    make_pipeline(
        FeatureUnion([("hidden", ZORBTransformer(random_state=0)), ("scaled", StandardScaler())]),
        LogisticRegression(max_iter=1000),
    ),
    make_pipeline(
        ColumnTransformer([("hidden", ZORBTransformer(), COLUMNS[:2])], remainder="passthrough"),
        small(),
    ),
]
REGRESSORS = [
    ensemble.StackingRegressor([("zorb", regressor()), ("ridge", Ridge())], cv=3),
    ensemble.VotingRegressor([("zorb", ZORBRegressor("fast")), ("ridge", Ridge())]),
    ensemble.BaggingRegressor(regressor(), 3, random_state=0),
    ensemble.AdaBoostRegressor(regressor(), n_estimators=3, random_state=0),
    TransformedTargetRegressor(regressor(), transformer=QuantileTransformer(n_quantiles=50)),
    GridSearchCV(TransformedTargetRegressor(regressor()), {"regressor__alpha": [1.0, "loo"]}, cv=3),
    make_pipeline(SelectFromModel(ZORBRegressor("fast"), threshold="median"), regressor()),
]


def name_of(estimator):
    steps = getattr(estimator, "steps", [("", estimator)])
    return " ".join(type(step).__name__ for _, step in steps)


def halves(X, y):
    return X[::2], X[1::2], y[::2], y[1::2]


@pytest.mark.parametrize("estimator", CLASSIFIERS + REGRESSORS, ids=name_of)
def test_it_learns(estimator):
    labels = is_classifier(estimator)
    X, X_test, y, y_test = halves(*(CLASSES if labels else NUMBERS))
    before = repr(estimator)
    model = clone(estimator).fit(X, y)
    # without learning, a half of the tumours would be found, and R² would be 0
    assert model.score(X_test, y_test) > (0.75 if labels else 0.3)
    assert repr(clone(model)) == before


def test_it_is_taken_as_it_was_fitted():
    X, X_test, y, y_test = halves(*CLASSES)
    fitted = small().fit(X, y)
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X_test, y_test)
    inside = calibrated.calibrated_classifiers_[0].estimator
    np.testing.assert_array_equal(inside.predict(X), fitted.predict(X))
    frozen = SelectFromModel(FrozenEstimator(fast().fit(X, y)), max_features=2, threshold=-np.inf)
    assert frozen.fit_transform(X, y).shape == (len(X), 2)
    prefit = ensemble.VotingClassifier([("fitted", FrozenEstimator(fitted))]).fit(X_test, y_test)
    np.testing.assert_array_equal(prefit.predict(X), fitted.predict(X))


@pytest.mark.parametrize("Several", [MultiOutputClassifier, ClassifierChain])
def test_several_labels(Several):
    X, y = IRIS
    targets = np.c_[y == 0, y == 1, y == 2].astype(int)
    assert Several(small()).fit(X, targets).score(X, targets) > 0.8


@pytest.mark.parametrize("Several", [MultiOutputRegressor, RegressorChain])
def test_several_numbers(Several):
    X, y = NUMBERS
    targets = np.c_[y, -y, X["bmi"]]
    assert Several(regressor()).fit(X, targets).score(X, targets) > 0.5


def test_rows_without_labels():
    X, X_test, y, y_test = halves(*CLASSES)
    some = y.where(np.arange(len(y)) % 4 == 0, -1)
    model = SelfTrainingClassifier(small()).fit(X, some)
    assert model.score(X_test, y_test) > 0.75 and (model.labeled_iter_ > 0).any()


def test_labels_come_back_as_they_are():
    X, y = IRIS
    words = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    for Several in (OneVsRestClassifier, OneVsOneClassifier):
        assert set(Several(small()).fit(X, words).predict(X)) == set(words)


def test_inspection():
    X, X_test, y, y_test = halves(*CLASSES)
    model = fast().fit(X, y)
    found = permutation_importance(model, X_test, y_test, n_repeats=2, random_state=0)
    assert found.importances_mean.max() > 0.01
    curve = partial_dependence(model, X, ["worst area"], grid_resolution=5)
    # tumours of a large area are malignant, class 0
    assert curve.average[0, 0] > curve.average[0, -1] + 0.2


def test_curves_and_left_out_predictions():
    X, y = CLASSES
    sizes, _, scores = learning_curve(small(), X, y, train_sizes=[0.3, 1.0], cv=3)
    assert scores.shape == (2, 3) and sizes[0] < sizes[1]
    options = {"param_name": "alpha", "param_range": [1e-3, 1e3], "cv": 3}
    _, scores = validation_curve(small(), X, y, **options)
    assert scores.shape == (2, 3)
    shares = cross_val_predict(small(), X, y, cv=3, method="predict_proba")
    assert ((shares[:, 1] > 0.5) == y).mean() > 0.85
    _, _, chance = permutation_test_score(small(), X, y, n_permutations=4, cv=3, random_state=0)
    assert chance == 1 / 5
