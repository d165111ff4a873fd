"""Weights of linear lists, and tools that explain models, on tables as they are."""

import numpy as np
import pytest
from golden import CLASSES, TYPED, X, Y
from scipy.stats import spearmanr
from sklearn.datasets import load_diabetes
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.linear_model import Ridge

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense
from sklearn_zorb.trainers import Backprop

NUMBERS = np.column_stack([Y, 100 * Y**2])
LABELS = np.column_stack([Y > -2, Y > -1.5]).astype(int)
LINEAR = (
    "Identity", "Dense[3]", "Dense[3] BatchNorm Dropout Dense[2]", "NormalScores[ratio=9]",
    "Skip(Dense[2]) Standardize", "Stack(Identity | Dense[2] Dense[2])",
)  # fmt: skip


@pytest.mark.parametrize("y", [Y, NUMBERS], ids=["one", "two"])
@pytest.mark.parametrize("layers", LINEAR)
def test_weights_give_predictions(layers, y):
    # far from zero, of unlike spread, and one that never varies
    rows = np.column_stack([X * [1.0, 100.0, 0.01] + [0.0, 1e4, 3.0], np.full(len(X), 7.0)])
    model = ZORBRegressor(layers, clip=False, random_state=0).fit(rows, y)
    assert model.coef_.shape == (*np.shape(y)[1:], 4)
    assert np.shape(model.intercept_) == np.shape(y)[1:]
    rows[::3, 3] = 8.0
    expected = model.predict(rows)
    found = rows @ model.coef_.T + model.intercept_
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(
    "model, y",
    [
        (ZORBClassifier("Dense[3]"), Y > -2),
        (ZORBClassifier("Dense[3]"), CLASSES),
        (ZORBClassifier("Dense[3]"), LABELS),
        (NetworkClassifier("Dense[3]", trainer=Backprop(max_epochs=2)), Y > -2),
    ],
    ids=["binary", "multiclass", "multilabel", "logits"],
)
def test_weights_give_signed_scores(model, y):
    model.set_params(random_state=0).fit(X, y)
    scores = model.decision_function(X).reshape(len(X), -1)
    assert model.coef_.shape == (scores.shape[1], 3) and model.intercept_.shape == scores.shape[1:]
    np.testing.assert_allclose(X @ model.coef_.T + model.intercept_, scores, atol=1e-6)


def test_weights_are_those_of_ridge_regression():
    model = ZORBRegressor("Identity", readout="last", alpha=2.0, standardize=False).fit(X, Y)
    ridge = Ridge(alpha=2.0).fit(X, Y)
    np.testing.assert_allclose(model.coef_, ridge.coef_)
    assert model.intercept_ == pytest.approx(ridge.intercept_)


@pytest.mark.parametrize(
    "model, rows, layer",
    [
        (ZORBRegressor("Dense[3] Tanh"), X, "Tanh"),
        (ZORBRegressor("Standardize[clip=3]"), X, "Standardize"),
        (ZORBRegressor("fast"), X, "PiecewiseLinear"),
        (ZORBRegressor("Identity"), TYPED, "Encode"),
        (ZORBRegressor([type("Own", (Dense,), {})(3)]), X, "Own"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_other_lists_have_no_weights(model, rows, layer):
    model.fit(rows, Y)
    assert not hasattr(model, "coef_") and not hasattr(model, "intercept_")
    with pytest.raises(AttributeError, match=rf"linear in the columns only, which {layer}\("):
        _ = model.coef_


def test_no_weights_where_a_discriminant_decides(rng):
    rows = np.sort(rng.uniform(-1, 1, size=(200, 1)), axis=0)
    model = ZORBClassifier("Identity").fit(rows, np.digitize(rows[:, 0], [-0.3, 0.3]))
    with pytest.raises(AttributeError, match="discriminant"):
        _ = model.coef_


def test_models_are_functions():
    model = ZORBRegressor("Dense[3] Tanh", random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model(X), model.predict(X))
    model = ZORBClassifier("Dense[3] Tanh", random_state=0).fit(X, CLASSES)
    np.testing.assert_array_equal(model(X), model.predict_proba(X))


def raw_table(rng, n_rows=150):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({
        "city": rng.choice(["Bonn", "Rome", "Oslo"], n_rows), "size": rng.normal(size=n_rows),
        "noise": rng.normal(size=n_rows),
    })  # fmt: skip
    y = 2.0 * (frame["city"] == "Rome") + frame["size"]
    frame["size"] = frame["size"].mask(rng.random(n_rows) < 0.1)
    return frame, y.to_numpy()


def test_partial_dependence_on_a_raw_table(rng):
    pytest.importorskip("matplotlib")
    frame, y = raw_table(rng)
    model = ZORBRegressor("fast", random_state=0).fit(frame, y)
    found = partial_dependence(model, frame, ["city"], categorical_features=["city"])
    means = dict(zip(found["grid_values"][0], found["average"][0], strict=True))
    assert means["Rome"] - means["Bonn"] == pytest.approx(2.0, abs=0.5)
    features = ["city", "size", ("size", "noise")]
    shown = PartialDependenceDisplay.from_estimator(
        model, frame, features, categorical_features=["city"], grid_resolution=5
    )
    assert shown.axes_.size == 3


def test_importances_agree_with_permutation_importance(rng):
    frame, y = raw_table(rng)
    model = ZORBRegressor("fast", random_state=0).fit(frame, y)
    shuffled = permutation_importance(model, frame, y, n_repeats=3, random_state=0)
    assert model.feature_importances_.argmin() == shuffled.importances_mean.argmin() == 2
    table, target = load_diabetes(return_X_y=True)
    model = ZORBRegressor("fast", random_state=0).fit(table, target)
    shuffled = permutation_importance(model, table, target, n_repeats=3, random_state=0)
    assert spearmanr(model.feature_importances_, shuffled.importances_mean)[0] > 0.8


def test_shap_of_a_linear_list_is_exact():
    shap = pytest.importorskip("shap")
    model = ZORBRegressor("Dense[3]", clip=False, random_state=0).fit(X, Y)
    explainer = shap.Explainer(model, X)
    assert type(explainer).__name__ == "LinearExplainer"
    np.testing.assert_allclose(explainer(X).values, (X - X.mean(axis=0)) * model.coef_, atol=1e-10)


def test_shap_of_any_list_adds_up():
    shap = pytest.importorskip("shap")
    model = ZORBClassifier("fast", random_state=0).fit(X, CLASSES)
    found = shap.Explainer(model, X[:20])(X[:3])
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, model.predict_proba(X[:3]), atol=1e-6)
