"""A model that comes back from a file predicts what it did, to the last bit."""

import pickle
from functools import cache

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import (
    TRUSTED_TYPES,
    NetworkClassifier,
    ZORBClassifier,
    ZORBRegressor,
    load,
    save,
)
from sklearn_zorb.layers import Dense, EstimatorLayer, Stack, Tanh
from sklearn_zorb.trainers import Backprop


def through_pickle(model, folder):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    # arrays of the file that nothing can write to
    return joblib.load(folder / "model.joblib", mmap_mode="r")


def through_cloudpickle(model, folder):
    cloudpickle = pytest.importorskip("cloudpickle")
    return pickle.loads(cloudpickle.dumps(model))


def through_save(model, folder):
    if "Pipeline" in type(model).__name__ or "EstimatorLayer" in repr(model):
        pytest.importorskip("skops")
    save(model, folder / "model.zorb")
    return load(folder / "model.zorb")


def through_skops(model, folder):
    skops = pytest.importorskip("skops.io")
    content = skops.dumps(model)
    return skops.loads(content, trusted=trusted(skops.get_untrusted_types(data=content)))


def trusted(asked):
    """The types of the package, and states of optimisers, which are named by their user."""
    return [*TRUSTED_TYPES, *(name for name in asked if name.startswith("optax."))]


def through_mlflow(model, folder):
    mlflow = pytest.importorskip("mlflow")
    skops = pytest.importorskip("skops.io")
    asked = skops.get_untrusted_types(data=skops.dumps(model))
    options = {"skops_trusted_types": trusted(asked), "pip_requirements": []}
    mlflow.sklearn.save_model(model, folder / "model", **options)
    return mlflow.sklearn.load_model((folder / "model").as_uri())


WAYS = [
    through_pickle, through_joblib, through_cloudpickle, through_save, through_skops,
    through_mlflow,
]  # fmt: skip


def raw_frame():
    """Numbers, text, categories, times and gaps."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    frame = X[["age", "bmi", "s5"]].copy()
    frame["sex"] = np.where(X["sex"] > 0, "f", "m")
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(X)), unit="D")
    frame["group"] = pd.Categorical(np.where(X["bp"] > 0, "high", None))
    frame.loc[::9, "bmi"] = np.nan
    return frame, y


@cache
def fitted(name):
    """A model and rows to predict."""
    X, y = load_iris(return_X_y=True)
    frame, target = raw_frame()
    layers = [Stack([[EstimatorLayer(Ridge(), cv=2)], [Dense(8), Tanh()]])]
    rule = Backprop(max_epochs=1, tol=None)
    model, X, y = {
        "default": (ZORBClassifier(random_state=0), X, y),
        "raw frame": (ZORBRegressor(random_state=0), frame, target),
        "labels of a raw frame": (ZORBClassifier(random_state=0), frame, frame.pop("sex")),
        "boosting": (ZORBRegressor("Trees[3, kind=boosting]", random_state=0), X, X @ np.eye(4)),
        "list": (ZORBClassifier("Kernel[20] Dense[8] Tanh", random_state=0), X, y),
        "estimator": (ZORBClassifier(layers, random_state=0), X, y),
        "trained": (NetworkClassifier("Dense[8] Tanh", trainer=rule, random_state=0), X, y),
        "pipeline": (make_pipeline(StandardScaler(), ZORBClassifier("fast")), X, y),
        "batches": (ZORBClassifier("Dense[8] ReLU", random_state=0), X, y),
    }[name]
    if name == "batches":
        return model.partial_fit(X, y, classes=range(3)), X
    return model.fit(X, y), X


NAMES = [
    "default", "raw frame", "labels of a raw frame", "boosting", "list", "estimator", "trained",
    "pipeline", "batches",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", WAYS)
def test_predictions_are_exact(way, name, tmp_path):
    model, X = fitted(name)
    again = way(model, tmp_path)
    assert type(again) is type(model)
    assert again.get_params().keys() == model.get_params().keys()
    for method in ("predict", "predict_proba", "predict_interval"):
        if hasattr(model, method):
            before, after = getattr(model, method)(X), getattr(again, method)(X)
            np.testing.assert_array_equal(after, before)


def test_trusted_types_are_ours():
    assert {name.partition(".")[0] for name in TRUSTED_TYPES} == {"sklearn_zorb", "numpy"}


def test_trees_that_lead_out_of_their_arrays_are_refused():
    model, _ = fitted("default")
    nodes = next(
        block["0"]["estimator"].model.nodes
        for block in model.params_[-1].values()
        if isinstance(block, dict) and "estimator" in block["0"]
    )
    wrong = nodes.__getstate__()
    wrong["children"] = np.full_like(wrong["children"], -100)
    made = object.__new__(type(nodes))
    with pytest.raises(ValueError, match="proper trees"):
        made.__setstate__(wrong)
