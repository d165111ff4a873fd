"""scikit-learn's estimators as layers: out-of-fold outputs and what goes with them."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_friedman1, make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, TargetEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Context, Dense, EstimatorLayer, Stack, Tanh
from sklearn_zorb.layers.cross_fit import fold_numbers, with_random_state
from sklearn_zorb.targets import Targets
from sklearn_zorb.testing import check_layer

FOLDS = KFold(3, shuffle=True, random_state=0)
CONTINUOUS = TargetEncoder(target_type="continuous", cv=FOLDS)


def solve(layer, X, Y, **changes):
    Y = np.asarray(Y, dtype=float).reshape(len(X), -1)
    targets = Targets(Y)
    context = Context(rng=np.random.default_rng(0), y=Y, y_targets=targets)
    if layer.width_from_targets:
        layer.set_params(units=layer.units or Y.shape[1])
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    return layer.solve(params, X, targets, context.replace(**changes))


def test_each_row_is_predicted_by_the_models_of_the_other_folds():
    X, y = make_friedman1(60, random_state=0)
    layer = EstimatorLayer(DecisionTreeRegressor(random_state=0), cv=4)
    solved = solve(layer, X, y)
    rng = np.random.default_rng(0).spawn(2)[0]
    folds = fold_numbers(60, 4, rng)
    expected = np.empty(60)
    trees = []
    for k in range(4):
        tree = DecisionTreeRegressor(random_state=0).fit(X[folds != k], y[folds != k])
        expected[folds == k] = tree.predict(X[folds == k])
        trees.append(tree)
    np.testing.assert_allclose(solved.outputs[:, 0], expected)
    mean = np.mean([tree.predict(X) for tree in trees], axis=0)
    np.testing.assert_allclose(layer.forward(solved.params, X)[:, 0], mean)


def test_folds_are_even_and_stratified():
    codes = np.repeat([0, 1, 2], [50, 30, 11])
    folds = fold_numbers(91, 5, np.random.default_rng(0), codes)
    for code in range(3):
        counts = np.bincount(folds[codes == code], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(fold_numbers(92, 5, np.random.default_rng(0)))) == 1


def test_outputs_of_noise_are_worth_nothing():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(200, 4)), rng.integers(3, size=200)
    layer = EstimatorLayer(DecisionTreeClassifier())
    model = ZORBClassifier([Stack([[layer]])], random_state=0).fit(X, labels)
    assert model.loo_score_ < 0.42
    score = solve(EstimatorLayer(DecisionTreeRegressor()), X, labels).outputs[:, 0]
    assert abs(np.corrcoef(score, labels)[0, 1]) < 0.2


@pytest.mark.parametrize("estimator", [LogisticRegression(), GaussianNB(), KNeighborsClassifier()])
def test_classifiers_hand_on_probabilities(estimator):
    X, y = load_iris(return_X_y=True)
    for labels in (y, y > 0):
        model = ZORBClassifier([Stack([[EstimatorLayer(estimator)]])], random_state=0)
        assert model.fit(X, labels).score(X, labels) > 0.93
        assert model._outputs(X).min() >= 0


def test_multilabel_and_softmax_columns():
    X, Y = make_multilabel_classification(120, n_labels=2, n_classes=4, random_state=0)
    layer = EstimatorLayer(RandomForestClassifier(20))
    model = ZORBClassifier([Stack([[layer]])], random_state=0).fit(X, Y)
    assert model.predict_proba(X).shape == (120, 4)
    assert model.score(X, Y) > 0.6
    model = ZORBClassifier([EstimatorLayer(GaussianNB()), Dense(4), Tanh()], random_state=0).fit(
        X, Y[:, 0]
    )
    assert model.score(X, Y[:, 0]) > 0.7


def test_a_class_that_a_fold_misses():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 4, [[9, 9]]])
    y = np.repeat([0, 1, 2], [20, 20, 1])
    model = ZORBClassifier([Stack([[EstimatorLayer(GaussianNB(var_smoothing=0.1))]])],
                           random_state=0).fit(X, y)  # fmt: skip
    assert np.isfinite(model.predict_proba(X)).all()
    y = np.repeat([0, 1], [40, 1])
    model.set_params(layers=[Stack([[EstimatorLayer(LogisticRegression())]])]).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_regressors_of_one_column_are_fitted_to_each():
    X, y = make_friedman1(100, random_state=0)
    from sklearn.ensemble import GradientBoostingRegressor

    layer = EstimatorLayer(GradientBoostingRegressor(n_estimators=10, random_state=0), units=2)
    solved = solve(layer, X, np.stack([y, -y], axis=1))
    outputs = layer.forward(solved.params, X)
    np.testing.assert_allclose(outputs[:, 0], -outputs[:, 1], atol=1e-6)


def test_transformers_hand_on_what_fit_transform_gives():
    X = np.random.default_rng(0).integers(8, size=(200, 3)).astype(float)
    y = X[:, 0] % 2
    layer = EstimatorLayer(TargetEncoder(target_type="continuous", cv=3))
    assert layer.output_shape((3,)) == (3,)
    solved = solve(layer, X, y)
    # cross-fitted while training, fitted to all rows afterwards
    assert not np.allclose(solved.outputs, layer.forward(solved.params, X))
    model = ZORBRegressor([layer], standardize=False, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_width_of_a_transformer_is_found_out_or_asked_for():
    assert EstimatorLayer(PCA(2)).output_shape((5,)) == (2,)
    assert EstimatorLayer(PolynomialFeatures(2)).output_shape((4,)) == (15,)
    X = np.arange(20.0)[:, None] % 4
    encoder = OneHotEncoder(handle_unknown="ignore")
    with pytest.raises(ValueError, match="units=4"):
        ZORBRegressor([EstimatorLayer(encoder)], standardize=False).fit(X, X[:, 0])
    model = ZORBRegressor([EstimatorLayer(encoder, units=4)], standardize=False)
    assert model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.9


def test_weights_are_repetition_for_the_model():
    X, y = make_friedman1(60, random_state=0)
    heavy = solve(EstimatorLayer(LinearRegression()), X, y, sample_weight=np.full(60, 3.0))
    plain = solve(EstimatorLayer(LinearRegression()), X, y)
    np.testing.assert_allclose(heavy.outputs, plain.outputs)


@pytest.mark.parametrize(
    "estimator", [KNeighborsClassifier(), LogisticRegression(), CONTINUOUS, PCA(2)]
)
def test_whole_weights_are_copies_whether_or_not_the_estimator_takes_weights(estimator):
    X, y = load_iris(return_X_y=True)
    times = np.random.default_rng(0).integers(0, 4, size=150)
    copies = np.repeat(np.arange(150), times)
    model = ZORBClassifier([EstimatorLayer(estimator), Dense(8), Tanh()], random_state=0)
    weighted = model.fit(X, y, sample_weight=times)._outputs(X)
    np.testing.assert_array_equal(model.fit(X[copies], y[copies])._outputs(X), weighted)


def test_copies_that_a_transformer_puts_in_different_folds_are_averaged():
    rng = np.random.default_rng(0)
    X, y = rng.integers(3, size=(40, 2)).astype(float), rng.normal(size=40)
    times = rng.integers(1, 5, size=40)
    copies = np.repeat(np.arange(40), times)
    solved = solve(EstimatorLayer(CONTINUOUS), X, y, sample_weight=times.astype(float))
    every = clone(CONTINUOUS).fit_transform(X[copies], y[copies])
    expected = [every[copies == i].mean(axis=0) for i in range(40)]
    np.testing.assert_allclose(solved.outputs, expected)


def test_one_row_cannot_be_left_out():
    with pytest.raises(ValueError, match="at least 2 distinct rows"):
        ZORBRegressor([EstimatorLayer(Ridge())]).fit(np.ones((5, 2)), np.ones(5))


def test_parameters_of_the_estimator_go_through_the_names():
    model = ZORBRegressor([EstimatorLayer(Ridge())])
    model.set_params(estimatorlayer_1__estimator__alpha=7.0)
    assert model.get_params()["estimatorlayer_1__estimator__alpha"] == 7.0


def test_random_states_are_drawn_once_and_jobs_do_not_matter():
    X, y = load_iris(return_X_y=True)
    copy = with_random_state(RandomForestClassifier(), np.random.default_rng(0))
    assert isinstance(copy.random_state, int)
    assert with_random_state(Ridge(random_state=3), np.random.default_rng(0)).random_state == 3
    layers = [Stack([[EstimatorLayer(RandomForestClassifier(5))]])]
    fits = [ZORBClassifier(layers, n_jobs=n, random_state=0).fit(X, y) for n in (None, 2)]
    np.testing.assert_array_equal(fits[0].predict_proba(X), fits[1].predict_proba(X))


def test_contract():
    check_layer(EstimatorLayer(Ridge(), units=2), (3,), exact_inverse=False)
    check_layer(EstimatorLayer(PCA(2)), (3,), exact_inverse=False)


def test_errors_name_what_to_do():
    X, y = make_friedman1(40, random_state=0)
    with pytest.raises(ValueError, match="wrap a regressor"):
        ZORBRegressor([EstimatorLayer(GaussianNB())]).fit(X, y)
    with pytest.raises(TypeError, match="CalibratedClassifierCV"):
        ZORBClassifier([EstimatorLayer(LinearSVC())]).fit(X, y > y.mean())
    with pytest.raises(ValueError, match="takes no sample_weight"):
        ZORBClassifier([EstimatorLayer(KNeighborsClassifier())]).fit(
            X, y > y.mean(), sample_weight=np.arange(1, 41) / 2
        )
    with pytest.raises(ValueError, match="leave units=None"):
        ZORBClassifier([EstimatorLayer(GaussianNB(), units=3)]).fit(X, y > y.mean())
    with pytest.raises(TypeError, match="takes an estimator"):
        ZORBClassifier([EstimatorLayer("ridge")]).fit(X, y > y.mean())
