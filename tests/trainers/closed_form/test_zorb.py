"""The training rule against recorded weights of the published code and a plain transcription."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from layer_calls import inverted, outputs_before
from scipy.special import softmax
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.linear_model import Ridge

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, ReLU, Sigmoid, Softmax, Tanh
from sklearn_zorb.trainers import ZORB

X, y = load_iris(return_X_y=True)
RECORDED = Path(__file__).parents[2] / "data" / "recorded_weights.npz"
PUBLISHED = {
    "relaxation": 1, "alpha": 0, "rcond": 1e-15, "backward_rcond": 1e-15, "readout": "last",
    "standardize": False,
}  # fmt: skip


def fixed(weights):
    """An initialiser that returns recorded weights."""
    return lambda rng, shape: weights


@pytest.mark.parametrize(
    "case, tolerance", [("case0", 5e-2), ("case3", 1e-2), ("case4", 1e-6)],
    ids=["boston", "breast_cancer", "wine"],
)  # fmt: skip
def test_published_rule_gives_the_recorded_weights(case, tolerance):
    with np.load(RECORDED) as archive:
        recorded = {
            name.split("/")[1]: archive[name] for name in archive.files if name.startswith(case)
        }
    first, last = recorded["W_init_0"], recorded["W_init_1"]
    layers = [
        Dense(first.shape[1], initializer=fixed(first)),
        Sigmoid(),
        Dense(initializer=fixed(last)),
    ]
    if str(recorded["output_activation"]) == "sigmoid":
        layers.append(Sigmoid())
    X, Y = recorded["X"], recorded["Y"]
    if case == "case0":
        model = ZORBRegressor(layers, clip=False, **PUBLISHED).fit(X, Y[:, 0])
    else:
        labels = Y[:, 0].astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)
        model = ZORBClassifier(layers, **PUBLISHED).fit(X, labels)
    params = model.params_[0]
    solved = np.vstack([params["weights"], params["intercept"]])
    expected = recorded["W_final_0"]
    assert np.abs(solved - expected).max() <= 1e-6 * np.abs(expected).max()
    ranges = [float(model.params_[1][name]) for name in ("low", "high")]
    np.testing.assert_allclose(ranges, recorded["scales"][0], rtol=1e-6)
    outputs = outputs_before(model, X, len(model.layers_)).reshape(recorded["pred"].shape)
    if case == "case0":
        np.testing.assert_allclose(model.predict(X), outputs[:, 0])
    error = np.linalg.norm(outputs - recorded["pred"]) / np.linalg.norm(recorded["pred"])
    assert error <= tolerance


def transcription(X, Y, weights, activations):
    """The published sweep for sigmoid and linear layers, literally: pinv of [X, 1] a layer."""
    margin, weights, H = 1e-5, [w.copy() for w in weights], X
    ranges = [None] * len(weights)
    for i in range(len(weights)):
        T = Y
        for j in range(len(weights) - 1, i - 1, -1):
            if activations[j]:
                low, high = T.min(), T.max()
                ranges[j] = low, high
                unit = (T - low) / (high - low) * (1 - 2 * margin) + margin
                T = np.log(unit / (1 - unit))
            if j > i:
                T = (T - weights[j][-1]) @ np.linalg.pinv(weights[j][:-1])
        rows = np.column_stack([H, np.ones(len(H))])
        weights[i] = np.linalg.pinv(rows) @ T
        H = rows @ weights[i]
        if activations[i]:
            low, high = ranges[i]
            unit = 1 / (1 + np.exp(-H))
            H = (unit - margin) / (1 - 2 * margin) * (high - low) + low
    return weights, H


def test_deep_sweep_equals_the_plain_transcription():
    rng = np.random.default_rng(0)
    widths = [4, 6, 5, 3]
    weights = [
        rng.uniform(-1, 1, size=(a + 1, b)) for a, b in zip(widths, widths[1:], strict=False)
    ]
    layers = [
        Dense(6, initializer=fixed(weights[0])), Sigmoid(),
        Dense(5, initializer=fixed(weights[1])), Sigmoid(), Dense(initializer=fixed(weights[2])),
    ]  # fmt: skip
    model = ZORBClassifier(layers, **PUBLISHED).fit(X, y)
    expected, outputs = transcription(X, np.eye(3)[y], weights, [True, True, False])
    np.testing.assert_allclose(model.params_[0]["weights"], expected[0][:-1], rtol=1e-6)
    np.testing.assert_allclose(outputs_before(model, X, 5), outputs, atol=1e-4)


@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
def test_relaxed_update(rho):
    """(1 - rho) initial + rho solved, its slopes and its mean brought to the initial scale."""
    options = {"alpha": 2.0, "standardize": False}
    start = np.random.default_rng(1).normal(size=(5, 7))
    layers = [Dense(7, initializer=fixed(start)), Tanh()]

    def fit(relaxation):
        model = ZORBClassifier(layers, relaxation=relaxation, random_state=0, **options)
        params = model.set_params(readout="last").fit(X, y).params_
        return np.vstack([params[0]["weights"], params[0]["intercept"]])

    # what the random read-out and the tanh hand down
    readout = np.random.default_rng(2).normal(size=(8, 3))
    layers.append(Dense(initializer=fixed(readout)))
    T = (np.eye(3)[y] - readout[-1]) @ np.linalg.pinv(readout[:-1])
    T, _ = inverted(Tanh(), {}, T)
    rows = np.column_stack([X, np.ones(150)])
    solved, initial = rows @ fit(1.0), rows @ start
    ridge = Ridge(2.0).fit(X, T)
    np.testing.assert_allclose(solved, ridge.predict(X), atol=1e-8)
    spread = np.sqrt(initial.var(axis=0).mean())
    deviation = (solved - solved.mean(axis=0)) * spread / np.sqrt(solved.var(axis=0).mean())
    mean = solved.mean(axis=0) * min(1, spread / np.sqrt(T.var(axis=0).mean()))
    expected = (1 - rho) * initial + rho * (mean + deviation) if rho < 1 else solved
    np.testing.assert_allclose(rows @ fit(rho), expected, atol=1e-8)


def test_the_read_out_is_never_relaxed_and_sees_every_block():
    options = {"relaxation": 0.0, "alpha": 1.5, "random_state": 0, "standardize": False}
    model = ZORBClassifier("Dense[5] Cos Dense[6] ReLU", **options).fit(X, y)
    first, second = model.params_[0], model.params_[2]
    hidden = np.cos(X @ first["weights"] + first["intercept"])
    last = np.maximum(hidden @ second["weights"] + second["intercept"], 0)
    reference = Ridge(alpha=1.5).fit(np.hstack([X, hidden, last]), np.eye(3)[y])
    np.testing.assert_allclose(model.params_[-1]["weights"], reference.coef_.T, atol=1e-9)
    model.set_params(readout="last").fit(X, y)
    reference = Ridge(alpha=1.5).fit(last, np.eye(3)[y])
    np.testing.assert_allclose(model.params_[-1]["weights"], reference.coef_.T, atol=1e-9)


def test_random_negative_targets_restore_the_rank():
    """With kept negative targets the published rule makes copies of one unit; noise does not."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    ranks = {}
    for kind in ("keep", "uniform"):
        layers = [Dense(8), Tanh(), Dense(6), ReLU(kind)]
        model = ZORBClassifier(layers, relaxation=1.0, alpha=1e-6, random_state=0).fit(X, y)
        weights = model.params_[1]["weights"]
        values = np.linalg.svd(weights, compute_uv=False)
        ranks[kind] = int((values > 1e-8 * values[0]).sum())
    assert ranks == {"keep": 1, "uniform": 6}


