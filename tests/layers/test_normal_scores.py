"""Normal scores against SciPy's ranks, and where they are taken."""

import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import by_jax, inverted, outputs_before
from layer_calls import initial as fitted
from scipy.stats import norm, rankdata
from sklearn.preprocessing import QuantileTransformer

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import NormalScores

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=200)
# symmetric, log-normal, log-normal with zeros, pixels, two values, constant but for one row
X = np.column_stack([
    NORMAL, np.exp(2.5 * NORMAL) - 3, np.where(NORMAL > 0.4, np.exp(6 * NORMAL), 0),
    np.where(RNG.random(200) < 0.26, RNG.integers(1, 256, size=200), 0), RNG.integers(2, size=200),
    np.arange(200) == 7,
])  # fmt: skip
LONG = [1, 2]


def tail(column):
    """Standard deviations in robust ones, of the values that are not zero."""
    values = column[column != 0]
    low, high = np.quantile(values, [0.25, 0.75], method="inverted_cdf")
    return values.std() / ((high - low) / 1.3489795003921634)


def test_scores_of_few_rows_are_those_of_their_ranks():
    layer, before = NormalScores(), X.copy()
    params = fitted(layer, X)
    assert params["columns"].tolist() == LONG
    outputs = layer.forward(params, X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(np.delete(outputs, LONG, 1), np.delete(X, LONG, 1))
    for j in LONG:
        shares = (rankdata(X[:, j]) - 0.5) / len(X)
        np.testing.assert_allclose(outputs[:, j], norm.ppf(shares), rtol=1e-12, atol=1e-12)
    # outside of what was seen nothing goes on
    far = layer.forward(params, np.array([[1e9] * 6, [-1e9] * 6]))
    np.testing.assert_allclose(far[0, LONG], outputs.max(axis=0)[LONG])
    np.testing.assert_allclose(far[1, LONG], outputs.min(axis=0)[LONG])


def test_between_knots_they_are_close_to_all_ranks():
    column = np.exp(3 * RNG.normal(size=(5000, 1)))
    layer = NormalScores()
    params = fitted(layer, column)
    n_knots = params["knots"].shape[1]
    assert (np.diff(params["knots"]) >= 0).all() and n_knots < 5000
    assert len(np.unique(params["knots"])) > n_knots / 2
    ours = layer.forward(params, column)
    theirs = QuantileTransformer(n_quantiles=5000, output_distribution="normal").fit_transform
    inner = np.abs(ours) < 3
    assert np.abs(ours - theirs(column))[inner].max() < 0.05


def test_the_ratio_says_what_is_long():
    # of continuous columns one value or another is the most common one
    for j, slack in ((1, 0.05), (2, 1e-9), (3, 1e-9)):
        column, ratio = X[:, j : j + 1], tail(X[:, j])
        assert len(fitted(NormalScores((1 - slack) * ratio), column)["columns"]) == 1
        assert len(fitted(NormalScores((1 + slack) * ratio), column)["columns"]) == 0
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    assert fitted(NormalScores(0), constant)["columns"].tolist() == list(range(6))


def test_inverse_is_exact_within_the_range_and_stays_there_outside():
    layer = NormalScores()
    params = fitted(layer, X)
    back, _ = inverted(layer, params, layer.forward(params, X))
    np.testing.assert_allclose(back, X, rtol=1e-9, atol=1e-12)
    far = inverted(layer, params, np.array([[800.0] * 6, [-800.0] * 6]))[0]
    np.testing.assert_allclose(far[0, LONG], X.max(axis=0)[LONG])
    np.testing.assert_allclose(far[1, LONG], X.min(axis=0)[LONG])
    np.testing.assert_array_equal(far[:, 0], [800, -800])


def test_weights_are_copies_and_zero_weights_are_absent():
    weights = RNG.integers(0, 4, size=200)
    weighted = fitted(NormalScores(), X, weights.astype(float))
    repeated = fitted(NormalScores(), np.repeat(X, weights, axis=0))
    for name, value in repeated.items():
        np.testing.assert_allclose(weighted[name], value, rtol=1e-12, atol=1e-14)


def test_the_same_in_jax():
    layer = NormalScores()
    params = fitted(layer, X)
    found, back = by_jax(layer, params, X)
    np.testing.assert_allclose(found, layer.forward(params, X), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(back, X, rtol=1e-9, atol=1e-9)


def test_many_rows_are_sampled():
    column = np.exp(3 * RNG.normal(size=(200_000, 1)))
    scores = NormalScores().forward(fitted(NormalScores(), column), column)
    assert abs(scores.mean()) < 0.05 and abs(scores.std() - 1) < 0.05


def test_rows_that_others_hand_on_are_ranked_chunk_by_chunk():
    layers = "Conv2D[2, (1, 3)] Flatten Stack(NormalScores[0] | Identity)"
    model = ZORBRegressor(layers, input_shape=(1, 6, 1), memory_limit="20KB", random_state=0)
    model.fit(X, NORMAL)
    rows = outputs_before(model, X)
    expected = fitted(NormalScores(0), rows)
    params = model.params_[-1]["branch_1"]["0"]
    for name, value in expected.items():
        np.testing.assert_allclose(params[name], value, rtol=1e-9, atol=1e-12)


def test_constant_columns_and_single_rows_stay():
    assert not len(fitted(NormalScores(), np.full((30, 2), 7.0))["columns"])
    assert not len(fitted(NormalScores(0), X[:1])["columns"])


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match="do without the layer"):
        ZORBRegressor("NormalScores Dense[5] Tanh", standardize=False).fit(sp.csr_array(X), NORMAL)
    with pytest.raises(ValueError, match=r"Flatten\(\)"):
        ZORBRegressor("NormalScores Flatten", input_shape=(6, 1, 1)).fit(X, NORMAL)


def test_a_kernel_sees_the_bulk_of_log_normal_columns():
    Z = RNG.normal(size=(600, 3))
    y = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 2]
    inputs = np.exp(3 * Z)
    scores = {
        text: ZORBRegressor(text, readout="last", standardize=False, random_state=0)
        .fit(inputs[:400], y[:400])
        .score(inputs[400:], y[400:])
        for text in ("Standardize Kernel[400]", "NormalScores Kernel[400]")
    }
    plain, ranked = scores.values()
    assert ranked > plain + 0.1 and ranked > 0.9


@pytest.mark.parametrize("tiny", [1e-12, 1e-17, 1e-200])
def test_a_tiny_weight_in_a_tail_has_a_score(tiny):
    column = np.exp(5 * NORMAL)
    weights = np.where(column == column.max(), tiny, 1.0)
    params = fitted(NormalScores(), column[:, None], weights)
    scores = NormalScores().forward(params, column[:, None])[:, 0]
    # half of its weight lies above
    assert scores.max() == pytest.approx(norm.isf(tiny / 2 / weights.sum()))
