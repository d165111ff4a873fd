"""Batches shared by workers: the weights of one, from what many measured."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from small_network import Problem, flat_params

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import Dense, Tanh
from sklearn_zorb.trainers import RandomBases
from sklearn_zorb.trainers.gradient import workers
from sklearn_zorb.trainers.gradient.epoch import compiled_epoch
from sklearn_zorb.trainers.gradient.optimizers import make_optimizer

X, Y = (table[::3] for table in load_iris(return_X_y=True))


def fit(n_jobs, layers="Dense[6] Tanh", weighted=True, backend="threading", **options):
    weight = np.random.default_rng(0).uniform(size=len(Y))
    weight[::7] = 0
    settings = {"n_directions": 12, "batch_size": 20, "max_epochs": 3, "n_jobs": n_jobs}
    rule = RandomBases(**{**settings, **options})
    model = NetworkClassifier(layers, trainer=rule, random_state=0)
    with parallel_config(backend=backend):
        return model.fit(X, Y, sample_weight=weight if weighted else None)


def assert_same(a, b):
    np.testing.assert_allclose(flat_params(a), flat_params(b), rtol=1e-8)
    for name in ("loss", "score"):
        found, wanted = ([entry[name] for entry in m.history_] for m in (a, b))
        np.testing.assert_allclose(found, wanted, rtol=1e-8)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kind": "fpd", "optimizer": "adam", "learning_rate": 0.01, "batch_size": "auto"},
        {"kind": "nes", "antithetic": True},
        {"distribution": "sketch", "early_stopping": True},
        {"batch_size": 1, "max_epochs": 1},
    ],
    ids=str,
)
def test_many_workers_find_the_weights_of_one(options):
    # the last batch is short, rows have weights, and some weigh nothing
    assert_same(fit(3, **options), fit(1, **options))


@pytest.mark.slow
def test_processes():
    assert_same(fit(2, backend="loky"), fit(1))


@pytest.mark.slow
def test_n_jobs_comes_from_the_context():
    # workers tell no diagnostics, which is an error only where n_jobs is given
    with parallel_config(backend="threading", n_jobs=3):
        NetworkClassifier(trainer=RandomBases(n_directions=3, max_epochs=1)).fit(X, Y)
        rule = RandomBases(n_directions=3, max_epochs=1, diagnostics=True)
        assert "cosine" in NetworkClassifier(trainer=rule).fit(X, Y).history_[0]


def test_who_has_missed_a_few_steps_takes_them_and_who_has_missed_more_asks_for_the_weights(x64):
    import jax

    problem = Problem([Dense(4), Tanh()])
    update, memory = problem.start(RandomBases(n_directions=5))
    parts = (problem.objective, update, make_optimizer("sgd", None))
    _, init = compiled_epoch(*parts)
    moments = [{} for _ in problem.params]
    state = (problem.moved, moments, init(problem.moved), memory)
    replica = workers.Replica(parts, problem.params, 0, state)
    key = np.asarray(jax.random.key_data(problem.key))

    def measured(token, step, past, given=None):
        found = workers.measured(token, step, past, given, problem.batch, key)
        return None if found is None else found[0]

    assert measured("a", 0, []) is None
    measured("a", 0, [], replica)
    steps = [(np.full(5, float(i)), moments, np.float64(0.1)) for i in range(3)]
    assert measured("a", 3, steps[1:]) is None
    after = replica
    for one in steps:
        after = after.after(*one)
    expected = measured("b", 3, [], after)
    np.testing.assert_allclose(measured("a", 3, steps), expected)
    assert not np.allclose(measured("c", 0, [], replica), expected)
    workers.held.clear()


def test_no_weights_stay_behind():
    fit(2)
    assert not workers.held


@pytest.mark.slow
def test_layers_that_look_at_the_batch():
    def moments(model):
        return next(params for params in model.params_ if "variance" in params)["mean"]

    layers = "BatchNorm Dense[6] Tanh Dropout[0.3]"
    one, split = (fit(n, layers, batch_size=25, weighted=False) for n in (1, 2))
    np.testing.assert_allclose(moments(split), moments(one), rtol=1e-8, atol=1e-12)
    assert not np.allclose(flat_params(split), flat_params(one))


@pytest.mark.slow
def test_it_stops_where_the_loss_is_not_finite():
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model = fit(2, "Dense[6] ReLU", learning_rate=1e200)
    assert model.status_ == "diverged"
    assert np.isfinite(flat_params(model)).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kind": "gradients"}, "n_jobs=2.*kind='gradients'"),
        ({"diagnostics": True}, "n_jobs=2.*diagnostics=True"),
    ],
)
def test_errors_say_what_cannot_be_shared(options, message):
    with pytest.raises(ValueError, match=message):
        fit(2, **options)
