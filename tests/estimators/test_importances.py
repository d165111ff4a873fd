"""feature_importances_: against other ways to the same numbers, and as tools ask for them."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import Ridge
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler

from sklearn_zorb import NetworkRegressor, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, EstimatorLayer, Kernel, Layer, Stack, Trees
from sklearn_zorb.layers.importances import input_importances

LISTS = ("auto", "Identity", "Dense[64] Tanh", "Kernel[200]", "Trees", "Skip(Dense[40] ReLU)",
         "NormalScores Dense[40] Tanh")  # fmt: skip


def made_up(n_rows=400, n_features=6, seed=0):
    """A line, a wave and a parabola of three columns; the others do nothing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features)) * 10.0 ** np.arange(-2, n_features - 2)
    Z = X / X.std(axis=0)
    y = 2 * Z[:, 1] + np.sin(3 * Z[:, 2]) + Z[:, 4] ** 2 + 0.1 * rng.normal(size=n_rows)
    return X, y


@pytest.mark.parametrize("layers", LISTS)
def test_they_are_shares_and_find_what_counts(layers):
    X, y = made_up()
    found = ZORBRegressor(layers, random_state=0).fit(X, y).feature_importances_
    assert found.shape == (6,)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == 1
    if layers != "Identity":
        assert found[4] > found[[0, 3, 5]].max()


@pytest.mark.parametrize("layers", ["auto", "Kernel[200]"])
def test_columns_that_do_nothing_get_next_to_nothing(layers):
    X, y = made_up()
    X[:, 5] = 7.0
    found = ZORBRegressor(layers, random_state=0).fit(X, y).feature_importances_
    assert found[[0, 3]].max() < 0.01
    assert found[5] == 0


