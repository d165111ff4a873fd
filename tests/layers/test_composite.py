"""Skip and Parallel: their blocks side by side, forward and back."""

import numpy as np
import pytest
from layer_calls import initial, inverted, outputs_before
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Dense, Identity, LeakyReLU, Parallel, Skip, Stack, Tanh, Trees

X = np.random.default_rng(0).normal(size=(30, 3))


def test_outputs_of_blocks_stand_side_by_side():
    layer = Parallel([[Tanh()], [LeakyReLU(0.5), Tanh()]])
    assert layer.output_shape((3,)) == (6,)
    found = layer.forward(initial(layer, X), X)
    leaky = np.tanh(np.where(X > 0, X, X / 2))
    np.testing.assert_allclose(found, np.hstack([np.tanh(X), leaky]))
    skip = Skip([Tanh()])
    np.testing.assert_allclose(skip.forward(initial(skip, X), X), np.hstack([X, np.tanh(X)]))


@pytest.mark.parametrize(
    "layer", [Skip([LeakyReLU(0.5)]), Parallel([[Identity()], [Dense(3), LeakyReLU(0.5)]])]
)
def test_targets_that_are_reached_are_inverted_exactly(layer):
    params = initial(layer, X)
    found, _ = inverted(layer, params, layer.forward(params, X), X)
    np.testing.assert_allclose(found, X, atol=1e-10)


def test_blocks_are_solved_for_their_share_of_the_targets():
    rows, y = load_diabetes(return_X_y=True)
    options = {"alpha": 1.0, "standardize": False, "readout": "last", "random_state": 0}
    model = ZORBRegressor("Parallel(Dense[5] Tanh | Dense[4, relaxation=0] Tanh)", **options)
    model.fit(rows, y)
    expected = Ridge(1.0).fit(outputs_before(model, rows), y)
    np.testing.assert_allclose(model.params_[-1]["weights"][:, 0], expected.coef_, atol=1e-7)
    start = ZORBRegressor(model.layers, relaxation=0, **options).fit(rows, y)
    weights = [[fitted.params_[0][f"branch_{k}"]["0"]["weights"] for k in (1, 2)]
               for fitted in (start, model)]  # fmt: skip
    assert np.abs(weights[0][0] - weights[1][0]).max() > 0.01
    np.testing.assert_array_equal(weights[0][1], weights[1][1])


def test_no_blocks_are_refused():
    with pytest.raises(ValueError, match="Parallel has no branches: pass at least one"):
        ZORBRegressor([Parallel([])]).fit(X, X[:, 0])


def test_images_are_kept_apart_by_channel_or_refused():
    with pytest.raises(ValueError, match="layer"):
        ZORBRegressor("Parallel(Flatten | Conv2D[2, 2])", input_shape=(1, 3, 1)).fit(X, X[:, 0])
    assert Skip([Dense(4)]).output_shape((3,)) == (7,)


def test_other_blocks_leave_the_other_parameters():
    stack = Stack([[Dense(3)], [Trees(5)]], shrinkage=2.0)
    copy = stack.with_children([[Tanh()], [Trees(7)]])
    assert copy.shrinkage == 2.0 and isinstance(copy.children()[0][0], Tanh)
    assert copy.children()[1][0].n_estimators == 7
