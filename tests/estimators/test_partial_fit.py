"""Learning in batches equals one solve of the read-out on all rows."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_classification
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.estimators.regression import Judged
from sklearn_zorb.layers.rows import side_by_side

LAYERS = "Dense[30] Tanh Dense[20] ReLU"


def batches(n_rows, size=150):
    return [slice(start, start + size) for start in range(0, n_rows, size)]


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


def seen_by_the_read_out(model, X):
    return side_by_side(model._network.tapped(model.params_, X))


@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_equals_ridge_on_all_rows(digits, weighted):
    X, y = digits
    weights = np.random.default_rng(0).uniform(0, 2, size=len(y)) if weighted else None
    model = ZORBClassifier(LAYERS, random_state=0)
    for part in batches(len(y)):
        own = None if weights is None else weights[part]
        model.partial_fit(X[part], y[part], classes=range(10), sample_weight=own)
    last = model.history_[-1]
    assert last["criterion"] == "gcv" and last["rows"] == len(y)
    rows = seen_by_the_read_out(model, X)
    # relative to the largest of the first batch
    relative = None if weights is None else weights / weights[:150].max()
    reference = Ridge(alpha=last["alpha"]).fit(rows, np.eye(10)[y], sample_weight=relative)
    np.testing.assert_allclose(model.params_[-1]["weights"], reference.coef_.T, atol=1e-8)
    np.testing.assert_allclose(model.params_[-1]["intercept"], reference.intercept_, atol=1e-7)
    assert model.score(X, y) > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_hidden_layers_and_scaling_are_those_of_the_first_batch(digits):
    X, y = digits
    model = ZORBClassifier(LAYERS, random_state=0)
    model.partial_fit(X[:300], y[:300], classes=range(10))
    alone = ZORBClassifier(LAYERS, random_state=0).fit(X[:300], y[:300])
    before = [dict(own) for own in model.params_]
    model.partial_fit(X[300:], y[300:])
    for name in ("mean", "deviation"):
        np.testing.assert_array_equal(model.params_[0][name], alone.params_[0][name])
    for i in (1, 3):
        np.testing.assert_array_equal(model.params_[i]["weights"], before[i]["weights"])
        np.testing.assert_array_equal(model.params_[i]["weights"], alone.params_[i]["weights"])
    assert not np.array_equal(model.params_[-1]["weights"], before[-1]["weights"])


def test_alpha_by_gcv_equals_brute_force(digits):
    X, y = digits
    model = ZORBClassifier("Dense[10] Tanh", random_state=0, standardize=False)
    for part in batches(600):
        model.partial_fit(X[part], y[part], classes=range(10))
    rows = seen_by_the_read_out(model, X[:600])
    centred, T = rows - rows.mean(axis=0), np.eye(10)[y[:600]]
    gram = centred.T @ centred
    grid = 10.0 ** np.arange(-6, 3.25, 0.5) * np.trace(gram) / len(gram)

    def gcv(alpha):
        dof = np.trace(gram @ np.linalg.inv(gram + alpha * np.eye(len(gram))))
        residuals = T - Ridge(alpha=alpha).fit(rows, T).predict(rows)
        return (residuals**2).mean() / (1 - (dof + 1) / 600) ** 2

    best = grid[int(np.argmin([gcv(alpha) for alpha in grid]))]
    assert model.history_[-1]["alpha"] == pytest.approx(best)


def test_regressor_widens_its_range_and_keeps_its_units():
    X, y = load_diabetes(return_X_y=True)
    order = np.argsort(y)  # later batches lie above all earlier ones
    X, y = X[order], y[order] * 1000
    model = ZORBRegressor("Dense[15] Tanh", alpha=1.0, random_state=0)
    for part in batches(len(y), 100):
        model.partial_fit(X[part], y[part])
    predicted = model.predict(X)
    assert predicted.max() > y[:100].max() and model.score(X, y) > 0.4
    first = y[:100]
    rows = seen_by_the_read_out(model, X)
    reference = Ridge(alpha=1.0).fit(rows, (y - first.mean()) / first.std())
    np.testing.assert_allclose(model.params_[-1]["weights"][:, 0], reference.coef_, atol=1e-8)
    low, high = model.predict_interval(X, coverage=0.9)
    assert ((low <= y) & (y <= high)).mean() > 0.8


@pytest.mark.parametrize("weighted", [False, True])
def test_the_score_is_r2_over_all_rows_judged(weighted):
    X, y = load_diabetes(return_X_y=True)
    Y = np.column_stack([y, 3 * y[::-1]])
    weights = np.random.default_rng(0).uniform(1, 2, size=len(y)) if weighted else None
    model = ZORBRegressor("Dense[4] Tanh", clip=False, random_state=0)
    predicted, first, *parts = [], *batches(len(y), 40)
    own = None if weights is None else weights[first]
    errors = model.partial_fit(X[first], Y[first], sample_weight=own)._judged.errors
    for part in parts:
        predicted.append(model.predict(X[part]))
        own = None if weights is None else weights[part]
        model.partial_fit(X[part], Y[part], sample_weight=own)
    weights = np.ones(len(y)) if weights is None else weights / weights[:40].max()
    errors = errors + weights[40:] @ (Y[40:] - np.vstack(predicted)) ** 2
    spread = weights @ (Y - np.average(Y, axis=0, weights=weights)) ** 2
    assert model.loo_score_ == pytest.approx(np.mean(1 - errors / spread))


def test_the_score_of_fit_is_that_of_scikit_learn():
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).uniform(1, 2, size=len(y))
    Y, judged = np.column_stack([y, 0 * y, y**2]), Judged()
    for part in batches(len(y)):
        judged = judged.extend(Y[part], 0.9 * Y[part] + 1, weights[part])
    expected = r2_score(Y, 0.9 * Y + 1, sample_weight=weights)
    assert judged.score() == pytest.approx(expected)


@pytest.mark.parametrize("size", [1, 5])
def test_the_score_of_small_batches_is_that_of_the_model(size):
    X, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor("Dense[8] Tanh", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in batches(len(y), size):
            model.partial_fit(X[part], y[part])
    assert model.loo_score_ == pytest.approx(model.score(X, y), abs=0.15)


@pytest.mark.parametrize("layers", ["auto", "Dense[8] Tanh Dense Sigmoid", []])
def test_other_lists_learn_in_batches_too(digits, layers):
    X, y = digits
    model = ZORBClassifier(layers, random_state=0)
    for part in batches(900):
        model.partial_fit(X[part], y[part], classes=range(10))
    assert model.score(X[900:], y[900:]) > 0.7


def test_multilabel_and_sparse():
    X = sp.random(200, 30, density=0.3, random_state=0, format="csr")
    Y = np.column_stack([X[:, 0].toarray().ravel() > 0, X[:, 1].toarray().ravel() > 0]).astype(int)
    model = ZORBClassifier("Dense[10] Tanh", random_state=0)
    for part in batches(200, 50):
        model.partial_fit(X[part], Y[part])
    assert model.predict_proba(X).shape == (200, 2) and model.score(X, Y) > 0.7


def test_a_class_may_come_late(digits):
    X, y = digits
    late = np.argsort(y == 9, kind="stable")
    X, y = X[late], y[late]
    model = ZORBClassifier("Dense[60] ReLU", random_state=0)
    for part in batches(len(y), 400):
        model.partial_fit(X[part], y[part], classes=np.arange(10))
    assert (model.predict(X[-100:]) == 9).mean() > 0.8
    assert 0.3 < model.loo_score_ < 1


def test_errors(digits):
    X, y = digits
    model = ZORBClassifier("Dense[8] Tanh")
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, y)
    model.partial_fit(X, y, classes=range(10))
    with pytest.raises(ValueError, match="not those of the first call"):
        model.partial_fit(X, y, classes=range(9))
    with pytest.raises(ValueError, match=r"\[11\], which are not among"):
        model.partial_fit(X[:3], [0, 1, 11])
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :5], y)
    for refused, name in (
        (ZORBClassifier("Dense[8] Tanh Dense Softmax"), "layer 'softmax_1'"),
        (ZORBClassifier("Dense[8]", class_weight="balanced"), "class_weight='balanced'"),
        (ZORBRegressor("Dense[4] Trees"), "layer 'trees_1'"),
    ):
        with pytest.raises(AttributeError) as error:
            _ = refused.partial_fit
        assert name in str(error.value.__cause__)
    with pytest.raises(ValueError, match="y has 2 outputs"):
        ZORBRegressor("Dense[8]").partial_fit(X, y).partial_fit(X, np.column_stack([y, y]))


def test_the_unit_of_class_weights_is_nothing_to_batches():
    X, y = make_classification(1500, 30, weights=[0.8], flip_y=0.2, random_state=1)
    found = []
    for own in ({0: 0.25, 1: 1}, {0: 1, 1: 4}, {0: 10, 1: 40}):
        model = ZORBClassifier("Dense[150] ReLU", class_weight=own, random_state=0)
        for part in (slice(0, 200), slice(200, 400)):
            model.partial_fit(X[part], y[part], classes=[0, 1])
        found.append((model.history_[-1]["alpha"], model.loo_score_, model.predict_proba(X[400:])))
    for alpha, score, shares in found[1:]:
        assert (alpha, score) == pytest.approx(found[0][:2])
        np.testing.assert_allclose(shares, found[0][2], atol=1e-8)
    assert found[0][1] < 0.85


@pytest.mark.parametrize("weights", [(12.0, 12.0), (1e-6, 1e-6), (12.0, None), (None, 1e6)])
def test_batches_of_equal_weights_are_as_honest_as_those_of_none(weights):
    # of very unlike batches the heavier one alone tells anything
    alone = weights == (None, 1e6)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2400, 10))
    y = X[:, 0] + rng.normal(size=2400)
    plain, weighted = (ZORBRegressor("Dense[100] ReLU", random_state=0) for _ in range(2))
    for part, weight in zip((slice(0, 200), slice(200, 400)), weights, strict=True):
        own = None if weight is None else np.full(200, weight)
        if not (alone and part.start == 0):
            plain.partial_fit(X[part], y[part])
        weighted.partial_fit(X[part], y[part], sample_weight=own)
    test = X[400:], y[400:]
    assert weighted.score(*test) > plain.score(*test) - 0.05
    low, high = weighted.predict_interval(X[400:], 0.9)
    assert ((low <= y[400:]) & (y[400:] <= high)).mean() > 0.85


def test_fit_forgets_the_batches(digits):
    X, y = digits
    model = ZORBClassifier("Dense[8] Tanh", random_state=0)
    model.partial_fit(X[:200], y[:200], classes=range(10)).fit(X[:300], y[:300])
    again = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X[:300], y[:300])
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    model.partial_fit(X[:200], y[:200], classes=range(10))
    assert model.history_[-1]["rows"] == 200


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_batches_of_data_frames_bring_no_warning(Estimator):
    pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = Estimator("Dense[8] Tanh", random_state=0)
    options = {"classes": [0, 1, 2]} if Estimator is ZORBClassifier else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in (slice(0, None, 2), slice(1, None, 2)):
            model.partial_fit(X[part], y[part], **options)
    assert list(model.feature_names_in_) == list(X.columns)