def test_of_a_line_they_are_squared_standardised_coefficients():
    X, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor("Identity", alpha=0.0).fit(X, y)
    squares = Ridge(1e-8).fit(StandardScaler().fit_transform(X), y).coef_ ** 2
    np.testing.assert_allclose(model.feature_importances_, squares / squares.sum(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["laplace", "laplace_l1", "gaussian"])
@pytest.mark.parametrize("units", [100, 150])
def test_of_a_kernel_they_are_mean_squared_changes(kind, units):
    X, y = made_up(150)
    y = np.column_stack([y, X[:, 0]])
    layers = [Kernel(units, kind=kind)]
    model = ZORBRegressor(layers, readout="last", clip=False, random_state=0).fit(X, y)
    X = model.params_[1]["landmarks"] * X.std(axis=0) + X.mean(axis=0)
    outputs, expected = model.model_.outputs(X), []
    for j in range(X.shape[1]):
        total = 0.0
        for shift in range(units):
            changed = X.copy()
            changed[:, j] = np.roll(X[:, j], shift)
            total += ((model.model_.outputs(changed) - outputs) ** 2).sum()
        expected.append(total)
    expected = np.array(expected) / np.sum(expected)
    np.testing.assert_allclose(model.feature_importances_, expected, atol=0.05)


def test_of_a_forest_they_are_those_of_scikit_learn():
    X, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor([Stack([[Trees(300)]])], random_state=0).fit(X, y)
    forest = RandomForestRegressor(300, max_features=0.5, random_state=0).fit(X, y)
    expected = forest.feature_importances_
    np.testing.assert_allclose(model.feature_importances_, expected, atol=0.02)


def test_boosting_counts_a_group_of_one_hot_columns_as_one():
    X, y = made_up(600)
    bins = KBinsDiscretizer(5, encode="onehot-dense", strategy="uniform")
    X = np.hstack([X[:, :1], bins.fit_transform(X[:, 1:2]), X[:, 2:]])
    model = ZORBRegressor([Stack([[Trees(kind="boosting")]])], random_state=0).fit(X, y)
    found = model.feature_importances_
    assert np.ptp(found[1:6]) == pytest.approx(0, abs=1e-12)
    assert found[1:6].sum() > 0.5


def test_a_stack_goes_by_the_weights_of_its_blocks():
    X, y = made_up()
    model = ZORBRegressor("Stack(Identity | Kernel[200])", random_state=0).fit(X, y)
    alone = ZORBRegressor("Stack(Kernel[200])", random_state=0).fit(X, y)
    weights = model.params_[-1]["block_weights"]
    assert weights[1] > 0.9
    gap = np.abs(model.feature_importances_ - alone.feature_importances_).max()
    assert gap < 0.1


@pytest.mark.parametrize("layers", ["auto", "Kernel[200]", "Identity"])
def test_columns_in_another_order_have_theirs_in_that_order(layers):
    X, y = made_up()
    order = np.array([3, 5, 0, 1, 4, 2])
    model = ZORBRegressor(layers, random_state=0)
    found = clone(model).fit(X, y).feature_importances_
    moved = clone(model).fit(X[:, order], y).feature_importances_
    np.testing.assert_allclose(moved, found[order], atol=1e-4 if layers == "Identity" else 0.06)


@pytest.mark.parametrize("layers", ["auto", "Dense[20] Tanh", [EstimatorLayer(Ridge())]])
def test_classes_labels_outputs_and_sparse_rows(layers):
    X, y = made_up()
    Y = np.column_stack([y > y.mean(), X[:, 3] > 0]).astype(int)
    three = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    cases = [
        (ZORBClassifier, X, three),
        (ZORBClassifier, X, Y),
        (ZORBRegressor, X, np.column_stack([y, X[:, 3]])),
        (ZORBRegressor, sp.csr_matrix(np.where(X > 0, X, 0)), y),
    ]
    for make, rows, targets in cases:
        if make is ZORBClassifier and isinstance(layers, list):
            continue
        found = make(layers, random_state=0).fit(rows, targets).feature_importances_
        assert found.shape == (6,)
        assert found.sum() == pytest.approx(1)
        assert found.argmax() in (1, 3)


def test_networks_trained_by_gradients_have_them_too():
    X, y = made_up()
    model = NetworkRegressor("Dense[32] Tanh", random_state=0).fit(X, y)
    assert model.feature_importances_.argmax() == 1


def test_there_are_none_before_a_fit():
    assert not hasattr(ZORBRegressor(), "feature_importances_")


class Doubled(Layer):
    """Twice its input."""

    def forward(self, params, inputs, *, rng=None):
        return 2 * inputs

    def invert(self, params, targets, inputs, context):
        return targets / 2


def test_layers_of_users_are_measured_or_bring_a_rule():
    X, y = made_up()
    plain = ZORBRegressor("Identity", readout="last").fit(X, y).feature_importances_
    model = ZORBRegressor([Doubled()], readout="last").fit(X, y)
    np.testing.assert_allclose(model.feature_importances_, plain, atol=1e-4)
    input_importances.register(Doubled, lambda layer, params, above, input_shape: 2 * above)
    np.testing.assert_allclose(model.feature_importances_, plain, atol=1e-4)


def with_noise(load):
    """A data set with ten columns of noise behind its own."""
    X, y = load(return_X_y=True)
    return np.hstack([X, np.random.default_rng(0).normal(size=(len(X), 10))]), y, X.shape[1]


@pytest.mark.parametrize("layers", ["auto", "Dense[32] Tanh"])
def test_select_from_model_leaves_out_noise(layers):
    X, y, n_own = with_noise(load_breast_cancer)
    chosen = SelectFromModel(ZORBClassifier(layers, random_state=0)).fit(X, y).get_support()
    assert chosen[:n_own].sum() >= 5
    assert not chosen[n_own:].any()


def test_recursive_elimination_leaves_out_noise():
    X, y, n_own = with_noise(load_diabetes)
    model = ZORBRegressor("fast", random_state=0)
    chosen = RFE(model, n_features_to_select=4, step=8).fit(X, y).get_support()
    # body mass index and blood serum measurement five are what everybody finds
    assert chosen[[2, 8]].all()
    assert not chosen[n_own:].any()


def test_dense_weights_multiply():
    rng = np.random.default_rng(0)
    params = {"weights": rng.normal(size=(3, 2))}
    above = rng.normal(size=(2, 4))
    found = input_importances(Dense(2), params, above, (3,))
    np.testing.assert_allclose(found, params["weights"] @ above)
    with pytest.raises(NotImplementedError, match="linear read-out"):
        input_importances(Dense(2), params, np.ones(2), (3,))
