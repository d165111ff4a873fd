"""`Trainer.fit` on a bare list of layers: what estimators do, without them."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_zorb import trainers
from sklearn_zorb.layers import Context, Dense, EstimatorLayer, Sign, Softmax, Tanh, Trees, sequence
from sklearn_zorb.trainers import ZORB, Backprop, Evolution

X, Y = load_iris(return_X_y=True)
T = np.eye(3)[Y]
RULES = [
    ZORB(), trainers.MLELM(), Backprop(max_epochs=3), trainers.FeedbackAlignment(max_epochs=3),
    trainers.DirectFeedbackAlignment(max_epochs=3), trainers.ForwardGradient(max_epochs=3),
    trainers.TargetPropagation(max_epochs=3), trainers.RandomBases(max_epochs=3),
]  # fmt: skip


def context(**changes):
    return Context(task="multiclass", rng=np.random.default_rng(0)).replace(**changes)


def equal(first, second):
    return all(
        a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
        for a, b in zip(first, second, strict=True)
    )


@pytest.mark.quick(2)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_every_rule_takes_a_list_of_layers(rule):
    layers, given = [Dense(8), Tanh(), Dense(3)], context()
    before = [dict(layer.get_params()) for layer in layers]
    result = rule.fit(layers, None, X, T, given)
    assert [dict(layer.get_params()) for layer in layers] == before
    assert len(result.params) == 3 and result.history
    assert sequence.forward(layers, result.params, X).shape == (150, 3)
    # the context is used up by nothing, and text says the same as a list
    assert equal(result.params, rule.fit("Dense[8] Tanh Dense", None, X, T, given).params)


def test_evolution_takes_a_list_of_layers():
    pytest.importorskip("evosax")
    result = Evolution(max_epochs=2, pop_size=4).fit([Dense()], None, X, T, context())
    assert result.params[0]["weights"].shape == (4, 3)


def test_without_evosax_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "evosax", None)
    with pytest.raises(ImportError, match=r"sklearn-zorb\[evolution\]"):
        Evolution().fit("Dense[4] Tanh Dense", None, X, T, context())


def test_a_read_out_alone_is_a_ridge():
    result = ZORB(alpha=3.0).fit([Dense()], None, X, T, context())
    ridge = Ridge(3.0).fit(X, T)
    np.testing.assert_allclose(result.params[0]["weights"], ridge.coef_.T, atol=1e-10)
    np.testing.assert_allclose(result.params[0]["intercept"], ridge.intercept_, atol=1e-10)


@pytest.mark.parametrize("layer", [Trees(), EstimatorLayer(LogisticRegression(max_iter=500))])
def test_layers_are_given_the_classes(layer):
    layers = [layer, Dense()]
    result = ZORB().fit(layers, None, X, T, context())
    outputs = sequence.forward(layers, result.params, X)
    assert np.mean(outputs.argmax(axis=1) == Y) > 0.95


def test_two_classes_are_one_column():
    layers = [EstimatorLayer(LogisticRegression(max_iter=500)), Dense()]
    given = context(task="binary")
    result = ZORB().fit(layers, None, X, (Y[:, None] == 0).astype(float), given)
    outputs = sequence.forward(layers, result.params, X)
    assert outputs.shape == (150, 1) and np.mean((outputs[:, 0] > 0.5) == (Y == 0)) > 0.99


def test_training_goes_on_from_params_and_state():
    layers, rule = [Dense(8), Tanh(), Dense(3), Softmax()], Backprop(max_epochs=2, batch_size=150)
    start = rule.fit(layers, None, X, T, context())
    kept = [{name: value.copy() for name, value in params.items()} for params in start.params]
    more = rule.fit(layers, start.params, X, T, context(), state=start.state)
    assert equal(start.params, kept)
    whole = Backprop(max_epochs=4, batch_size=150).fit(layers, None, X, T, context())
    assert more.state["step"] == 4
    for found, expected in zip(more.params, whole.params, strict=True):
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)


LAYERS = [Dense(8), Tanh(), Dense()]


@pytest.mark.parametrize(
    ("rule", "arguments", "options", "message"),
    [
        (ZORB(), ([Dense(8), Tanh()], None, X, T), {}, "no read-out of 3 outputs; end them in"),
        (ZORB(), ([], None, X, T), {}, "no read-out of 3 outputs"),
        (ZORB(), (LAYERS, None, X, T[:9]), {}, r"X has shape \(150, 4\) and T \(9, 3\)"),
        (ZORB(), (LAYERS, None, X, Y), {}, r"T \(150,\)"),
        (ZORB(), (LAYERS, None, X[:, 0], T), {}, r"X has shape \(150,\)"),
        (ZORB(), (LAYERS, None, X * np.nan, T), {}, "Input X contains NaN"),
        (ZORB(), (LAYERS, None, X, T + np.inf), {}, "Input T contains infinity"),
        (ZORB(), (LAYERS, [{}] * 3, X, T), {}, "params do not fit the layers; pass .*weights"),
        (ZORB(), (LAYERS, [{}], X, T), {}, "params do not fit the layers"),
        (trainers.MLELM(), (LAYERS, None, X, T), {"state": {}}, "MLELM trains from the beginning"),
        (ZORB(), (LAYERS, None, X, T), {"state": {}}, "pass what an interrupted fit of ZORB left"),
        (Backprop(), ([Sign(), Dense()], None, X, T), {}, "has no derivative"),
        (Backprop(), ([Dense(0), Dense()], None, X, T), {}, "'units' parameter of Dense"),
        (Backprop(max_epochs=0), (LAYERS, None, X, T), {}, "'max_epochs' parameter"),
    ],
)
def test_bad_input_is_told(rule, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        rule.fit(*arguments, context(), **options)
