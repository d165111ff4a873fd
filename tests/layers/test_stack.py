"""The stack: weights beside a general optimiser, left-out outputs, its place in a network."""

import warnings

import numpy as np
import pytest
import scipy.optimize
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_friedman1
from sklearn.linear_model import Ridge

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import (
    Dense,
    Identity,
    Kernel,
    Parallel,
    Skip,
    Stack,
    Standardize,
    Tanh,
    Trees,
)
from sklearn_zorb.layers.honest import LEAK, SplitReadout
from sklearn_zorb.layers.stack import stack_weights


def objective(outputs, Y, weight, shrinkage):
    mean = np.average(Y, axis=0, weights=weight)
    spread = np.mean([np.average((L - mean) ** 2, axis=0, weights=weight).mean() for L in outputs])

    def value(w):
        miss = Y - sum(a * L for a, L in zip(w, outputs, strict=True))
        pull = shrinkage * Y.shape[1] * spread * ((w - 1 / len(w)) ** 2).sum()
        return (weight[:, None] * miss**2).sum() + pull

    return value


@pytest.mark.parametrize("shrinkage", [0.0, 5.0, 1e3])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("n_blocks", [1, 2, 4])
def test_weights_solve_the_constrained_problem(shrinkage, n_targets, n_blocks):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(50, n_targets))
    outputs = [Y * s + rng.normal(size=Y.shape) for s in (0.2, 0.9, 0.5, 0.0)[:n_blocks]]
    weight = rng.uniform(0.5, 2, size=50)
    found = stack_weights(outputs, Y, weight, shrinkage)
    value = objective(outputs, Y, weight, shrinkage)
    reference = scipy.optimize.minimize(
        value,
        np.full(n_blocks, 1 / n_blocks),
        method="SLSQP",
        bounds=[(0, 1)] * n_blocks,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    assert value(found) <= reference.fun + 1e-9
    np.testing.assert_allclose(found, reference.x, atol=2e-4)


def test_strong_shrinkage_gives_equal_weights_and_perfect_blocks_too():
    Y = np.arange(10.0)[:, None]
    np.testing.assert_allclose(stack_weights([Y, 0 * Y], Y, None, 1e9), [0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(stack_weights([Y, Y], Y), [0.5, 0.5])
    constant = np.ones((10, 1))
    np.testing.assert_allclose(stack_weights([constant] * 2, constant), [0.5, 0.5])


def test_linear_block_is_ridge_and_its_outputs_are_left_out():
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:60], y[:60]
    model = ZORBRegressor([Stack([[Identity()]])], alpha=3.0, clip=False).fit(X, y)
    Z = (X - X.mean(0)) / X.std(0)
    reference = Ridge(alpha=3.0).fit(Z, y)
    np.testing.assert_allclose(model.predict(X), reference.predict(Z))
    errors = []
    for i in range(60):
        keep = np.delete(np.arange(60), i)
        errors.append(y[i] - Ridge(alpha=3.0).fit(Z[keep], y[keep]).predict(Z[[i]])[0])
    expected = 1 - np.mean(np.square(errors)) / y.var()
    assert model.loo_score_ == pytest.approx(expected)


def test_output_is_the_weighted_sum_of_the_blocks():
    X, y = load_iris(return_X_y=True)
    blocks = [[Identity()], [Kernel(50)], [Trees(20)]]
    model = ZORBClassifier([Stack(blocks)], random_state=0).fit(X, y)
    params = model.params_[-1]
    stack, Z = model.layers_[-1][1], model.layers_[0][1].forward(model.params_[0], X)
    total = 0
    for k, weight in enumerate(params["block_weights"]):
        alone = {**params, "block_weights": np.eye(3)[k]}
        total = total + weight * stack.forward(alone, Z)
    np.testing.assert_allclose(model._outputs(X), total)
    assert model.history_[-1]["block_weights"] == params["block_weights"].tolist()


def test_blocks_with_hidden_layers_get_their_targets():
    X, y = make_friedman1(300, random_state=0)
    stack = Stack([[Dense(40), Tanh(), Dense(40), Tanh()], [Trees(30), Dense(8), Tanh()]])
    model = ZORBRegressor([stack], random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.7


def test_noise_stays_noise():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 6)), rng.normal(size=150)
    layers = [Stack([[Identity()], [Kernel(150)], [Trees(50)]])]
    assert ZORBRegressor(layers, random_state=0).fit(X, y).loo_score_ < 0.1


def test_it_stands_after_hidden_layers_and_scalers_inside_see_their_outputs():
    X, y = make_friedman1(300, random_state=0)
    layers = [Dense(30), Tanh(), Stack([[Standardize()], [Trees(30)]])]
    model = ZORBRegressor(layers, random_state=0, n_sweeps=3).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.5
    scaler = model.params_[-1]["branch_1"]["0"]
    hidden = model._network.hidden
    rows = X[:200]
    for layer, own in zip(hidden, model.params_, strict=False):
        rows = layer.forward(own, rows)
    np.testing.assert_allclose(scaler["mean"], rows.mean(axis=0), atol=1e-8)


def test_images_keep_their_shape():
    from sklearn_zorb.layers import Conv2D, Flatten, ReLU

    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 16))
    y = X[:, :4].sum(axis=1) > 0
    stack = Stack([[Conv2D(3, 2), ReLU(), Flatten()], [Flatten(), Trees(20)]])
    model = ZORBClassifier([stack], input_shape=(4, 4, 1), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8


def test_names_text_and_clone():
    model = ZORBRegressor([Stack([[Kernel(30)], [("woods", Trees())]])])
    model.set_params(stack_1__kernel_1__reweight=0, stack_1__woods__n_estimators=7)
    params = clone(model).get_params()
    assert params["stack_1__woods"].n_estimators == 7
    text = ZORBRegressor("Stack[shrinkage=2.0](Identity | Kernel[20] | Trees[9])", random_state=0)
    X, y = make_friedman1(50, random_state=0)
    assert text.fit(X, y).layers_[-1][1].shrinkage == 2.0
    assert text.layers == "Stack[shrinkage=2.0](Identity | Kernel[20] | Trees[9])"


def test_read_out_on_all_blocks_keeps_left_out_columns_apart():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 4)), rng.normal(size=150)
    layers = [Dense(140, relaxation=0), Tanh(), Trees(50)]
    model = ZORBRegressor(layers, random_state=0).fit(X, y)
    assert type(model.layers_[-1][1]) is SplitReadout
    assert model.layers_[-1][1].split == 144
    assert model.params_[-1]["weights"].shape == (145, 1)
    assert model.loo_score_ < 0.1
    # no tree, no split
    assert type(ZORBRegressor([Dense(4), Tanh()]).fit(X, y).layers_[-1][1]) is Dense