def test_softmax_read_out_is_solved_in_log_space():
    layers = [Dense(8), Tanh(), Dense(), Softmax()]
    model = ZORBClassifier(layers, readout="last", random_state=0).fit(X, y)
    expected = softmax(outputs_before(model, X), axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_more_sweeps_never_raise_the_left_out_error(Estimator):
    errors = []
    for n_sweeps in (1, 2, 6):
        model = Estimator("Dense[6] Tanh Dense[5] ReLU", n_sweeps=n_sweeps, random_state=0)
        if Estimator is ZORBRegressor:
            model.set_params(clip=False)  # sweeps are judged before predictions are clipped
        model.fit(X, y)
        assert np.isfinite(model.predict(X)).all()
        errors.append(1 - model.loo_score_)
    if Estimator is ZORBRegressor:
        assert errors[0] >= errors[1] >= errors[2]
    assert len(model.history_) > 3


def test_more_sweeps_find_a_margin():
    """XOR: least squares on 0 and 1 asks settled rows back, sweeps with a margin do not."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(1200, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    scores = [
        ZORBClassifier("Dense[16] Tanh Dense[8] ReLU", n_sweeps=n_sweeps, random_state=0)
        .fit(X[:600], y[:600])
        .score(X[600:], y[600:])
        for n_sweeps in (1, 30)
    ]
    assert scores[1] > scores[0] + 0.005


@pytest.mark.parametrize("rho, gain", [(0.3, 0.0), (0.6, 0.04), (0.9, 0.06)])
@pytest.mark.parametrize("activation", ["Step", "Sign"])
def test_layers_without_derivative_learn_by_relaxation(rho, gain, activation):
    X, y = load_digits(return_X_y=True)
    options = {"readout": "last", "random_state": 0}
    scores = [
        ZORBClassifier(f"Dense[60] {activation}", relaxation=relaxation, **options)
        .fit(X[:900], y[:900])
        .score(X[900:], y[900:])
        for relaxation in (0.0, rho)
    ]
    assert scores[1] > scores[0] + gain


def test_deep_targets_of_any_size_are_brought_to_scale():
    """Ten layers of targets that grow with every inverse: the hidden layers stay alive."""
    X, y = load_digits(return_X_y=True)
    layers = " ".join(f"Dense[{width}] ReLU" for width in range(100, 0, -10))
    model = ZORBClassifier(layers, readout="last", random_state=0).fit(X[:900], y[:900])
    assert model.score(X[900:], y[900:]) > 0.4  # chance is .1


def test_a_layer_without_share_is_not_solved():
    """With a relaxation of 0 nothing is solved but the read-out."""
    for relaxation, solved in ((0.3, ["dense_2", "readout"]), (0, ["readout"])):
        model = ZORBClassifier("Dense[12, relaxation=0] Tanh Dense[6] ReLU", random_state=0)
        model.set_params(relaxation=relaxation).fit(X, y)
        assert [entry["layer"] for entry in model.history_] == solved


def test_random_features_are_kept_only_where_they_are_read():
    """A convolution that is not solved hands its pixels on to the pooling, chunk by chunk."""
    X = np.random.default_rng(0).random((6000, 256)).astype(np.float32)
    y = X[:, 0]
    model = ZORBRegressor(
        "Conv2D[64, 5, relaxation=0] ReLU AvgPool2D[4] Flatten", input_shape=(16, 16, 1),
        standardize=False, readout="last", dtype="float32", random_state=0,
    )  # fmt: skip
    model.fit(X[:200], y[:200])  # what is imported on first need
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.7 * 6000 * 12 * 12 * 64 * 4  # the pixels of every filter, whole


@pytest.mark.quick(2)
@pytest.mark.parametrize("layers", ["Dense[50] Tanh", "Dense[50] ReLU Dense[20] Sigmoid"])
# at 1 hidden weights have the rank of the targets, but for rounding
@pytest.mark.parametrize("relaxation", [0.3, 1.0])
def test_further_sweeps_are_the_same_within_a_memory_limit(layers, relaxation):
    X, y = load_digits(return_X_y=True)
    options = {"n_sweeps": 3, "relaxation": relaxation, "random_state": 0}
    whole = ZORBClassifier(layers, **options).fit(X, y)
    for limit in ("1MB", "300KB"):
        limited = ZORBClassifier(layers, memory_limit=limit, **options).fit(X, y)
        np.testing.assert_allclose(limited.predict_proba(X), whole.predict_proba(X), atol=1e-5)


def test_columns_of_a_readout_that_sum_to_zero_leave_targets_of_later_sweeps_small():
    """What is missing of three classes and more has a part that no input can bring about."""
    X, y = load_digits(return_X_y=True)
    for layers in ("Dense[50] Tanh", "Dense[50] ReLU", "Dense[30] Sigmoid"):
        sizes = [
            np.abs(outputs_before(model.fit(X, y), X, 2)).max()
            for model in (ZORBClassifier(layers, n_sweeps=n, random_state=0) for n in (1, 2))
        ]
        assert sizes[1] < 100 * sizes[0]


def test_as_a_trainer_it_is_the_estimator():
    for rule, options in ((ZORB(relaxation=0.7, alpha=0.1), {"relaxation": 0.7, "alpha": 0.1}),
                         (ZORB(), {})):  # fmt: skip
        a = NetworkClassifier("Dense[20] Tanh", trainer=rule, random_state=0).fit(X, y)
        b = ZORBClassifier("Dense[20] Tanh", readout="last", random_state=0, **options).fit(X, y)
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X))
        np.testing.assert_allclose(a.decision_function(X), b.decision_function(X))
        assert a.loo_score_ == b.loo_score_


def test_extreme_learning_machine_by_hand():
    X, y = load_diabetes(return_X_y=True)
    start = np.random.default_rng(0).normal(size=(11, 30))
    layers, rule = [Dense(30, initializer=fixed(start)), Tanh()], ZORB(relaxation=0, alpha=2.0)
    model = NetworkRegressor(layers, trainer=rule, standardize=False, random_state=0).fit(X, y)
    # the hidden layer is what was drawn; the read-out is ridge regression on it
    np.testing.assert_array_equal(model.params_[0]["weights"], start[:-1])
    H = np.tanh(X @ start[:-1] + start[-1])
    np.testing.assert_allclose(model.predict(X), Ridge(2.0).fit(H, y).predict(H))
