"""Batches shared by workers: the weights of one, from what many measured."""

import threading

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from small_network import flat_params

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import RandomBases
from sklearn_zorb.trainers.gradient import workers


def fit(n_jobs, layers="Dense[6] Tanh", weighted=True, backend="threading", **options):
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).uniform(size=len(y))
    weight[::7] = 0
    settings = {"n_directions": 12, "batch_size": 40, "max_epochs": 3, "n_jobs": n_jobs}
    rule = RandomBases(**{**settings, **options})
    model = NetworkClassifier(layers, trainer=rule, random_state=0)
    with parallel_config(backend=backend):
        return model.fit(X, y, sample_weight=weight if weighted else None)


def assert_same(a, b):
    np.testing.assert_allclose(flat_params(a), flat_params(b), rtol=1e-8)
    for name in ("loss", "score"):
        found, wanted = ([entry[name] for entry in m.history_] for m in (a, b))
        np.testing.assert_allclose(found, wanted, rtol=1e-8)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kind": "fpd", "top": 0.5, "optimizer": "adam", "learning_rate": 0.01},
        {"kind": "nes"},
        {"kind": "nes", "antithetic": True, "worker_batches": "same"},
        {"kind": "nes", "offspring_batch_size": 5, "worker_batches": "same"},
        {"compartments": "layer", "worker_batches": "same"},
        {"compartments": "layer", "distribution": "hadamard"},
        {"n_directions": 20, "distribution": "sketch"},
        {"redraw_fraction": 0.5, "redraw_every": 2},
        {"transform": "ranks", "batch_size": "auto"},
        {"batch_size": 1, "max_epochs": 1},
        {"early_stopping": True},
    ],
    ids=str,
)
def test_many_workers_find_the_weights_of_one(options):
    # the last batch is short, rows have weights, and some weigh nothing
    assert_same(fit(3, **options), fit(1, **options))


def test_processes():
    found = fit(2, backend="loky")
    assert_same(found, fit(1))
    np.testing.assert_array_equal(flat_params(found), flat_params(fit(2, backend="loky")))


def test_n_jobs_comes_from_the_context(monkeypatch):
    seen = []
    monkeypatch.setattr(workers.SharedRun, "train", lambda run: seen.append(run.n_workers))
    with parallel_config(backend="threading", n_jobs=3), pytest.raises(AttributeError):
        NetworkClassifier("Dense[3]", trainer=RandomBases(n_directions=3)).fit([[0], [1]], [0, 1])
    assert seen == [3]


def test_only_coordinates_are_sent_after_the_start(monkeypatch):
    sent, sizes, hold, measured = [], [], workers._hold, workers.measured
    portable = workers.Replica.portable

    def watched(token, step, past, given, *rest):
        sizes.append(sum(np.size(seen) for seen, *_ in past))
        return measured(token, step, past, given, *rest)

    def held(token, replica):
        # threads hold what they were given, as processes would, and nothing of this one's
        if threading.current_thread() is not threading.main_thread():
            hold(token, replica)

    monkeypatch.setattr(workers.Replica, "portable", lambda r: sent.append(1) or portable(r))
    monkeypatch.setattr(workers, "measured", watched)
    monkeypatch.setattr(workers, "_hold", held)
    assert_same(fit(2, max_epochs=5), fit(1, max_epochs=5))
    assert len(sent) == 1
    assert max(sizes) == 12 * workers.REACH


def test_who_lacks_the_weights_is_sent_them(monkeypatch):
    monkeypatch.setattr(workers, "_hold", lambda *_: None)
    assert_same(fit(2), fit(1))


def test_mini_batches_leave_no_files(monkeypatch):
    given, parallel = [], workers.Parallel
    monkeypatch.setattr(workers, "Parallel", lambda **o: given.append(o) or parallel(**o))
    fit(2, batch_size=40)
    fit(2, batch_size="auto")
    assert [options.get("max_nbytes", "") for options in given] == [None, ""]


def test_no_weights_stay_behind():
    fit(2)
    assert not workers._held


def test_layers_that_look_at_the_batch():
    def moments(model):
        return next(own for own in model.params_ if "variance" in own)["mean"]

    layers = "BatchNorm Dense[6] Tanh Dropout[0.3]"
    options = {"batch_size": 50, "weighted": False}
    one = fit(1, layers, **options)
    assert_same(fit(2, layers, worker_batches="same", **options), one)
    split = fit(2, layers, **options)
    np.testing.assert_allclose(moments(split), moments(one), rtol=1e-8, atol=1e-12)
    assert not np.allclose(flat_params(split), flat_params(one))


def test_it_stops_where_the_loss_is_not_finite():
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model = fit(2, "Dense[6] ReLU", learning_rate=1e200)
    assert model.status_ == "diverged"
    assert np.isfinite(flat_params(model)).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kind": "gradients"}, "n_jobs=2.*kind='gradients'"),
        ({"sgd_every": 3}, "sgd_every=3"),
        ({"diagnostics": True}, "diagnostics=True"),
        ({"kind": "nes", "offspring_batch_size": 5}, "offspring_batch_size=5"),
        ({"distribution": "hadamard", "worker_batches": "same"}, "worker_batches='same'"),
    ],
)
def test_errors_say_what_cannot_be_shared(options, message):
    with pytest.raises(ValueError, match=message):
        fit(2, **options)
