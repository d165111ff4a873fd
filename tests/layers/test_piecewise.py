"""Ramps between quantiles against interpolation, and against splines of degree one."""

import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import initial as fitted
from layer_calls import inverted
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import SplineTransformer

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import PiecewiseLinear

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

RNG = np.random.default_rng(0)
X = np.column_stack(
    [RNG.normal(size=300), RNG.lognormal(8, 3, size=300), RNG.integers(3, size=300)]
)


def test_ramps_are_interpolations_between_quantiles():
    layer, new = PiecewiseLinear(5), X[::3] * 1.1 - 0.3
    params = fitted(layer, X)
    outputs = layer.forward(params, new).reshape(100, 3, 5)
    for j in range(2):
        knots = np.quantile(X[:, j], np.arange(6) / 5, method="inverted_cdf")
        np.testing.assert_array_equal(params["knots"][j], knots)
        for b in range(5):
            expected = np.interp(new[:, j], knots[b : b + 2], [0, 1])
            np.testing.assert_allclose(outputs[:, j, b], expected, atol=1e-12)
    # three values make two ramps
    np.testing.assert_array_equal(params["knots"][2], [0, 1, 2, 2, 2, 2])
    np.testing.assert_array_equal(outputs[:, 2, 2:], 0)


def test_their_read_out_is_a_spline_of_degree_one():
    layer = PiecewiseLinear(6)
    column, y = X[:, :1], np.sin(2 * X[:, 0])
    params = fitted(layer, column)
    splines = SplineTransformer(degree=1, knots=params["knots"].T).fit(column)
    ours = LinearRegression().fit(layer.forward(params, column), y)
    theirs = LinearRegression().fit(splines.transform(column), y)
    np.testing.assert_allclose(
        ours.predict(layer.forward(params, column)), theirs.predict(splines.transform(column))
    )


def test_inverse_is_exact_within_the_knots_and_stays_there_outside():
    layer = PiecewiseLinear(4)
    params = fitted(layer, X)
    back, _ = inverted(layer, params, layer.forward(params, X))
    np.testing.assert_allclose(back, X)
    far = inverted(layer, params, np.full((1, 12), 7.0))[0]
    np.testing.assert_allclose(far[0], X.max(axis=0))


def test_weights_are_copies_and_zero_weights_are_absent():
    weights = RNG.integers(0, 4, size=300)
    layer = PiecewiseLinear(7)
    weighted = fitted(layer, X, weights.astype(float))["knots"]
    np.testing.assert_array_equal(weighted, fitted(layer, np.repeat(X, weights, axis=0))["knots"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_and_constant_columns_give_numbers_between_zero_and_one(dtype):
    big = np.finfo(dtype).max
    inputs = np.array(
        [[0, 5, -big / 4, 1], [1e-30, 5, 0, 1 + 1e-9], [2e-30, 5, big / 4, 2]], dtype=dtype
    )
    layer = PiecewiseLinear(3)
    outputs = layer.forward(fitted(layer, inputs), np.vstack([inputs, -inputs, 2 * inputs]))
    assert outputs.dtype == dtype and outputs.min() == 0 and outputs.max() == 1
    np.testing.assert_array_equal(outputs[:, 3:6], 0)


def test_many_rows_are_sampled():
    column = np.random.default_rng(0).normal(size=(200_000, 1))
    knots = fitted(PiecewiseLinear(4), column)["knots"]
    # ends are those of the rows drawn; quartiles are within a few standard errors
    np.testing.assert_allclose(knots[0, 1:4], [-0.6745, 0, 0.6745], atol=0.05)


def test_a_broken_line_is_found():
    x = np.linspace(-3, 3, 200)[:, None]
    model = ZORBRegressor("PiecewiseLinear[12]", readout="last").fit(x, np.abs(x[:, 0]))
    assert model.score(x, np.abs(x[:, 0])) > 0.999


def test_errors():
    layer = PiecewiseLinear()
    with pytest.raises(ValueError, match=r"Flatten\(\)"):
        layer.output_shape((4, 4, 1))
    sparse = sp.csr_matrix(X)
    with pytest.raises(ValueError, match="dense inputs"):
        fitted(layer, sparse)
    with pytest.raises(ValueError, match="dense inputs"):
        layer.forward(fitted(layer, X), sparse)
