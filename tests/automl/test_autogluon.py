"""The model of AutoGluon; skipped where it is not installed, as in the ordinary tests."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from sklearn_zorb import ZORBClassifier

tabular = pytest.importorskip("autogluon.tabular")

from sklearn_zorb.automl import AutoGluonModel  # noqa: E402

TRIALS = {"num_trials": 3, "searcher": "random", "scheduler": "local"}


def frame(task):
    made = (load_wine if task == "multiclass" else load_diabetes)(as_frame=True).frame
    # a category and gaps, which come as they are
    made["half"] = pd.Categorical(np.where(made.iloc[:, 0] > made.iloc[:, 0].median(), "a", "b"))
    made.iloc[::9, 1] = np.nan
    return made


def fitted(tmp_path, data, learners, **settings):
    predictor = tabular.TabularPredictor("target", path=str(tmp_path / "models"), verbosity=0)
    return predictor.fit(data, hyperparameters=learners, **settings)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_its_key_stands_among_others(task, tmp_path):
    data = frame(task)
    learners = {"ZORB": [{}, {"blocks": "linear+forest", "trees": 20}], "KNN": {}}
    predictor = fitted(tmp_path, data, learners, time_limit=120)
    assert predictor.problem_type == task
    names = set(predictor.leaderboard()["model"])
    assert {"ZORB", "ZORB_2"} <= names
    least = {"multiclass": 0.9, "regression": -70}[task]  # accuracy, or minus the error
    assert predictor.evaluate(data)[predictor.eval_metric.name] > least


def test_a_search_begins_with_the_default(tmp_path):
    settings = {"ag_args": {"hyperparameter_tune_kwargs": TRIALS}}
    predictor = fitted(tmp_path, frame("multiclass"), {"ZORB": settings}, time_limit=120)
    scores = predictor.leaderboard().set_index("model")["score_val"]
    ours = scores[scores.index.str.startswith("ZORB/")]
    assert len(ours) > 1 and scores.max() >= ours["ZORB/T1"]
    model = predictor._trainer.load_model("ZORB/T1").model
    assert isinstance(model, ZORBClassifier) and model.layers == "Auto"


def test_a_short_limit_leaves_the_fast_model():
    data = frame("multiclass")
    X, y = data.drop(columns="target"), data["target"]
    for limit, layers in ((1e-3, "Auto[fast]"), (600, "auto")):
        model = AutoGluonModel(problem_type="multiclass", eval_metric="accuracy")
        model.initialize(X=X, y=y, num_classes=3)
        model._fit(X=X, y=y, time_limit=limit)
        assert model.model.layers == layers
        assert model._estimate_memory_usage(X) > 0
