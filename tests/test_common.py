"""scikit-learn's own checks, without expected failures."""

import pytest
from sklearn.utils.estimator_checks import check_param_validation, parametrize_with_checks

from sklearn_zorb import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    ZORBTransformer,
)
from sklearn_zorb.layers import Dense, ReLU, Skip, Tanh

MIXED = [Skip([Dense(8), Tanh()]), ("second", Dense(6, alpha=0.1)), ReLU()]
ESTIMATORS = [
    ZORBClassifier(),
    ZORBClassifier("Dense[8] Tanh Dense Softmax", n_sweeps=2, class_weight="balanced"),
    ZORBRegressor(),
    ZORBRegressor(MIXED, relaxation=1.0, readout="last", standardize=False, memory_limit="10KB"),
    ZORBTransformer("Dense[8] Tanh"),
    ZORBTransformer("Kernel[10] Dense[8] Tanh", readout="all", task="regression"),
    NetworkClassifier("Dense[8] Tanh"),
    NetworkRegressor("Dense[8] Tanh"),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor, ZORBTransformer])
def test_checks_that_scikit_learn_leaves_to_us(Estimator):
    check_param_validation(Estimator.__name__, Estimator())
