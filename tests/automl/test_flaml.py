"""The learner of FLAML; skipped where FLAML is not installed, as in the ordinary tests."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.automl import param_distributions

pytest.importorskip("flaml.automl.model")

from flaml import AutoML  # noqa: E402

from sklearn_zorb.automl import FlamlLearner  # noqa: E402


def searched(tmp_path, task, X, y):
    """The search, and what its trials of our learner tell."""
    automl, log = AutoML(), tmp_path / "log"
    automl.add_learner("zorb", FlamlLearner)
    automl.fit(
        X, y, task=task, estimator_list=["zorb", "lgbm"], max_iter=6, time_budget=60, n_jobs=1,
        eval_method="cv", n_splits=3, verbose=0, seed=0, log_file_name=str(log), log_type="all",
    )  # fmt: skip
    trials = [json.loads(line) for line in log.read_text().splitlines()]
    return automl, [one for one in trials if one.get("learner") == "zorb"]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_search_begins_with_the_default_and_predicts(task, tmp_path):
    classes = task == "classification"
    data = (load_wine if classes else load_diabetes)(return_X_y=True, as_frame=True)
    X, X_test, y, y_test = train_test_split(*data, random_state=0)
    automl, trials = searched(tmp_path, task, X, y)
    assert len(trials) > 1
    first = FlamlLearner(task="multiclass" if classes else "regression", **trials[0]["config"])
    usual = (ZORBClassifier if classes else ZORBRegressor)(layers="Auto").get_params()
    params = {name: first.params[name] for name in first.params if name != "n_jobs"}
    assert params == {name: usual[name] for name in params} and params["layers"] == "Auto"
    assert automl.best_loss_per_estimator["zorb"] <= trials[0]["validation_loss"]
    accuracy_or_r2 = automl.score(X_test, y_test)
    assert accuracy_or_r2 > (0.9 if classes else 0.3)
    assert np.isfinite(np.asarray(automl.predict(X_test), dtype=float)).all()


def test_a_copy_of_a_learner_has_its_parameters():
    learner = FlamlLearner(task="binary", effort="fast", trees=30, alpha="loo")
    other = clone(learner)
    assert other.params == learner.params == {"alpha": "loo", "layers": "Auto[fast, trees=30]"}
    assert param_distributions("classification", 100, 4).keys() == other.params.keys()


@pytest.mark.parametrize("n_samples", [500, 5000])
def test_values_that_flaml_draws_by_numpy_stay_what_they_are(n_samples):
    space = FlamlLearner.search_space((n_samples, 5), "classification")
    choices = [one for one in space.values() if hasattr(one["domain"], "categories")]
    assert len(choices) >= 4
    for one in choices:
        values = one["domain"].categories
        # NumPy makes text of numbers beside text, which is none of the values any more
        assert np.array(values).tolist() == values and one["init_value"] in values
