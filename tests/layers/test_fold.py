"""Folded params beside those of the solve: predictions, sizes, and what stays as it is."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Context, Dense, Identity, Kernel, Parallel, Skip, Stack, Tanh, Trees
from sklearn_zorb.layers.fold import folded

X, Y = make_friedman1(150, random_state=0)
NEW = make_friedman1(40, random_state=1)[0]
LISTS = {
    "all rows are landmarks": ([Kernel(200)], {"readout": "last"}),
    "few landmarks": ([Kernel(40)], {"readout": "last"}),
    "beside other columns": ([Dense(5), Tanh(), Kernel(40)], {"readout": "all"}),
    "before a hidden layer": ([Kernel(40), Dense(8), Tanh()], {"readout": "last"}),
    "inside a hidden layer": ([Parallel([[Kernel(40), Dense(8)], [Identity()]])], {}),
    "blocks": ([Stack([[Kernel(200)], [Kernel(40, kind="gaussian")], [Identity()]])], {}),
}


def fit_both(layers, options, monkeypatch):
    """The same fit with and without folding."""
    model = ZORBRegressor(layers, random_state=0, **options)
    done = pickle.loads(pickle.dumps(model.fit(X, Y)))
    monkeypatch.setattr(
        "sklearn_zorb.estimators.model.folded", lambda layers, params, shared: params
    )
    return done, model.fit(X, Y)


def projections(params):
    """How many projections lie in nested params."""
    if isinstance(params, list):
        return sum(map(projections, params))
    if not isinstance(params, dict):
        return 0
    return ("projection" in params) + sum(map(projections, params.values()))


@pytest.mark.parametrize("name", LISTS)
def test_predictions_stay_and_projections_go(name, monkeypatch):
    done, whole = fit_both(*LISTS[name], monkeypatch)
    assert projections(whole.params_) > projections(done.params_) == 0
    scale = np.std(Y)
    np.testing.assert_allclose(done.predict(NEW), whole.predict(NEW), atol=1e-9 * scale)
    np.testing.assert_allclose(done.predict(X), whole.predict(X), atol=1e-9 * scale)
    assert done.loo_score_ == whole.loo_score_


@pytest.mark.parametrize(
    "layers, options",
    [
        ([Kernel(40), Dense(8), Tanh()], {"readout": "all"}),  # the read-out sees features too
        ([Skip([Kernel(40)])], {"readout": "last"}),
        ([Kernel(40), Tanh()], {"readout": "last"}),
        ([Kernel(40)], {"readout": "last", "dtype": "float32"}),
    ],
)
def test_features_that_others_read_and_single_precision_stay(layers, options):
    model = ZORBRegressor(layers, random_state=0, **options).fit(X, Y)
    assert projections(model.params_) == 1


def test_a_second_fold_changes_nothing_and_what_came_stays():
    model = ZORBRegressor([Kernel(40)], readout="last", random_state=0).fit(X, Y)
    before = pickle.dumps(model.params_)
    network = model.model_.network
    again = folded(network.layers, model.params_)
    assert pickle.dumps(model.params_) == before
    for params, twice in zip(model.params_, again, strict=True):
        assert all(params[name] is twice[name] for name in params)


def test_batches_go_on_from_features():
    """Sums over raw kernel values would shrink other directions than those over features."""
    model = ZORBRegressor([Kernel(40)], readout="last", alpha=1.0, random_state=0)
    model.partial_fit(X[:100], Y[:100])
    assert projections(model.params_) == 1
    features = model.model_.network.tapped(model.params_, X)
    model.partial_fit(X[100:], Y[100:])
    centred = features - features.mean(axis=0)
    ridge = np.linalg.solve(centred.T @ centred + np.eye(40), centred.T @ (Y - Y.mean()))
    expected = centred @ ridge + Y.mean()
    np.testing.assert_allclose(model.predict(X), expected, rtol=0.05)


def test_a_folded_kernel_still_carries_targets_down():
    model = ZORBRegressor([Kernel(40)], readout="last", random_state=0).fit(X, Y)
    (layer, params) = next(
        (layer, params) for (_, layer), params in zip(model.layers_, model.params_, strict=True)
        if isinstance(layer, Kernel)
    )  # fmt: skip
    outputs = layer.forward(params, params["landmarks"])
    found = layer.invert(params, outputs, None, None)
    missed = ((found - params["landmarks"]) ** 2).mean(axis=0)
    assert (missed < 0.02 * params["landmarks"].var(axis=0)).all()


def test_a_block_without_weight_is_not_kept():
    rows = np.random.default_rng(0).normal(size=(300, 4))
    y = rows @ np.ones(4) + 0.5 * np.random.default_rng(1).normal(size=300)
    blocks = [[Identity()], [Trees(10, max_depth=1)]]
    model = ZORBRegressor([Stack(blocks, shrinkage=0.0)], random_state=0).fit(rows, y)
    params, alone = (
        model.params_[-1],
        ZORBRegressor([Stack(blocks[:1])], random_state=0).fit(rows, y),
    )
    assert params["block_weights"].tolist() == [1.0, 0.0]
    assert not any(params["branch_2"].values())
    np.testing.assert_allclose(model.predict(rows), alone.predict(rows), rtol=1e-12)
    stack, targets = model.model_.network.layers[-1], np.zeros((2, 1))
    found = stack.invert(params, targets, None, Context())
    np.testing.assert_allclose(stack.forward(params, found), targets, atol=1e-9)
