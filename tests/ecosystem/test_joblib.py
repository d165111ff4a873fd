"""Whatever runs the jobs of joblib, a fit gives the same model."""

import os
import threading

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import EstimatorLayer, Identity, Stack, Trees

X, Y = load_iris(return_X_y=True)
FOLDS = [Stack([[Identity()], [Trees(3, kind="boosting", cv=2)], [EstimatorLayer(Ridge(), cv=2)]])]
HERE = os.getpid()


@pytest.fixture
def dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        yield


@pytest.fixture
def ray(monkeypatch):
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    store = 100 * 2**20
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", object_store_memory=store)
    register_ray()
    yield
    ray.shutdown()


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing", "dask", "ray"])
def test_the_backend_changes_no_model(backend, request):
    if backend in ("dask", "ray"):
        request.getfixturevalue(backend)
    # one process each for folds is what takes long
    lists = ["auto"] if backend == "loky" else ["auto", FOLDS]
    for layers in lists:
        wanted = ZORBClassifier(layers, random_state=0).fit(X, Y).predict_proba(X)
        with parallel_config(backend=backend, n_jobs=2):
            model = ZORBClassifier(layers, random_state=0).fit(X, Y)
            np.testing.assert_array_equal(model.predict_proba(X), wanted)


def test_trees_stay_in_this_process(monkeypatch):
    grown, fit = [], DecisionTreeRegressor.fit

    def recorded(self, *args, **kwargs):
        grown.append(os.getpid())
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(DecisionTreeRegressor, "fit", recorded)
    with parallel_config(backend="multiprocessing", n_jobs=2):
        ZORBClassifier("Stack(Identity | Trees[4])", random_state=0).fit(X, Y)
    assert grown == [HERE] * 4


class Recorded(Ridge):
    """A ridge that notes the process and the thread in which it is fitted."""

    places: list = []

    def fit(self, X, y, sample_weight=None):
        self.places.append((os.getpid(), threading.get_ident()))
        return super().fit(X, y, sample_weight)


def test_folds_stay_in_this_process_where_threads_are_preferred():
    model = ZORBRegressor([Stack([[EstimatorLayer(Recorded(), cv=3)]])], n_jobs=2)
    with parallel_config(prefer="threads"):
        model.fit(X, X[:, 0])
    processes, threads = zip(*Recorded.places, strict=True)
    assert processes == (HERE,) * 3 and threading.get_ident() not in threads
