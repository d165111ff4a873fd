"""Dense against NumPy's pseudoinverse and scikit-learn's ridge regression."""

import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import inverted, solved
from sklearn.linear_model import Ridge

from sklearn_zorb.layers import Dense

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.normal(size=(60, 3))


def setup(units=3, **options):
    layer = Dense(units, **options)
    return layer, layer.init(np.random.default_rng(1), (4,))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_forward_is_a_product_and_an_intercept(form):
    layer, params = setup()
    params["intercept"] = np.arange(3.0)
    expected = X @ params["weights"] + params["intercept"]
    np.testing.assert_allclose(layer.forward(params, form(X)), expected)
    assert layer.output_shape((4,)) == (3,)


@pytest.mark.parametrize("deficient", [False, True])
@pytest.mark.parametrize("units", [3, 4, 6, 40])
def test_invert_is_the_minimum_norm_solution(units, deficient):
    layer, params = setup(units)
    if deficient:
        params["weights"][0] = params["weights"][1]
        params["weights"][:, 0] = params["weights"][:, 1]
    targets = RNG.normal(size=(9, units))
    expected = (targets - params["intercept"]) @ np.linalg.pinv(params["weights"])
    np.testing.assert_allclose(inverted(layer, params, targets)[0], expected, atol=1e-10)


def test_invert_cuts_singular_values_at_backward_rcond():
    layer, params = setup(4)
    left, _, right = np.linalg.svd(params["weights"])
    params["weights"] = left @ np.diag([1.0, 0.5, 0.1, 1e-3]) @ right
    targets = RNG.normal(size=(9, 4))
    found, _ = inverted(layer, params, targets, backward_rcond=0.2)
    inverse = np.linalg.pinv(params["weights"], rcond=0.2)
    np.testing.assert_allclose(found, (targets - params["intercept"]) @ inverse, atol=1e-10)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_solve_is_ridge_regression(form, use_bias):
    layer, params = setup(use_bias=use_bias)
    weights = RNG.integers(1, 4, size=60).astype(float)
    found = solved(layer, params, form(X), Y, alpha=2.0, sample_weight=weights).params
    expected = Ridge(2.0, fit_intercept=use_bias).fit(X, Y, sample_weight=weights)
    np.testing.assert_allclose(found["weights"], expected.coef_.T, atol=1e-9)
    np.testing.assert_allclose(
        found["intercept"], np.broadcast_to(expected.intercept_, 3), atol=1e-9
    )


@pytest.mark.parametrize("alpha", ["loo", 1.0])
def test_targets_that_repeat_are_solved_as_any_others(alpha):
    """Fewer distinct rows than units: weights of low rank."""
    layer, params = setup(8)
    values, codes = RNG.normal(size=(3, 8)), RNG.integers(3, size=60)
    thin = solved(layer, params, X, values, codes=codes, alpha=alpha).params
    full = solved(layer, params, X, values[codes], alpha=alpha).params
    for name in ("weights", "intercept"):
        np.testing.assert_allclose(thin[name], full[name], rtol=1e-7, atol=1e-10)


def test_own_penalty_takes_precedence():
    layer, params = setup(alpha=5.0)
    found = solved(layer, params, X, Y, alpha=0.1).params
    np.testing.assert_allclose(found["weights"], Ridge(5.0).fit(X, Y).coef_.T, atol=1e-9)
