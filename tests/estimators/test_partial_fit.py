"""Learning in batches equals one solve of the read-out on all rows."""

import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from layer_calls import outputs_before
from left_out import left_out_ridge
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_classification
from sklearn.linear_model import Ridge

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor

LAYERS = "Dense[30] Tanh Dense[20] ReLU"
X, Y = load_digits(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def batches(n_rows, size=150):
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def seen_by_the_read_out(model, rows, ends):
    """Rows as they go into the network and the outputs of each of its blocks."""
    return np.hstack([outputs_before(model, rows, count) for count in ends])


@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_equals_ridge_on_all_rows(weighted):
    weights = np.random.default_rng(0).uniform(0, 2, size=len(Y)) if weighted else None
    model = ZORBClassifier(LAYERS, random_state=0)
    for part in batches(len(Y)):
        sample_weight = None if weights is None else weights[part]
        model.partial_fit(X[part], Y[part], classes=range(10), sample_weight=sample_weight)
    last = model.history_[-1]
    assert last["criterion"] == "gcv" and last["rows"] == len(Y)
    rows = seen_by_the_read_out(model, X, (1, 3, 5))
    # relative to the largest of the first batch
    relative = None if weights is None else weights / weights[:150].max()
    reference = Ridge(alpha=last["alpha"]).fit(rows, np.eye(10)[Y], sample_weight=relative)
    np.testing.assert_allclose(model.params_[-1]["weights"], reference.coef_.T, atol=1e-8)
    np.testing.assert_allclose(model.params_[-1]["intercept"], reference.intercept_, atol=1e-7)
    assert model.score(X, Y) > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_hidden_layers_and_scaling_are_those_of_the_first_batch():
    model = ZORBClassifier(LAYERS, random_state=0)
    model.partial_fit(X[:300], Y[:300], classes=range(10))
    alone = ZORBClassifier(LAYERS, random_state=0).fit(X[:300], Y[:300])
    before = [dict(params) for params in model.params_]
    model.partial_fit(X[300:], Y[300:])
    for name in ("mean", "deviation"):
        np.testing.assert_array_equal(model.params_[0][name], alone.params_[0][name])
    for i in (1, 3):
        np.testing.assert_array_equal(model.params_[i]["weights"], before[i]["weights"])
        np.testing.assert_array_equal(model.params_[i]["weights"], alone.params_[i]["weights"])
    assert not np.array_equal(model.params_[-1]["weights"], before[-1]["weights"])


def test_alpha_by_gcv_equals_brute_force():
    model = ZORBClassifier("Dense[10] Tanh", random_state=0, standardize=False)
    for part in batches(600):
        model.partial_fit(X[part], Y[part], classes=range(10))
    rows = seen_by_the_read_out(model, X[:600], (0, 2))
    centred, T = rows - rows.mean(axis=0), np.eye(10)[Y[:600]]
    gram = centred.T @ centred
    grid = 10.0 ** np.arange(-6, 3.25, 0.5) * np.trace(gram) / len(gram)

    def gcv(alpha):
        dof = np.trace(gram @ np.linalg.inv(gram + alpha * np.eye(len(gram))))
        residuals = T - Ridge(alpha=alpha).fit(rows, T).predict(rows)
        return (residuals**2).mean() / (1 - (dof + 1) / 600) ** 2

    assert model.history_[-1]["alpha"] == pytest.approx(min(grid, key=gcv))


def test_regressor_widens_its_range_and_keeps_its_units():
    order = np.argsort(DIABETES[1])  # later batches lie above all earlier ones
    rows, y = DIABETES[0][order], DIABETES[1][order] * 1000
    model = ZORBRegressor("Dense[15] Tanh", alpha=1.0, random_state=0)
    for part in batches(len(y), 100):
        model.partial_fit(rows[part], y[part])
    predicted = model.predict(rows)
    assert predicted.max() > y[:100].max() and model.score(rows, y) > 0.4
    first = y[:100]
    reference = Ridge(alpha=1.0).fit(
        seen_by_the_read_out(model, rows, (1, 3)), (y - first.mean()) / first.std()
    )
    np.testing.assert_allclose(model.params_[-1]["weights"][:, 0], reference.coef_, atol=1e-8)
    low, high = model.predict_interval(rows, coverage=0.9)
    assert ((low <= y) & (y <= high)).mean() > 0.8


@pytest.mark.parametrize("weighted", [False, True])
def test_the_score_is_r2_over_all_rows_judged(weighted):
    """Rows of the first batch by left-out outputs, later ones before they are learned."""
    rows, y = DIABETES
    targets = np.column_stack([y, 3 * y[::-1]])
    weights = np.random.default_rng(0).uniform(1, 2, size=len(y)) if weighted else np.ones(len(y))
    model = ZORBRegressor([], alpha=0.1, standardize=False, clip=False)
    first, *parts = batches(len(y), 40)
    weights = weights / weights[:40].max()
    predicted = list(left_out_ridge(rows[:40], targets[:40], 0.1, weights[:40]))
    model.partial_fit(rows[first], targets[first], sample_weight=weights[first])
    for part in parts:
        predicted.extend(model.predict(rows[part]))
        model.partial_fit(rows[part], targets[part], sample_weight=weights[part])
    errors = weights @ (targets - np.array(predicted)) ** 2
    spread = weights @ (targets - np.average(targets, axis=0, weights=weights)) ** 2
    assert model.loo_score_ == pytest.approx(np.mean(1 - errors / spread))


@pytest.mark.parametrize("size", [1, 5])
def test_the_score_of_small_batches_is_that_of_the_model(size):
    rows, y = DIABETES
    model = ZORBRegressor("Dense[8] Tanh", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in batches(300, size):
            model.partial_fit(rows[part], y[part])
    assert model.loo_score_ == pytest.approx(model.score(rows, y), abs=0.15)


@pytest.mark.parametrize("layers", ["auto", "Dense[8] Tanh Dense Sigmoid", []])
def test_other_lists_learn_in_batches_too(layers):
    model = ZORBClassifier(layers, random_state=0)
    for part in batches(900):
        model.partial_fit(X[part], Y[part], classes=range(10))
    assert model.score(X[900:], Y[900:]) > 0.7


def test_multilabel_and_sparse():
    rows = sp.random(200, 30, density=0.3, random_state=0, format="csr")
    labels = (rows[:, :2].toarray() > 0).astype(int)
    model = ZORBClassifier("Dense[10] Tanh", random_state=0)
    for part in batches(200, 50):
        model.partial_fit(rows[part], labels[part])
    assert model.predict_proba(rows).shape == (200, 2) and model.score(rows, labels) > 0.7


def test_a_class_may_come_late():
    late = np.argsort(Y == 9, kind="stable")
    rows, y = X[late], Y[late]
    model = ZORBClassifier("Dense[60] ReLU", random_state=0)
    for part in batches(len(y), 400):
        model.partial_fit(rows[part], y[part], classes=np.arange(10))
    assert (model.predict(rows[-100:]) == 9).mean() > 0.8
    assert 0.3 < model.loo_score_ < 1


@pytest.mark.parametrize("Estimator", [ZORBClassifier, NetworkClassifier])
def test_bad_batches(Estimator):
    model = Estimator("Dense[8] Tanh")
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, Y)
    model.partial_fit(X, Y, classes=range(10))
    with pytest.raises(ValueError, match="not those of the first call"):
        model.partial_fit(X, Y, classes=range(9))
    with pytest.raises(ValueError, match=r"y holds \[11\]"):
        model.partial_fit(X[:3], [0, 1, 11])
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :5], Y)


