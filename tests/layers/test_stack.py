"""The stack: weights beside a general optimiser, left-out outputs, its place in a network."""

import warnings

import numpy as np
import pytest
import scipy.optimize
from layer_calls import outputs_before
from left_out import left_out_ridge
from sklearn.datasets import load_diabetes, load_iris, make_friedman1
from sklearn.linear_model import Ridge

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, Identity, Kernel, Stack, Tanh, Trees

X, y = make_friedman1(300, random_state=0)


def best_weights(outputs, Y, shrinkage):
    """By a general optimiser: weights of outputs, above zero and of sum one, pulled together."""
    spread = np.mean([((L - Y.mean(axis=0)) ** 2).mean() for L in outputs])

    def value(w):
        miss = Y - sum(a * L for a, L in zip(w, outputs, strict=True))
        pull = shrinkage * Y.shape[1] * spread * ((w - 1 / len(w)) ** 2).sum()
        return (miss**2).sum() + pull

    count = len(outputs)
    return scipy.optimize.minimize(
        value, np.full(count, 1 / count), method="SLSQP", bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    ).x  # fmt: skip


@pytest.mark.parametrize("shrinkage", [0.0, 5.0, 1e9])
@pytest.mark.parametrize("n_targets", [1, 3])
def test_weights_solve_the_constrained_problem(shrinkage, n_targets):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    Y = np.sin(X) @ rng.normal(size=(3, n_targets)) + 0.3 * rng.normal(size=(50, n_targets))
    blocks = [[Identity()], [Dense(6), Tanh()], [Dense(9), Tanh()], [Dense(4), Tanh()]]
    params, whole = (
        ZORBRegressor(
            [Stack(blocks, shrinkage=pull)], alpha=0.5, relaxation=0, standardize=False,
            random_state=0,
        ).fit(X, Y).params_[-1]
        for pull in (shrinkage, 1e9)
    )  # fmt: skip
    rows = [X]
    for k in (2, 3, 4):
        # drawn alike for any shrinkage, and kept where all blocks have weight
        dense, tanh, _ = whole[f"branch_{k}"].values()
        rows.append(Tanh().forward(tanh, X @ dense["weights"] + dense["intercept"]))
    expected = best_weights(
        [left_out_ridge(H, Y, 0.5).reshape(Y.shape) for H in rows], Y, shrinkage
    )
    np.testing.assert_allclose(params["block_weights"], expected, atol=2e-4)
    assert params["block_weights"].min() >= 0
    assert params["block_weights"].sum() == pytest.approx(1)


def test_perfect_blocks_share_the_weight():
    X = np.arange(10.0)[:, None]
    for y in (X[:, 0], np.ones(10)):
        model = ZORBRegressor("Stack(Identity | Identity)", alpha=1e-9).fit(X, y)
        np.testing.assert_allclose(model.params_[-1]["block_weights"], [0.5, 0.5], atol=1e-6)


def test_linear_block_is_ridge_and_its_outputs_are_left_out():
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:60], y[:60]
    model = ZORBRegressor([Stack([[Identity()]])], alpha=3.0, clip=False).fit(X, y)
    Z = (X - X.mean(0)) / X.std(0)
    np.testing.assert_allclose(model.predict(X), Ridge(alpha=3.0).fit(Z, y).predict(Z))
    expected = 1 - np.mean((left_out_ridge(Z, y, 3.0) - y) ** 2) / y.var()
    assert model.loo_score_ == pytest.approx(expected)


def test_output_is_the_weighted_sum_of_the_blocks():
    X, y = load_iris(return_X_y=True)
    blocks = [[Identity()], [Kernel(50)], [Trees(20)]]
    model = ZORBRegressor([Stack(blocks)], clip=False, random_state=0).fit(X, y)
    params, stack, Z = model.params_[-1], model.layers_[-1][1], outputs_before(model, X)
    total = 0
    for k, weight in enumerate(params["block_weights"]):
        alone = {**params, "block_weights": np.eye(3)[k]}
        total = total + weight * stack.forward(alone, Z)
    np.testing.assert_allclose(model.predict(X), total[:, 0] * y.std() + y.mean())
    assert model.history_[-1]["block_weights"] == params["block_weights"].tolist()