def test_split_read_out_is_linear_and_scores_what_it_predicts():
    X, y = make_friedman1(300, random_state=0)
    model = ZORBRegressor([Dense(30), Tanh(), Trees(30)], random_state=0, n_sweeps=2)
    model.fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) == pytest.approx(model.loo_score_, abs=0.1)


@pytest.mark.parametrize("joint", [Skip([Trees(5)]), Parallel([[Trees(5)], [Identity()]])])
def test_mixed_columns_are_warned_of(joint):
    X, y = make_friedman1(50, random_state=0)
    with pytest.warns(UserWarning, match="blocks of a Stack"):
        ZORBRegressor([joint]).fit(X, y)
    assert "loo_score_" in LEAK
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ZORBRegressor([Stack([[Trees(20)], [Identity()]])]).fit(X, y)
        ZORBRegressor([Dense(4), Tanh(), Trees(20)]).fit(X, y)


def test_errors_name_what_to_do():
    X, y = make_friedman1(30, random_state=0)
    with pytest.raises(ValueError, match="may only stand last"):
        Stack([[Identity()]]).output_shape((3,))
    with pytest.raises(ValueError, match="at least one"):
        ZORBRegressor([Stack([])]).fit(X, y)
    with pytest.raises(ValueError, match="Parallel has no branches: pass at least one"):
        ZORBRegressor([Parallel([])]).fit(X, y)
    with pytest.raises(ValueError, match="units=None"):
        ZORBRegressor([Stack([[Trees(5, units=3)]])]).fit(X, y)
    with pytest.raises(ValueError, match="shrinkage"):
        ZORBRegressor([Stack([[Identity()]], shrinkage=-1)]).fit(X, y)


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


def test_predicting_many_rows_counts_the_width_inside_blocks():
    X, y = make_friedman1(300, random_state=0)
    model = ZORBRegressor([Stack([[Kernel(250)], [Dense(7), Tanh()]])], random_state=0)
    model.fit(X, y)
    assert model._network.working_width() >= 250 + 14
    small = clone(model).set_params(memory_limit="100KB").fit(X, y)
    np.testing.assert_allclose(small.predict(X), model.predict(X), rtol=1e-6)