def test_models_that_do_not_learn_in_batches():
    for refused, name in (
        (ZORBClassifier("Dense[8] Tanh Dense Softmax"), "layer 'softmax_1'"),
        (ZORBClassifier("Dense[8]", class_weight="balanced"), "class_weight='balanced'"),
        (ZORBRegressor("Dense[4] Trees"), "layer 'trees_1'"),
    ):
        with pytest.raises(AttributeError) as error:
            _ = refused.partial_fit
        assert name in str(error.value.__cause__)
    with pytest.raises(ValueError, match="y has 2 outputs"):
        ZORBRegressor("Dense[8]").partial_fit(X, Y).partial_fit(X, np.column_stack([Y, Y]))


def test_the_unit_of_class_weights_is_nothing_to_batches():
    rows, y = make_classification(1500, 30, weights=[0.8], flip_y=0.2, random_state=1)
    found = []
    for class_weight in ({0: 0.25, 1: 1}, {0: 1, 1: 4}, {0: 10, 1: 40}):
        model = ZORBClassifier("Dense[150] ReLU", class_weight=class_weight, random_state=0)
        for part in (slice(0, 200), slice(200, 400)):
            model.partial_fit(rows[part], y[part], classes=[0, 1])
        shares = model.predict_proba(rows[400:])
        found.append((model.history_[-1]["alpha"], model.loo_score_, shares))
    for alpha, score, shares in found[1:]:
        assert (alpha, score) == pytest.approx(found[0][:2])
        np.testing.assert_allclose(shares, found[0][2], atol=1e-8)
    assert found[0][1] < 0.85


