"""scikit-learn's own checks, without expected failures."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, ReLU, Skip, Tanh

CONFIGURATIONS = [
    {},
    {"layers": "Dense[8] Tanh Dense[6] ReLU Dense[5] Sigmoid"},
    {"layers": [Dense(8), Tanh(), ("second", Dense(6)), ReLU()], "relaxation": 0.7},
    {"layers": "Dense[16] ReLU", "relaxation": 1.0, "readout": "last"},
    {"layers": "Dense[8] Sigmoid", "alpha": 0.0},
    {"layers": "Dense[8] Sigmoid", "alpha": 0.0, "rcond": 1e-3, "backward_rcond": 1e-3},
    {"layers": "Skip(Dense[8] Tanh) Parallel(Dense[4] ReLU | Identity)"},
    {"layers": [Skip([Dense(4), Tanh()]), Dense(5, alpha=0.1), ReLU()]},
    {"layers": ["Dense[8, initializer=orthogonal]", "Step", "Dense[6] Cos"]},
    {"layers": "Dense[8] Tanh", "n_sweeps": 3},
    {"layers": "Dense[8] Tanh", "standardize": False, "memory_limit": "10KB"},
    {"layers": "Dense[8] BatchNorm LeakyReLU Dense[6, use_bias=false] Sign"},
]
CLASSIFIERS = [
    {"layers": "Dense[8] Tanh Dense Softmax"},
    {"layers": "Dense[8] Tanh Dense Sigmoid"},
    {"layers": "Dense[8] Tanh", "class_weight": "balanced"},
]
ESTIMATORS = [
    *(ZORBClassifier(**config) for config in CONFIGURATIONS + CLASSIFIERS),
    *(ZORBRegressor(**config) for config in CONFIGURATIONS),
    ZORBRegressor("Dense[8] Tanh", clip=False),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_checks_that_scikit_learn_leaves_to_us(Estimator):
    from sklearn.utils.estimator_checks import (
        check_dataframe_column_names_consistency,
        check_param_validation,
    )

    check_dataframe_column_names_consistency(Estimator.__name__, Estimator())
    check_param_validation(Estimator.__name__, Estimator())
