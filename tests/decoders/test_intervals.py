"""Quantiles and prediction intervals: ranks, weights and coverage."""

import numpy as np
import pytest
import scipy.sparse as sp
from left_out import left_out_ridge
from sklearn.datasets import make_friedman1

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.decoders import LeftOutErrors

LINEAR = {"alpha": 1.0, "standardize": False, "clip": False}
LEVELS = (0.01, 0.1, 0.3, 0.5, 0.905, 0.999)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_few_rows_have_the_quantiles_of_left_out_errors(n_outputs):
    X, y = make_friedman1(59, noise=1.0, random_state=0)
    Y = np.stack([y, X[:, 0] ** 2], axis=1)[:, :n_outputs]
    model = ZORBRegressor([], **LINEAR).fit(X, Y if n_outputs > 1 else y)
    errors = Y - left_out_ridge(X, Y, 1.0).reshape(59, -1)
    # a new row counts too: of 59 errors, the i-th has the level i / 60
    expected = np.quantile(errors, LEVELS, axis=0, method="weibull").T
    found = model.predict_quantiles(X, LEVELS) - model.predict(X)[..., None]
    np.testing.assert_allclose(found.reshape(59, n_outputs, -1), np.tile(expected, (59, 1, 1)))


@pytest.mark.parametrize("n_rows", [40, 400])
def test_weights_are_repetition(n_rows):
    X, y = make_friedman1(n_rows, noise=1.0, random_state=0)
    weights = np.random.default_rng(0).integers(1, 5, size=n_rows)
    weighted = ZORBRegressor([], **LINEAR).fit(X, y, sample_weight=weights)
    copied = ZORBRegressor([], **LINEAR).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(
        weighted.predict_quantiles(X, LEVELS), copied.predict_quantiles(X, LEVELS), rtol=1e-7
    )


def covered(model, X, y, coverage):
    """Share of targets inside their intervals."""
    low, high = model.predict_interval(X, coverage)
    return ((low <= y) & (y <= high)).mean()


@pytest.mark.parametrize("layers", ["auto", "Dense[50] Tanh"])
def test_coverage_on_new_rows(layers):
    X, y = make_friedman1(1500, noise=2.0, random_state=0)
    model = ZORBRegressor(layers, random_state=0).fit(X[:300], y[:300])
    for coverage in (0.5, 0.9):
        assert covered(model, X[300:], y[300:], coverage) == pytest.approx(coverage, abs=0.09)


@pytest.mark.parametrize("layers", ["Identity", "Dense[50] ReLU"])
def test_coverage_where_outputs_leave_the_range_of_the_targets(layers):
    # half of the targets lie close above zero, and outputs below
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 5))
    y = np.exp(2 * X[:, 0] + rng.normal(size=3000))
    model = ZORBRegressor(layers, random_state=0).fit(X[:1000], y[:1000])
    free = ZORBRegressor(layers, clip=False, random_state=0).fit(X[:1000], y[:1000])
    assert (free.predict(X) < 0).mean() > 0.1
    for coverage in (0.5, 0.8):
        assert covered(model, X[1000:], y[1000:], coverage) == pytest.approx(coverage, abs=0.05)


@pytest.fixture(scope="module")
def growing():
    """A target whose noise grows with it, skewed to above, and its deviation."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(6000, 3))
    deviation = 0.1 + X[:, 0]
    y = 3 * X[:, 0] + X[:, 1] + deviation * (rng.exponential(size=6000) - 1)
    return X, y, deviation


def test_noise_that_grows_with_the_target(growing):
    X, y, deviation = growing
    model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X[:2000], y[:2000])
    X, y, deviation = X[2000:], y[2000:], deviation[2000:]
    thirds = np.array_split(np.argsort(model.predict(X)), 3)
    for coverage in (0.5, 0.8, 0.95):
        for third in thirds:
            assert covered(model, X[third], y[third], coverage) == pytest.approx(coverage, abs=0.06)
    low, middle, high = model.predict_quantiles(X).T
    assert np.corrcoef(high - low, deviation)[0, 1] > 0.9
    # the median lies nearer to the short tail, as it does in truth
    assert np.median((middle - low) / (high - low)) == pytest.approx(0.27, abs=0.05)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_noise_that_grows_with_a_column(kind):
    """Deviations that the predictions know nothing of, one for each output."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(6000, 5))
    deviations = np.exp(X[:, [2, 3]])
    Y = X[:, :2] + deviations * rng.normal(size=(6000, 2))
    model = ZORBRegressor("Identity", clip=False, random_state=0).fit(kind(X[:2500]), Y[:2500])
    low, high = model.predict_interval(kind(X[2500:]), 0.8)
    inside = (low <= Y[2500:]) & (Y[2500:] <= high)
    for k, deviation in enumerate(deviations[2500:].T):
        ratio = (high - low)[:, k] / (2 * 1.2816 * deviation)
        assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
        assert np.mean(np.abs(ratio - 1)) < 0.15
        for third in np.array_split(np.argsort(deviation), 3):
            assert inside[third, k].mean() == pytest.approx(0.8, abs=0.05)