def test_blocks_with_hidden_layers_get_their_targets():
    stack = Stack([[Dense(40), Tanh(), Dense(40), Tanh()], [Trees(30), Dense(8), Tanh()]])
    model = ZORBRegressor([stack], random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.7


def test_noise_stays_noise():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 6)), rng.normal(size=150)
    layers = [Stack([[Identity()], [Kernel(150)], [Trees(50)]])]
    assert ZORBRegressor(layers, random_state=0).fit(X, y).loo_score_ < 0.1


def test_it_stands_after_hidden_layers_and_scalers_inside_see_their_outputs():
    layers = "Dense[30] Tanh Stack(Standardize | Trees[30])"
    model = ZORBRegressor(layers, random_state=0, n_sweeps=3).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.5
    rows = outputs_before(model, X[:200])
    scaler = model.params_[-1]["branch_1"]["0"]
    np.testing.assert_allclose(scaler["mean"], rows.mean(axis=0), atol=1e-8)


def test_images_keep_their_shape():
    X = np.random.default_rng(0).normal(size=(100, 16))
    y = X[:, :4].sum(axis=1) > 0
    layers = "Stack(Conv2D[3, 2] ReLU Flatten | Flatten Trees[20])"
    model = ZORBClassifier(layers, input_shape=(4, 4, 1), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8


def test_read_out_on_all_blocks_keeps_left_out_columns_apart():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 4)), rng.normal(size=150)
    layers = [Dense(140, relaxation=0), Tanh(), Trees(50)]
    model = ZORBRegressor(layers, random_state=0).fit(X, y)
    # one ridge on all columns would say that noise is predicted
    assert model.loo_score_ < 0.1
    # a line for each column: rows, units of the Dense layer and the one of trees
    assert model.params_[-1]["weights"].shape == (145, 1)


def test_split_read_out_is_linear_and_scores_what_it_predicts():
    model = ZORBRegressor([Dense(30), Tanh(), Trees(30)], random_state=0, n_sweeps=2, clip=False)
    model.fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) == pytest.approx(model.loo_score_, abs=0.1)
    rows = np.hstack([outputs_before(model, X, k) for k in (1, 3, 4)])
    line = np.linalg.lstsq(np.c_[rows, np.ones(300)], model.predict(X), rcond=None)[0]
    np.testing.assert_allclose(np.c_[rows, np.ones(300)] @ line, model.predict(X), atol=1e-6)


@pytest.mark.parametrize("joint", ["Skip(Trees[5])", "Parallel(Trees[5] | Identity)"])
def test_mixed_columns_are_warned_of(joint):
    X, y = make_friedman1(50, random_state=0)
    with pytest.warns(UserWarning, match="loo_score_.*blocks of a Stack|blocks of a Stack"):
        ZORBRegressor(joint).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ZORBRegressor([Stack([[Trees(20)], [Identity()]])]).fit(X, y)
        ZORBRegressor([Dense(4), Tanh(), Trees(20)]).fit(X, y)


def test_errors_name_what_to_do():
    X, y = make_friedman1(30, random_state=0)
    for layer, message in (
        (Stack([]), "at least one"),
        (Stack([[Trees(5, units=3)]]), "units=None"),
    ):
        with pytest.raises(ValueError, match=message):
            ZORBRegressor([layer]).fit(X, y)
    with pytest.raises(ValueError, match="may only stand last"):
        Stack([[Identity()]]).output_shape((3,))


@pytest.mark.parametrize(
    "layers",
    [
        "Stack(Trees[3] | Identity) Dense[8] Tanh",
        "Stack(Identity | Dense[4] Stack(Trees[3] | Identity))",
        "Stack(Identity | Skip(Parallel(Stack(Identity) | Tanh)))",
        "Parallel(Stack(Identity) | Identity) Stack(Identity)",
    ],
)
def test_it_stands_last_and_inside_nothing(layers):
    # layers behind it would see outputs that know the targets of training rows
    X, y = make_friedman1(30, random_state=0)
    with pytest.raises(ValueError, match=r"layer '\w+_1' is or holds a Stack.*only stand last"):
        ZORBRegressor(layers, random_state=0).fit(X, y)
