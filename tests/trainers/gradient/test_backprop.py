"""Backpropagation: losses, batches and optimiser against independent computations."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import BatchNorm, Dense, Dropout, Flatten, Tanh
from sklearn_zorb.network import Network
from sklearn_zorb.targets import Targets
from sklearn_zorb.trainers import Backprop, RandomBases
from sklearn_zorb.trainers.gradient.batches import Batches
from sklearn_zorb.trainers.gradient.objective import Objective, loss_name, merge, trainable
from sklearn_zorb.trainers.gradient.optimizers import learning_rates


def network(units):
    layers = [("dense_1", Dense(5)), ("tanh_1", Tanh())]
    return Network.build([], layers, ("readout", Dense(units)), [], (3,), "last")


def problem(task, seed=0, n=20):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    if task == "multiclass":
        T = np.eye(4)[rng.integers(4, size=n)]
    elif task == "multilabel":
        T = rng.integers(2, size=(n, 4)).astype(float)
    elif task == "binary":
        T = rng.integers(2, size=(n, 1)).astype(float)
    else:
        T = rng.normal(size=(n, 2))
    w = rng.uniform(size=n)
    net = network(T.shape[1])
    return net, net.init(np.random.default_rng(1), None), X, T, w


def numpy_loss(task, net, params, X, T, w):
    """The loss written out again, naively."""
    hidden = np.tanh(X @ params[0]["weights"] + params[0]["intercept"])
    z = hidden @ params[2]["weights"] + params[2]["intercept"]
    if task == "multiclass":
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        each = -np.log((p * T).sum(axis=1))
    elif task == "regression":
        each = ((z - T) ** 2).sum(axis=1) / 2
    else:
        p = 1 / (1 + np.exp(-z))
        each = -(T * np.log(p) + (1 - T) * np.log(1 - p)).sum(axis=1)
    return (w * each).sum()


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel", "regression"])
def test_loss_and_gradient_against_numpy_and_finite_differences(task, x64):
    import jax

    net, params, X, T, w = problem(task)
    objective = Objective(net, task)

    def loss(moved):
        return objective.loss(merge(params, moved), (X, T, w))[0]

    moved = trainable(net, params)
    assert float(loss(moved)) == pytest.approx(numpy_loss(task, net, params, X, T, w))
    gradient = jax.grad(loss)(moved)
    for i, name, index in [(0, "weights", (1, 2)), (2, "intercept", (0,)), (0, "intercept", (3,))]:
        values = []
        for sign in (1, -1):
            shifted = [dict(own) for own in params]
            shifted[i][name] = shifted[i][name].copy()
            shifted[i][name][index] += sign * 1e-6
            values.append(numpy_loss(task, net, shifted, X, T, w))
        slope = (values[0] - values[1]) / 2e-6
        assert float(gradient[i][name][index]) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_losses_do_not_overflow(task, x64):
    net, params, X, T, w = problem(task)
    objective = Objective(net, task)
    outputs = np.full(T.shape, 1e4)
    outputs[:, 0] *= -1
    assert np.isfinite(np.asarray(objective.losses(params, outputs, T))).all()


def test_only_weights_move():
    layers = [("norm", BatchNorm()), ("dense_1", Dense(4, use_bias=False)), ("tanh_1", Tanh())]
    net = Network.build([], layers, ("readout", Dense(2)), [], (3,), "last")
    params = net.init(np.random.default_rng(0), None)
    names = [set(own) for own in trainable(net, params)]
    assert names == [{"scale", "offset"}, {"weights"}, set(), {"weights", "intercept"}]


def test_sgd_by_hand():
    X, y = load_iris(return_X_y=True)
    rule = Backprop("sgd", learning_rate=0.1, max_epochs=3, tol=None)
    model = NetworkClassifier([Tanh()], trainer=rule, standardize=False, random_state=0)
    start = NetworkClassifier(
        [Tanh()], trainer=Backprop("sgd", learning_rate=1e-300, max_epochs=1), standardize=False,
        random_state=0,
    ).fit(X, y).params_[-1]  # fmt: skip
    W, b = start["weights"].copy(), start["intercept"].copy()
    H, T = np.tanh(X), np.eye(3)[y]
    for _ in range(3):
        z = H @ W + b
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        delta = (p - T) / len(X)
        W, b = W - 0.1 * H.T @ delta, b - 0.1 * delta.sum(axis=0)
    np.testing.assert_allclose(model.fit(X, y).params_[-1]["weights"], W)
    np.testing.assert_allclose(model.params_[-1]["intercept"], b)


def test_adam_against_optax_by_hand(x64):
    import jax
    import optax

    X, y = load_iris(return_X_y=True)
    rule = Backprop(learning_rate=0.05, max_epochs=10, tol=None)
    model = NetworkClassifier("Dense[5] Tanh", trainer=rule, standardize=False, random_state=0)
    zero = Backprop("sgd", learning_rate=1e-300, max_epochs=1)
    start = NetworkClassifier("Dense[5] Tanh", trainer=zero, standardize=False, random_state=0)
    start = [start.fit(X, y).params_[i] for i in (0, 2)]

    def loss(params):
        z = jax.numpy.tanh(X @ params[0]["weights"] + params[0]["intercept"])
        z = z @ params[1]["weights"] + params[1]["intercept"]
        return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()

    adam = optax.adam(0.05)
    state = adam.init(start)
    for _ in range(10):
        updates, state = adam.update(jax.grad(loss)(start), state)
        start = optax.apply_updates(start, updates)
    model.fit(X, y)
    np.testing.assert_allclose(model.params_[0]["weights"], start[0]["weights"], rtol=1e-6)
    np.testing.assert_allclose(model.params_[2]["weights"], start[1]["weights"], rtol=1e-6)


def test_as_good_as_the_networks_of_scikit_learn():
    X, y = load_digits(return_X_y=True)
    X, train, test = X / 16, slice(0, 1300), slice(1300, None)
    model = NetworkClassifier("Dense[50] ReLU", trainer=Backprop(max_epochs=40), random_state=0)
    model.fit(X[train], y[train])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other = MLPClassifier((50,), max_iter=40, batch_size=128, random_state=0)
        other.fit(X[train], y[train])
    assert model.score(X[test], y[test]) > other.score(X[test], y[test]) - 0.02


@pytest.mark.parametrize("batch_size", ["auto", 32])
def test_weights_are_repetitions(batch_size):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    weights = rng.integers(0, 4, size=60)
    rule = Backprop(max_epochs=60, tol=None, batch_size=batch_size)
    a = NetworkRegressor("Dense[5] Tanh", trainer=rule, random_state=0).fit(X, y, weights)
    rows = np.repeat(np.arange(60), weights)
    b = NetworkRegressor("Dense[5] Tanh", trainer=rule, random_state=0).fit(X[rows], y[rows])
    if batch_size == "auto":
        np.testing.assert_allclose(a.predict(X), b.predict(X), rtol=1e-6)
    else:  # in distribution: not the same batches, nor as many of them
        assert np.corrcoef(a.predict(X), b.predict(X))[0, 1] > 0.85


def test_weights_are_repetitions_in_the_moments_of_a_batch():
    X, y = load_iris(return_X_y=True)
    times = np.random.default_rng(0).integers(0, 4, size=150)
    rule = Backprop("sgd", learning_rate=0.1, max_epochs=20)
    weighted, repeated = (
        NetworkClassifier("Dense[8] BatchNorm Tanh", trainer=rule, random_state=0) for _ in range(2)
    )
    weighted.fit(X, y, sample_weight=times)
    repeated.fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.decision_function(X), repeated.decision_function(X))


def test_batches_hold_every_row_once_and_weights_sum_to_one():
    X = np.arange(70.0)[:, None]
    weights = np.linspace(0.5, 1.5, 70)
    batches = Batches(X, Targets(X), weights, 16, np.float64)
    (x, t, w), count = next(batches.blocks(np.random.default_rng(0)))
    assert count == 5 and x.shape[1:] == (16, 1)
    real = w > 0
    assert sorted(x[real].ravel()) == list(range(70))
    np.testing.assert_allclose(w[:4].sum(axis=1).mean() * 16 + w[4].sum() * 6 / 5, 70 / 5, rtol=1)
    expected = weights / weights.mean()
    lengths = np.repeat([16] * 4 + [6], [16] * 4 + [6])
    np.testing.assert_allclose(w[real] * lengths, expected[x[real].ravel().astype(int)])


@pytest.fixture
def compiled():
    """Names of the programs that XLA compiled since."""
    import jax

    events = []

    def listen(event, duration, **more):
        if event == "/jax/core/compile/backend_compile_duration":
            events.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield events
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize(
    "batch_size, sizes", [("auto", (150, 149, 147)), (100, (1797, 1790, 1750))]
)
def test_neighbouring_sizes_and_other_rates_share_compiled_programs(compiled, batch_size, sizes):
    X, y = load_digits(return_X_y=True)
    for i, n in enumerate(sizes):
        rule = Backprop(max_epochs=2, batch_size=batch_size, learning_rate=0.01 * (i + 1))
        NetworkClassifier("Dense[7] Tanh", trainer=rule, dtype="float32").fit(X[:n], y[:n])
        if i == 0:
            assert compiled
        else:
            assert not compiled
        compiled.clear()


def test_blocks_of_a_large_set_give_what_one_block_gives(monkeypatch):
    from sklearn_zorb.trainers.gradient import batches

    X, y = load_digits(return_X_y=True)
    rule = Backprop(max_epochs=3, batch_size=100)
    one = NetworkClassifier("Dense[7] Tanh", trainer=rule, dtype="float64", random_state=0)
    one.fit(X, y)
    monkeypatch.setattr(batches, "BLOCK_BYTES", 4 * 100 * 64 * 8)
    many = NetworkClassifier("Dense[7] Tanh", trainer=rule, dtype="float64", random_state=0)
    many.fit(X, y)
    np.testing.assert_allclose(many.params_[1]["weights"], one.params_[1]["weights"])


def test_early_stopping_keeps_the_best_params():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 20)), rng.integers(2, size=80)
    rule = Backprop(early_stopping=True, validation_fraction=0.25, learning_rate=0.05, patience=5)
    model = NetworkClassifier(trainer=rule, random_state=0).fit(X, y)
    losses = [entry["validation_loss"] for entry in model.history_]
    assert model.status_ == "converged" and len(losses) < 50
    assert int(np.argmin(losses)) < len(losses) - 1
    assert log_loss(y, model.predict_proba(X)) > 0.05  # pure noise was not learned by heart


@pytest.mark.parametrize("weighted", [False, True])
def test_every_row_held_out_counts_the_same(weighted, monkeypatch):
    from sklearn_zorb.trainers.gradient import batches, trainer

    # two batches: four rows, then one
    monkeypatch.setattr(batches, "FULL_BATCH_ROWS", 4)
    monkeypatch.setattr(batches, "MINI_BATCH_ROWS", 4)
    held = []
    split = trainer.split_rows

    def spy(*args):
        found = split(*args)
        held.append(found[1])
        return found

    monkeypatch.setattr(trainer, "split_rows", spy)
    X, y = load_iris(return_X_y=True)
    weights = np.random.default_rng(0).uniform(0.5, 2, size=150) if weighted else None
    rule = Backprop(early_stopping=True, validation_fraction=5 / 150, max_epochs=1)
    model = NetworkClassifier("Identity", trainer=rule, random_state=0, dtype="float64")
    model.fit(X, y, sample_weight=weights)
    rows, targets, own = held[0]
    probabilities = model.predict_proba(rows[:])
    labels = np.argmax(targets[:], axis=1)
    expected = log_loss(labels, probabilities, sample_weight=own, labels=[0, 1, 2])
    assert model.history_[0]["validation_loss"] == pytest.approx(expected)


@pytest.mark.parametrize("block_bytes", [1, 1e9])
@pytest.mark.parametrize("trainer", [Backprop, RandomBases])
def test_rows_of_a_short_last_batch_count_as_the_others_do(trainer, block_bytes, monkeypatch):
    from sklearn_zorb.trainers.gradient import batches

    # 150 rows in batches of 40, of which the last has 30; each in a block of its own, or all in one
    monkeypatch.setattr(batches, "BLOCK_BYTES", block_bytes)
    X, y = load_iris(return_X_y=True)
    jobs = {"n_jobs": 2} if trainer is RandomBases else {}
    rule = trainer(optimizer="sgd", learning_rate=1e-12, batch_size=40, max_epochs=1, **jobs)
    model = NetworkClassifier("Dense[5] Tanh", trainer=rule, random_state=0, dtype="float64")
    model.fit(X, y)
    expected = log_loss(y, model.predict_proba(X))
    assert model.history_[0]["loss"] == pytest.approx(expected)
    assert model.history_[0]["score"] == pytest.approx(model.score(X, y))


def test_loss_threshold_stops():
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier(trainer=Backprop(tol_loss=0.3), random_state=0).fit(X, y)
    losses = [entry["loss"] for entry in model.history_]
    assert losses[-1] <= 0.3 < losses[-2] and model.status_ == "converged"


def test_divergence_is_told_and_the_params_before_it_are_kept():
    X, y = load_iris(return_X_y=True)
    rule = Backprop("sgd", learning_rate=1e30, max_epochs=50)
    model = NetworkRegressor("Dense[20] ReLU", trainer=rule, random_state=0)
    with pytest.warns(ConvergenceWarning, match="lower learning_rate"):
        model.fit(X, y)
    assert model.status_ == "diverged"
    assert all(np.isfinite(v).all() for own in model.params_ for v in own.values())


def test_schedules():
    np.testing.assert_allclose(
        learning_rates("cosine", 2.0, 0, 4, 4), [2, 1.70710678, 1, 0.29289322]
    )
    np.testing.assert_allclose(learning_rates(lambda share: share, 2.0, 2, 2, 4), [1, 1.5])
    X, y = load_iris(return_X_y=True)
    frozen = Backprop("sgd", learning_rate=0.1, schedule=lambda share: float(share == 0))
    frozen.set_params(max_epochs=5, tol=None)
    a = NetworkClassifier(trainer=frozen, random_state=0).fit(X, y)
    b = NetworkClassifier(trainer=Backprop("sgd", learning_rate=0.1, max_epochs=1), random_state=0)
    np.testing.assert_allclose(a.predict_proba(X), b.fit(X, y).predict_proba(X))


def test_factories_from_optax():
    import optax

    X, y = load_iris(return_X_y=True)
    momentum = {"momentum": 0.9}
    named = Backprop("sgd", learning_rate=0.05, max_epochs=5, optimizer_params=momentum)

    def factory(learning_rate):
        return optax.chain(optax.trace(0.9), optax.scale_by_learning_rate(learning_rate))

    built = Backprop(factory, learning_rate=0.05, max_epochs=5)
    a = NetworkClassifier(trainer=named, random_state=0).fit(X, y)
    b = NetworkClassifier(trainer=built, random_state=0).fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X))


def test_batch_norm_uses_the_batch_and_predicts_with_running_moments():
    X, y = load_iris(return_X_y=True)
    layers = [Dense(8), BatchNorm(), Tanh()]
    model = NetworkClassifier(layers, trainer=Backprop(max_epochs=100, tol=None), random_state=0)
    model.fit(X, y)
    inputs = (X - X.mean(axis=0)) / X.std(axis=0)
    rows = inputs @ model.params_[1]["weights"] + model.params_[1]["intercept"]
    np.testing.assert_allclose(model.params_[2]["mean"], rows.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(model.params_[2]["variance"], rows.var(axis=0), rtol=0.2)
    assert model.score(X, y) > 0.95
    assert not np.allclose(model.params_[2]["scale"], 1)


def test_noise_while_training_only():
    X, y = load_iris(return_X_y=True)
    layers = [Dense(30), Tanh(), Dropout(0.5)]
    model = NetworkClassifier(layers, trainer=Backprop(max_epochs=100), random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    plain = NetworkClassifier("Dense[30] Tanh", trainer=Backprop(max_epochs=100), random_state=0)
    assert not np.allclose(model.predict_proba(X), plain.fit(X, y).predict_proba(X), rtol=1e-3)
    assert model.score(X, y) > 0.9


def test_convolutions():
    X, y = load_digits(return_X_y=True)
    model = NetworkClassifier(
        "Conv2D[4,3] ReLU MaxPool2D[2] Flatten", input_shape=(8, 8, 1),
        trainer=Backprop(max_epochs=15, batch_size=64, learning_rate=1e-2), random_state=0,
    ).fit(X[:1000], y[:1000])  # fmt: skip
    assert model.score(X[1000:], y[1000:]) > 0.85
    assert any(isinstance(layer, Flatten) for _, layer in model.layers_)


def test_composite_layers():
    X, y = load_iris(return_X_y=True)
    from sklearn_zorb.layers import Parallel, ReLU, Skip

    layers = [Skip([Dense(8), Tanh()]), Parallel([[Dense(4), ReLU()], [Dense(4), Tanh()]])]
    model = NetworkClassifier(layers, trainer=Backprop(max_epochs=60), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("name", ["Sign", "Step"])
def test_layers_without_derivative_are_refused_unless_straight_through(name):
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier(f"Dense[30] {name}", trainer=Backprop(), random_state=0)
    with pytest.raises(ValueError, match=rf"{name}.*no derivative.*ZORB.*straight_through=True"):
        model.fit(X, y)
    model.set_params(trainer__straight_through=True).fit(X, y)
    before = NetworkClassifier(
        f"Dense[30] {name}", random_state=0,
        trainer=Backprop(learning_rate=1e-300, max_epochs=1, straight_through=True),
    ).fit(X, y)  # fmt: skip
    assert not np.allclose(model.params_[1]["weights"], before.params_[1]["weights"])
    assert model.score(X, y) > 0.9


def test_loss_follows_from_task_and_final_activation():
    from sklearn_zorb.layers import Sigmoid, Softmax

    assert loss_name("multiclass", ()) == "cross_entropy"
    assert loss_name("multiclass", (Sigmoid(),)) == "logistic"
    assert loss_name("binary", (Softmax(),)) == "cross_entropy"
    assert loss_name("binary", ()) == "logistic"
    assert loss_name("regression", (Sigmoid(),)) == "squared"


def test_layers_that_are_solved_are_refused():
    from sklearn.tree import DecisionTreeRegressor

    from sklearn_zorb.layers import EstimatorLayer, Skip

    X, y = load_iris(return_X_y=True)
    layer = EstimatorLayer(DecisionTreeRegressor())
    match = r"\(EstimatorLayer\) is solved.*trainer=ZORB"
    with pytest.raises(ValueError, match=match):
        NetworkClassifier([Dense(4), layer]).fit(X, y)
    with pytest.raises(ValueError, match=match), pytest.warns(UserWarning, match="left-out"):
        NetworkClassifier([Skip([Dense(4), layer])]).fit(X, y)
