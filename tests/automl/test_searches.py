"""Random searches of scikit-learn: the default is tried first, and what is found predicts."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_friedman1
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    ParameterSampler,
    RandomizedSearchCV,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import ZORBClassifier, ZORBRegressor, parse_layers
from sklearn_zorb.automl import param_distributions

DEFAULT = {"alpha": "loo", "layers": "Auto"}


def drawn(space, count, seed):
    return list(ParameterSampler(space, count, random_state=seed))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_candidates_are_drawn_anew_and_begin_with_the_default(task):
    space = param_distributions(task, 3000, 10)
    first, second = drawn(space, 30, 0), drawn(space, 30, 1)
    assert first == drawn(space, 30, 0) and first[1:] != second[1:]
    assert first[0] == second[0] == DEFAULT
    texts = {candidate["layers"] for candidate in first}
    assert len(texts) == 30 and all(parse_layers(text) for text in texts)
    assert {candidate["alpha"] for candidate in first} == {"loo", 1.0, 10.0, 100.0}
    # sizes of blocks that do not stand there would be noise
    assert not [text for text in texts if '"linear+kernel"' in text and "trees" in text]


def test_copies_of_a_space_begin_with_the_default_too():
    space = param_distributions("regression", 100, 10)
    drawn(space, 2, 0)
    for other in (copy.deepcopy(space), pickle.loads(pickle.dumps(space))):
        assert drawn(other, 3, 0) == drawn(space, 3, 0)


def test_a_random_search_does_not_end_below_the_default():
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), ZORBClassifier(random_state=0))
    space = param_distributions("classification", *X.shape, prefix="zorbclassifier__")
    search = RandomizedSearchCV(
        model, space, n_iter=3, scoring="neg_log_loss", cv=2, random_state=0
    ).fit(X, y)
    usual = cross_val_score(model, X, y, scoring="neg_log_loss", cv=2).mean()
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(usual)
    assert search.best_score_ >= usual
    assert np.mean(search.predict(X) == y) > 0.9


def test_a_halving_search_compares_with_the_default():
    X, y = make_friedman1(160, random_state=0)
    search = HalvingRandomSearchCV(
        ZORBRegressor(random_state=0), param_distributions("regression", *X.shape),
        n_candidates=4, factor=2, min_resources=40, cv=2, random_state=0,
    ).fit(X, y)  # fmt: skip
    results = search.cv_results_
    assert results["params"][0] == DEFAULT and results["iter"].max() == 2
    assert search.best_score_ >= results["mean_test_score"][results["iter"] == 2].min()
    assert search.score(X, y) > 0.4
