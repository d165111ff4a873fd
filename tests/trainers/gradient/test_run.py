"""Epochs: what the history tells of them, when they end, which params are kept."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import Context, Dense, sequence
from sklearn_zorb.memory import Memory
from sklearn_zorb.network import Network
from sklearn_zorb.rows import Targets
from sklearn_zorb.trainers import Backprop
from sklearn_zorb.trainers.gradient.run import split_rows

X, Y = load_iris(return_X_y=True)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "batch_size, sizes", [("auto", (150, 149, 147)), (100, (1797, 1790, 1750))]
)
def test_neighbouring_sizes_and_other_rates_share_compiled_programs(compiled, batch_size, sizes):
    D, d = load_digits(return_X_y=True)
    for i, n in enumerate(sizes):
        rule = Backprop(max_epochs=1, batch_size=batch_size, learning_rate=0.01 * (i + 1))
        NetworkClassifier("Dense[7] Tanh", trainer=rule, dtype="float32").fit(D[:n], d[:n])
        assert bool(compiled) == (i == 0)
        compiled.clear()


def probabilities(layers, params, rows):
    return softmax(sequence.forward(layers, params, rows), axis=1)


@pytest.mark.parametrize("limit", [None, 10_000])
def test_rows_of_a_short_last_batch_count_as_the_others_do(limit):
    # 150 rows in batches of 40, of which the last has 30: all in one block, or one in each
    context = Context(task="multiclass", rng=np.random.default_rng(0), memory=Memory(limit))
    rule = Backprop("sgd", learning_rate=1e-12, batch_size=40, max_epochs=1)
    layers = [Dense(5), Dense(3)]
    result = rule.fit(layers, None, X, np.eye(3)[Y], context)
    predicted = probabilities(layers, result.params, X)
    assert result.history[0]["loss"] == pytest.approx(log_loss(Y, predicted))
    assert result.history[0]["score"] == pytest.approx(np.mean(predicted.argmax(axis=1) == Y))


@pytest.mark.parametrize("weighted", [False, True])
def test_every_row_held_out_counts_the_same(weighted):
    # those held out fill more than one batch, of which the last is short
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(2100, 3)), rng.integers(3, size=2100)
    weights = rng.uniform(0.5, 2, size=2100) if weighted else None
    rule = Backprop(early_stopping=True, validation_fraction=0.5, max_epochs=1)

    def context():
        return Context(task="multiclass", rng=np.random.default_rng(0), sample_weight=weights)

    T = Targets(np.eye(3), y)
    network = Network.of([Dense(3)], (3,), 3)
    start = network.init(np.random.default_rng(1), None)
    result = rule.fit(network, start, rows, T, context())
    held, targets, held_weights = split_rows(rule, rows, T, context())[1]
    predicted = probabilities(network.layers, result.params, held)
    expected = log_loss(np.argmax(targets[:], axis=1), predicted, sample_weight=held_weights)
    assert len(held) == 1050
    assert result.history[0]["validation_loss"] == pytest.approx(expected)


def test_early_stopping_keeps_the_best_params():
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(80, 20)), rng.integers(2, size=80)
    rule = Backprop(early_stopping=True, validation_fraction=0.25, learning_rate=0.05, patience=5)
    model = NetworkClassifier(trainer=rule, random_state=0).fit(rows, y)
    losses = [entry["validation_loss"] for entry in model.history_]
    assert model.status_ == "converged" and len(losses) < 50
    assert int(np.argmin(losses)) < len(losses) - 1
    assert log_loss(y, model.predict_proba(rows)) > 0.05  # pure noise was not learned by heart


def test_loss_threshold_stops():
    model = NetworkClassifier(trainer=Backprop(tol_loss=0.3), random_state=0).fit(X, Y)
    losses = [entry["loss"] for entry in model.history_]
    assert losses[-1] <= 0.3 < losses[-2] and model.status_ == "converged"


def test_a_callback_stops():
    context = Context(task="multiclass", rng=np.random.default_rng(0))
    seen = []

    def on_step(entry, params):
        seen.append(params())
        return len(seen) == 2

    result = Backprop().fit([Dense(3)], None, X, np.eye(3)[Y], context, on_step=on_step)
    assert result.status == "stopped by callback" and len(result.history) == 2
    np.testing.assert_array_equal(seen[-1][0]["weights"], result.params[0]["weights"])


def test_divergence_is_told_and_the_params_before_it_are_kept():
    rule = Backprop("sgd", learning_rate=1e30, max_epochs=50)
    model = NetworkRegressor("Dense[20] ReLU", trainer=rule, random_state=0)
    with pytest.warns(ConvergenceWarning, match="lower learning_rate"):
        model.fit(X, Y)
    assert model.status_ == "diverged"
    assert all(np.isfinite(v).all() for params in model.params_ for v in params.values())


def test_constant_targets_have_no_spread_to_explain():
    rule = Backprop(max_epochs=1)
    model = NetworkRegressor(trainer=rule, random_state=0).fit(X, np.ones(150))
    assert model.history_[0]["score"] == 0


def test_what_was_kept_is_left_where_settings_have_changed():
    model = NetworkClassifier(trainer=Backprop(), random_state=0)
    model.partial_fit(X, Y, classes=[0, 1, 2])
    loss = model.history_[-1]["loss"]
    model.set_params(trainer__optimizer="lion").partial_fit(X, Y)
    assert model.history_[-1]["loss"] < loss