def test_a_width_that_nothing_tells_of_is_nearly_constant():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    model = ZORBRegressor("Identity", clip=False).fit(X, X[:, 0] + rng.normal(size=400))
    low, high = model.predict_interval(X, 0.8)
    assert np.std(high - low) < 0.15 * np.mean(high - low)


def test_batches_have_one_width(growing):
    X, y, _ = growing
    model = ZORBRegressor("Dense[8] Tanh", clip=False, random_state=0)
    for start in (0, 600, 1200):
        model.partial_fit(X[start : start + 600], y[start : start + 600])
        low, high = model.predict_interval(X[2000:], 0.8)
        np.testing.assert_allclose(high - low, (high - low)[0])
        np.testing.assert_allclose((low + high) / 2, model.predict(X[2000:]))
    assert covered(model, X[2000:], y[2000:], 0.8) == pytest.approx(0.8, abs=0.03)


def test_quantiles_do_not_cross(growing):
    X, y, _ = growing
    model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X[:500], np.round(y[:500]))
    levels = np.linspace(0.001, 0.999, 200)
    values = model.predict_quantiles(X, levels)
    assert (np.diff(values, axis=1) >= 0).all()
    np.testing.assert_array_equal(model.predict_quantiles(X, levels[::-1]), values[:, ::-1])
    np.testing.assert_array_equal(model.predict_quantiles(X, levels[7]), values[:, 7])


def test_units_of_the_target_and_the_order_of_rows_are_nothing(growing):
    X, y, _ = growing
    rows = np.random.default_rng(0).permutation(500)
    values = ZORBRegressor([]).fit(X[:500], y[:500]).predict_quantiles(X[500:], LEVELS)
    scaled = ZORBRegressor([]).fit(X[rows], 1000 * y[rows] - 7).predict_quantiles(X[500:], LEVELS)
    np.testing.assert_allclose(scaled, 1000 * values - 7, rtol=1e-6, atol=1e-3)


def test_rows_that_are_too_many_to_keep():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(60_000, 1))
    residuals = np.exp(outputs) * rng.normal(size=outputs.shape)
    errors = LeftOutErrors(outputs, residuals, None)
    found = errors.quantiles(np.array([[-1.0], [1.0]]), np.array([0.1, 0.9]))[:, 0]
    np.testing.assert_allclose(found, np.exp([[-1], [1]]) * [-1.2816, 1.2816], rtol=0.1)


@pytest.mark.parametrize("n_rows", [2, 3])
def test_a_few_rows(n_rows):
    X = np.arange(2.0 * n_rows).reshape(n_rows, 2)
    values = ZORBRegressor().fit(X, X[:, 0]).predict_quantiles(X)
    assert values.shape == (n_rows, 3) and (np.diff(values) >= 0).all()


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_unit_of_weights_is_nothing_to_a_width(method):
    X, y = make_friedman1(100, noise=1.0, random_state=0)
    shares = np.random.default_rng(0).uniform(0.5, 1.0, size=100)

    def width(weights):
        model = ZORBRegressor("Dense[8] Tanh", random_state=0)
        for rows in [slice(None)] if method == "fit" else [slice(0, 60), slice(60, 100)]:
            getattr(model, method)(X[rows], y[rows], sample_weight=weights[rows])
        low, high = model.predict_interval(X, 0.5)
        return np.median(high - low)

    assert width(1e-3 * shares) == pytest.approx(width(shares), rel=1e-6)


def test_shapes_clip_and_errors():
    X, y = make_friedman1(80, random_state=0)
    model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X, np.stack([y, 2 * y], axis=1))
    low, high = model.predict_interval(X)
    assert low.shape == high.shape == (80, 2)
    assert (low >= [y.min(), 2 * y.min()]).all() and (high <= [y.max(), 2 * y.max()]).all()
    values = model.predict_quantiles(X, (0.05, 0.95))
    np.testing.assert_allclose(values, np.stack([low, high], axis=-1))
    assert model.predict_quantiles(X, 0.5).shape == (80, 2)
    for coverage in (90, "a", None, 0, 1.0, np.nan):
        with pytest.raises(ValueError, match="coverage=.*above 0 and below 1"):
            model.predict_interval(X, coverage)
    for quantiles in (90, "a", None, (0, 0.5), (0.5, 1.0), [np.nan], [], [[0.1, 0.9]]):
        with pytest.raises(ValueError, match="quantiles=.*above 0 and below 1"):
            model.predict_quantiles(X, quantiles)


def test_one_row_says_nothing_of_errors():
    model = ZORBRegressor("Identity").fit([[1.0, 2.0]], [3.0])
    for ask in (model.predict_interval, model.predict_quantiles):
        with pytest.raises(ValueError, match="fitted to n_samples=1"):
            ask([[1.0, 2.0]])
