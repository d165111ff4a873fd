"""A few interrupted refits of each estimator; `python -m tests.faults` tries more."""

import inspect
import signal

import pytest

import sklearn_zorb
from faults.interrupts import MODELS, interrupted_refits

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer that interrupts")


def test_every_estimator_is_interrupted():
    public = [getattr(sklearn_zorb, name) for name in sklearn_zorb.__all__]
    estimators = {one for one in public if inspect.isclass(one) and hasattr(one, "fit")}
    assert estimators == {type(model) for model in MODELS}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: " ".join(repr(model).split()))
def test_an_interrupted_refit_leaves_the_old_model_or_the_new_one(model):
    found = interrupted_refits(model, 10)
    assert found["neither"] == 0
