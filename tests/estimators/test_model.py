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
FORKED = """
import os, sys, time, numpy as np
from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.trainers import Backprop
X = np.random.default_rng(0).normal(size=(60, 4)); y = np.arange(60) % 2
models = [ZORBClassifier("Dense[8] Tanh", backend="jax", random_state=0),
          NetworkClassifier("Dense[8] Tanh", trainer=Backprop(max_epochs=2), random_state=0)]
for model in models:
    expected = model.fit(X, y).predict(X)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if (model.predict(X) == expected).all() else 3)
        except RuntimeError as error:
            os._exit(0 if "fork" in str(error) else 4)
        except BaseException:
            os._exit(5)
    for _ in range(100):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.1)
    else:
        os.kill(child, 9)
        sys.exit("predict hangs in a forked child")
    assert status == 0, os.waitstatus_to_exitcode(status)
"""


def arrays_of(value):
    """Whatever lies in params, down to the leaves."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in arrays_of(inner)]
    return [value]


def test_models_fitted_by_jax_are_copied_and_predict_the_same_in_a_fresh_process(tmp_path):
    for name, model in MODELS.items():
        model = copy.deepcopy(model).fit(X, Y)
        leaves = [leaf for own in model.params_ for leaf in arrays_of(own)]
        assert {type(leaf) for leaf in leaves} == {np.ndarray} or name == "numpy"
        expected = model.predict(X)
        for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            np.testing.assert_array_equal(twin.predict(X), expected)
        joblib.dump((model, X, expected), tmp_path / name)
    command = [sys.executable, "-c", CHILD, *(str(tmp_path / name) for name in MODELS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no fork on this platform")
def test_a_model_fitted_by_jax_predicts_in_a_forked_child_or_is_refused():
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
