"""MLflow logs one model, and loads it back."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import TRUSTED_TYPES, ZORBClassifier
from sklearn_zorb.layers import EstimatorLayer, Identity, Stack, Trees

mlflow = pytest.importorskip("mlflow")

X, Y = load_iris(return_X_y=True, as_frame=True)
BLOCKS = [[Identity()], [Trees(3)], [Trees(2, kind="boosting", cv=2)]]
FOREST = [EstimatorLayer(RandomForestRegressor(2), cv=2)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    yield folder
    mlflow.sklearn.autolog(disable=True)


@pytest.fixture(scope="module")
def logging(store):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)


@pytest.fixture
def runs(store, logging, request):
    """The runs of a test so far, the first one first."""
    name = request.node.name
    mlflow.create_experiment(name, artifact_location=(store / name).as_uri())
    mlflow.set_experiment(name)
    return lambda: mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def names(runs):
    """Names of the estimators of the runs."""
    return [run.data.tags.get("estimator_name") for run in runs()]


@pytest.fixture
def model():
    return ZORBClassifier([Stack([*BLOCKS, FOREST])], random_state=0)


def test_parts_of_a_model_are_no_runs(runs, model):
    model.fit(X, Y)
    assert names(runs) == []
    # what follows is logged again
    RandomForestRegressor(2).fit(X, Y)
    assert names(runs) == ["RandomForestRegressor"]


def test_a_run_of_the_user_has_nothing_of_the_parts(runs, model):
    with mlflow.start_run():
        model.fit(X, Y)
    (run,) = runs()
    assert not run.data.metrics and not run.data.params


def test_a_pipeline_is_one_run(runs, model):
    make_pipeline(StandardScaler(), model).fit(X, Y)
    assert names(runs) == ["Pipeline"]
    (run,) = runs()
    assert run.data.metrics["training_score"] > 0.9
    assert run.data.params["zorbclassifier__random_state"] == "0"


def test_cross_validation_is_no_run(runs, model):
    # the function that MLflow has replaced
    model_selection.cross_validate(make_pipeline(StandardScaler(), model), X, Y, cv=2)
    assert names(runs) == []


def test_a_search_is_one_run_with_one_for_each_candidate(runs):
    search = GridSearchCV(ZORBClassifier([Stack(BLOCKS)]), {"alpha": ["loo", 1.0]}, cv=2)
    search.fit(X, Y)
    assert sorted(names(runs)) == ["GridSearchCV", "ZORBClassifier", "ZORBClassifier"]


def test_a_logged_model_comes_back(store, runs):
    model = ZORBClassifier(random_state=0).fit(X, Y)
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model, name="model", skops_trusted_types=TRUSTED_TYPES, pip_requirements=[]
        )
    assert list(Path(store).rglob("model.skops"))
    loaded = mlflow.sklearn.load_model(info.model_uri)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    served = mlflow.pyfunc.load_model(info.model_uri)
    np.testing.assert_array_equal(served.predict(X), model.predict(X))
