"""Eight threads that fit and predict at once, and workers that are killed."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import clone
from sklearn.linear_model import Ridge

from faults.interrupts import MODELS, answers, same
from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import EstimatorLayer

X = np.random.default_rng(0).normal(size=(80, 4))
Y = (X[:, 0] > 0).astype(int)


def test_eight_threads_at_once():
    models = [clone(model).set_params(random_state=i) for i, model in enumerate(MODELS)]
    alone = [answers(model.fit(X, Y), X) for model in models]
    with ThreadPoolExecutor(8) as pool:
        # fitted models answer while others are fitted
        fitted = pool.map(lambda model: answers(clone(model).fit(X, Y), X), models)
        shared = pool.map(lambda model: answers(model, X), 4 * models)
        found = [*fitted, *shared]
    assert all(map(same, found, 5 * alone))


@pytest.mark.slow
def test_a_killed_worker_leaves_the_model_as_it_was():
    main = os.getpid()

    class Killed(Ridge):
        def fit(self, X, y, sample_weight=None):
            if os.getpid() != main and self.alpha == 7:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fit(X, y, sample_weight)

    model = ZORBRegressor([EstimatorLayer(Killed(), cv=2)], random_state=0)
    before = model.fit(X, X[:, 0]).predict(X)
    with parallel_config("loky", n_jobs=2):
        with pytest.raises(TerminatedWorkerError):
            model.set_params(layers=[EstimatorLayer(Killed(7), cv=2)]).fit(X[:, :2], X[:, 1])
        np.testing.assert_array_equal(model.predict(X), before)
        # the next fit has new workers
        model.set_params(layers=[EstimatorLayer(Killed(), cv=2)]).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X), before)