@pytest.mark.parametrize("weights", [(12.0, 12.0), (1e-6, 1e-6), (12.0, None), (None, 1e6)])
def test_batches_of_equal_weights_are_as_honest_as_those_of_none(weights):
    # of very unlike batches the heavier one alone tells anything
    alone = weights == (None, 1e6)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2400, 10))
    y = rows[:, 0] + rng.normal(size=2400)
    plain, weighted = (ZORBRegressor("Dense[100] ReLU", random_state=0) for _ in range(2))
    for part, weight in zip((slice(0, 200), slice(200, 400)), weights, strict=True):
        sample_weight = None if weight is None else np.full(200, weight)
        if not (alone and part.start == 0):
            plain.partial_fit(rows[part], y[part])
        weighted.partial_fit(rows[part], y[part], sample_weight=sample_weight)
    test = rows[400:], y[400:]
    assert weighted.score(*test) > plain.score(*test) - 0.05
    low, high = weighted.predict_interval(rows[400:], 0.9)
    assert ((low <= y[400:]) & (y[400:] <= high)).mean() > 0.85


def test_fit_forgets_the_batches():
    model = ZORBClassifier("Dense[8] Tanh", random_state=0)
    model.partial_fit(X[:200], Y[:200], classes=range(10)).fit(X[:300], Y[:300])
    again = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X[:300], Y[:300])
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    model.partial_fit(X[:200], Y[:200], classes=range(10))
    assert model.history_[-1]["rows"] == 200


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_batches_of_data_frames_bring_no_warning(Estimator):
    pytest.importorskip("pandas")
    rows, y = load_iris(return_X_y=True, as_frame=True)
    model = Estimator("Dense[8] Tanh", random_state=0)
    options = {"classes": [0, 1, 2]} if Estimator is ZORBClassifier else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in (slice(0, None, 2), slice(1, None, 2)):
            model.partial_fit(rows[part], y[part], **options)
    assert list(model.feature_names_in_) == list(rows.columns)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("layers", ["Dense[20] Tanh", [], "auto"])
def test_a_column_that_varies_from_the_second_batch_on_is_learned(layers, form):
    rng = np.random.default_rng(0)
    rows, extra = rng.normal(size=(600, 3)), rng.normal(size=600)
    extra[:200] = 0.0
    both, y = form(np.c_[rows, extra]), rows[:, 0] + 3 * extra
    model = ZORBRegressor(layers, random_state=0)
    for part in batches(600, 200):
        model.partial_fit(both[part], y[part])
    assert model.score(both[200:], y[200:]) > 0.9


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_a_model_loaded_read_only_learns_as_one_that_never_left_memory(Estimator, tmp_path):
    options = {"classes": range(10)} if Estimator is ZORBClassifier else {}
    model = Estimator("Dense[8] Tanh", random_state=0).partial_fit(X[:150], Y[:150], **options)
    joblib.dump(model, tmp_path / "model")
    again = joblib.load(tmp_path / "model", mmap_mode="r")
    for twin in (again, model):
        twin.partial_fit(X[:150], Y[:150]).partial_fit(X[:30], Y[:30])
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.loo_score_ == model.loo_score_
