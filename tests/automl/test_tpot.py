"""The node of TPOT; skipped where TPOT is not installed, as in the ordinary tests."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBRegressor

tpot = pytest.importorskip("tpot")

from tpot.search_spaces.pipelines import ChoicePipeline  # noqa: E402

from sklearn_zorb.automl import tpot_node  # noqa: E402


def test_the_first_individual_of_each_search_is_the_default():
    node = tpot_node("regression", 442, 10, random_state=0)
    usual = str(ZORBRegressor("Auto", random_state=0))
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        made = [str(node.generate(rng).export_pipeline()) for _ in range(4)]
        assert made[0] == usual and len(set(made)) == 4


def test_a_search_among_others_predicts():
    X, X_test, y, y_test = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
    sizes = {"n_samples": len(y), "n_features": X.shape[1], "n_classes": None}
    other = tpot.config.get_search_space("KNeighborsRegressor", random_state=0, **sizes)
    space = ChoicePipeline([tpot_node("regression", *X.shape, random_state=0), other])
    search = tpot.TPOTEstimator(
        search_space=space, scorers=["r2"], scorers_weights=[1], classification=False, cv=3,
        population_size=6, generations=1, max_time_mins=None, n_jobs=1, verbose=0, random_state=0,
    ).fit(X, y)  # fmt: skip
    tried = search.evaluated_individuals
    usual = ["layers='Auto'," in str(one) for one in tried["Instance"]]
    scores = tried[search.objective_names[0]]
    assert scores.max() >= scores[usual].iloc[0]
    assert np.corrcoef(search.predict(X_test), y_test)[0, 1] > 0.5
