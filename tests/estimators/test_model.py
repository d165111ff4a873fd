"""Fitted models hold NumPy arrays only: they are copied, saved and used in other processes."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor
from sklearn_zorb.trainers import ZORB, Backprop

X, Y = load_iris(return_X_y=True)
MODELS = {
    "classifier": ZORBClassifier("Dense[8] Tanh", backend="jax", random_state=0),
    "regressor": ZORBRegressor("Skip(Dense[6] Tanh) Sigmoid", backend="jax", random_state=0),
    "numpy": ZORBClassifier("Dense[8] Tanh Trees[5]", backend="numpy", random_state=0),
    "stack": ZORBRegressor("Stack(Identity | Kernel[30])", backend="jax", random_state=0),
    "zorb": NetworkClassifier("Dense[8] Tanh", trainer=ZORB(), random_state=0),
    "backprop": NetworkClassifier("Dense[8] Tanh", trainer=Backprop(max_epochs=2), random_state=0),
}
CHILD = """
import sys, joblib, numpy as np
for name in sys.argv[1:]:
    model, X, expected = joblib.load(name)
    assert np.allclose(model.predict(X), expected)
"""


def arrays_of(value):
    """Whatever lies in params, down to the leaves."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in arrays_of(inner)]
    return [value]


@pytest.mark.slow
def test_models_fitted_by_jax_are_copied_and_predict_the_same_in_a_fresh_process(tmp_path):
    for name, model in MODELS.items():
        model = copy.deepcopy(model).fit(X, Y)
        leaves = [leaf for params in model.params_ for leaf in arrays_of(params)]
        assert {type(leaf) for leaf in leaves} == {np.ndarray} or name == "numpy"
        expected = model.predict(X)
        for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            np.testing.assert_array_equal(twin.predict(X), expected)
        joblib.dump((model, X, expected), tmp_path / name)
    command = [sys.executable, "-c", CHILD, *(str(tmp_path / name) for name in MODELS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
