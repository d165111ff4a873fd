"""Weights reach the estimators that ask for them."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor, ZORBTransformer
from sklearn_zorb.layers import Dense, EstimatorLayer, Stack, Tanh
from sklearn_zorb.trainers import MLELM

X, Y = load_iris(return_X_y=True)
WEIGHTS = np.random.default_rng(0).uniform(0.5, 4, size=150)
LIST = "Dense[8] Tanh"
MODELS = [
    ZORBClassifier(LIST, random_state=0),
    ZORBRegressor(LIST, random_state=0),
    NetworkClassifier(LIST, trainer=MLELM(), random_state=0),
]


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("model", MODELS)
def test_through_a_pipeline(model):
    rows = MinMaxScaler().fit_transform(X)
    weighted = sklearn.clone(model).fit(rows, Y, sample_weight=WEIGHTS)
    plain = sklearn.clone(model).fit(rows, Y)
    asking = make_pipeline(MinMaxScaler(), sklearn.clone(model).set_fit_request(sample_weight=True))
    asking.fit(X, Y, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(asking[-1]._outputs(rows), weighted._outputs(rows))
    assert not np.array_equal(weighted._outputs(rows), plain._outputs(rows))


def test_through_searches_and_cross_validation():
    model = ZORBClassifier(LIST, random_state=0)
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(model, {"relaxation": [0.0, 0.5]}, cv=3)
    search.fit(X, Y, sample_weight=WEIGHTS)
    best = sklearn.clone(model).set_params(**search.best_params_)
    np.testing.assert_array_equal(
        search.predict_proba(X), best.fit(X, Y, sample_weight=WEIGHTS).predict_proba(X)
    )
    options = {"cv": 3, "return_estimator": True}
    found = cross_validate(model, X, Y, params={"sample_weight": WEIGHTS}, **options)
    plain = cross_validate(sklearn.clone(model), X, Y, params={}, **options)
    pairs = zip(found["estimator"], plain["estimator"], strict=True)
    assert not any(np.array_equal(one.predict_proba(X), two.predict_proba(X)) for one, two in pairs)


def test_nobody_asks_is_an_error():
    with pytest.raises(ValueError, match="sample_weight"):
        make_pipeline(MinMaxScaler(), ZORBClassifier(LIST)).fit(X, Y, sample_weight=WEIGHTS)


def test_to_features():
    features = ZORBTransformer(LIST, random_state=0).set_fit_request(sample_weight=True)
    last = LogisticRegression().set_fit_request(sample_weight=False)
    model = make_pipeline(features, last).fit(X, Y, sample_weight=WEIGHTS)
    alone = ZORBTransformer(LIST, random_state=0).fit(X, Y, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(model[:-1].transform(X), alone.transform(X))


def test_to_a_step_of_a_pipeline_inside_of_a_layer():
    def model(estimator):
        blocks = [[EstimatorLayer(estimator, cv=2)], [Dense(4), Tanh()]]
        return ZORBClassifier([Stack(blocks)], random_state=0).fit(X, Y, sample_weight=WEIGHTS)

    ridge = Ridge(alpha=1e-3).set_fit_request(sample_weight=True)
    scaler = StandardScaler(with_std=False).set_fit_request(sample_weight=True)
    np.testing.assert_allclose(
        model(make_pipeline(scaler, ridge)).predict_proba(X),
        model(Ridge(alpha=1e-3)).predict_proba(X),
        atol=1e-6,
    )
    with pytest.raises(ValueError, match="takes no sample_weight"):
        model(make_pipeline(MinMaxScaler(), Ridge()))
