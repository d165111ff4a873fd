"""Every bad input gets an error that names it and says what to pass."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

from sklearn_zorb import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    auto_layers,
)
from sklearn_zorb.estimators import validation
from sklearn_zorb.layers import Conv2D, Dense, Flatten, MaxPool2D, Reshape, Tanh
from sklearn_zorb.trainers import Backprop, DirectFeedbackAlignment, TargetPropagation

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.arange(30) % 3
BOTH = pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])


@BOTH
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite(Estimator, value):
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(ValueError, match="NaN|infinity"):
        Estimator().fit(bad, Y)
    with pytest.raises(ValueError, match="NaN|infinity"):
        Estimator().fit(X, Y).predict(bad)


@BOTH
@pytest.mark.parametrize(
    "rows, targets, match",
    [
        (X[:0], Y[:0], "0 sample"),
        (X[:, :0], Y, "0 feature"),
        (X, Y[:-1], "inconsistent numbers of samples"),
        (X[0], Y, "2D array"),
        (X, None, "y"),
    ],
)
def test_shapes(Estimator, rows, targets, match):
    with pytest.raises(ValueError, match=match):
        Estimator().fit(rows, targets)


@BOTH
@pytest.mark.parametrize(
    "column",
    [["low", "high", "mid"] * 10, list("abc") * 10, np.arange(30).astype("datetime64[s]")],
)
def test_columns_that_are_no_numbers(Estimator, column):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {"size": X[:, 0], "grade": column, "kind": pd.Categorical(list("xyz") * 10)}
    )
    with pytest.raises(ValueError, match=r"\['grade', 'kind'\] hold .*OneHotEncoder"):
        Estimator().fit(frame, Y)
    with pytest.raises(ValueError, match="NaN"):
        Estimator().fit(frame[["size"]].mask(frame[["size"]] > 1), Y)


@pytest.mark.parametrize("name", ["Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Cos", "Sign", "Step"])
@pytest.mark.parametrize(
    "layers", ["{}", "Skip({})", "Stack(Identity | {})", "{} Dense[3] Softmax"]
)
def test_activations_of_sparse_rows(layers, name):
    with pytest.raises(ValueError, match=f"{name} takes dense inputs.*Dense layer in front"):
        ZORBClassifier(layers.format(name)).fit(sp.csr_matrix(X), Y)
    ZORBClassifier(f"Dense[4, initializer=data_pairs] {name}").fit(sp.csr_matrix(X), Y)


def test_one_class():
    with pytest.raises(ValueError, match="one class only, 9; .*at least 2"):
        ZORBClassifier().fit(X, np.full(30, 9))


@pytest.mark.parametrize("Estimator", [ZORBRegressor, NetworkRegressor])
def test_targets_that_are_no_numbers(Estimator):
    for targets in (np.array(["low", "high"] * 15), np.arange(30).astype("datetime64[D]")):
        with pytest.raises(ValueError, match="y holds .* a regressor needs numbers"):
            Estimator().fit(X, targets)
    spelled = Estimator("Dense[4] Tanh", random_state=0).fit(X, Y.astype(str)).predict(X)
    expected = Estimator("Dense[4] Tanh", random_state=0).fit(X, Y).predict(X)
    np.testing.assert_array_equal(spelled, expected)


@BOTH
def test_unfitted_and_other_columns(Estimator):
    for method in ("predict", "predict_interval"):
        if hasattr(Estimator, method):
            with pytest.raises(NotFittedError):
                getattr(Estimator(), method)(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        Estimator().fit(X, Y).predict(X[:, :3])


@BOTH
@pytest.mark.parametrize(
    "weights, match",
    [(-np.ones(30), "[Nn]egative"), (np.zeros(30), "zero"), (np.ones(4), "weight")],
)
def test_weights(Estimator, weights, match):
    with pytest.raises(ValueError, match=match):
        Estimator().fit(X, Y, sample_weight=weights)


@BOTH
@pytest.mark.parametrize(
    "params, match",
    [
        ({"alpha": -1.0}, "'alpha' parameter"),
        ({"alpha": "best"}, "'alpha' parameter"),
        ({"relaxation": 1.5}, "'relaxation' parameter"),
        ({"n_sweeps": 0}, "'n_sweeps' parameter"),
        ({"readout": "some"}, "'readout' parameter"),
        ({"rcond": -1}, "'rcond' parameter"),
        ({"backend": "torch"}, "'backend' parameter"),
        ({"memory_limit": "much"}, "memory_limit='much'"),
        ({"dtype": "int8"}, "'dtype' parameter"),
        ({"layers": [Dense(0)]}, "'units' parameter"),
        ({"layers": [Dense(-3)]}, "'units' parameter"),
        ({"layers": [Dense("a")]}, "'units' parameter"),
        ({"layers": "Dense[0]"}, "'units' parameter"),
        ({"layers": [Tanh(), Dense(), Tanh()]}, "may only stand last"),
        ({"layers": [Conv2D(2, 3)]}, "layer 'conv2d_1'.*input_shape"),
        ({"layers": [Conv2D(2, 3), Flatten()], "input_shape": (2, 2, 1)}, "layer 'conv2d_1'"),
        (
            {"layers": [MaxPool2D(3)], "input_shape": (2, 2, 1)},
            "layer 'maxpool2d_1'.*2, 2, 1",
        ),
        ({"layers": [Reshape((3, 2))]}, "layer 'reshape_1'"),
        ({"layers": [Dense(3)], "input_shape": (2, 2)}, "layer 'dense_1'.*Flatten"),
        ({"layers": "Dense[1] Softmax"}, "layer 'softmax_1'.*single column"),
        ({"input_shape": (5, 5)}, "input_shape=.*4 columns"),
        ({"layers": "Dense[3] Tahn"}, "Tanh"),
        ({"layers": ""}, "empty|no layer"),
        ({"layers": [Dense(3, initializer=lambda rng, shape: np.ones((2, 2)))]}, "initializer"),
    ],
)
def test_parameters(Estimator, params, match):
    with pytest.raises(ValueError, match=match):
        Estimator(**params).fit(X, Y)


@BOTH
@pytest.mark.parametrize("layers", [3, [1], [Dense], None, {"a": 1}, [["Dense[3]"], 2]])
def test_what_is_no_layer(Estimator, layers):
    with pytest.raises(TypeError, match="layer"):
        Estimator(layers).fit(X, Y)


@BOTH
@pytest.mark.parametrize(
    "rows",
    [X[:3], np.hstack([X, np.ones((30, 2))]), np.hstack([X, X]), np.ones((30, 2)), X * 1e150,
     X * 1e-150, np.hstack([X, X * 1e12, X * 1e-12])],
    ids=["few", "constant", "duplicated", "all-constant", "huge", "tiny", "badly-scaled"],
)  # fmt: skip
def test_degenerate_rows_work(Estimator, rows):
    model = Estimator("Dense[6] Tanh Dense[4] ReLU", random_state=0).fit(rows, Y[: len(rows)])
    assert np.isfinite(model._outputs(rows)).all()


@pytest.mark.parametrize("alpha", ["loo", 0.0])
def test_equal_targets_are_predicted(alpha):
    model = ZORBRegressor("Dense[5] Sigmoid Dense[4] Tanh", alpha=alpha).fit(X, np.full(30, 7.0))
    np.testing.assert_allclose(model.predict(X), 7.0)


@pytest.mark.parametrize("Estimator", [ZORBRegressor, NetworkRegressor])
def test_a_softmax_of_one_number_is_refused(Estimator):
    with pytest.raises(ValueError, match="layer 'softmax_1'.*single column.*Sigmoid"):
        Estimator("Dense[4] Tanh Dense Softmax").fit(X, Y)


ALL = pytest.mark.parametrize(
    "Estimator", [ZORBClassifier, ZORBRegressor, NetworkClassifier, NetworkRegressor]
)


@ALL
@pytest.mark.parametrize("dtype", [int, bool, complex, str, np.float16, np.dtype("int32"), "int8"])
def test_other_precisions(Estimator, dtype):
    with pytest.raises(ValueError, match="'dtype' parameter"):
        Estimator("Dense[2]", dtype=dtype).fit(X, Y)


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), float])
def test_spellings_of_precisions(dtype):
    model = ZORBClassifier("Dense[2]", dtype=dtype).fit(X, Y)
    assert model.params_[1]["weights"].dtype == np.dtype(dtype)


@pytest.mark.parametrize("rule", [Backprop, DirectFeedbackAlignment, TargetPropagation])
def test_early_stopping_takes_two_rows(rule):
    model = NetworkRegressor("Dense[2] Tanh", trainer=rule(early_stopping=True, max_epochs=2))
    with pytest.raises(ValueError, match="early_stopping=True.*at least 2 rows"):
        model.fit(X[:1], Y[:1])
    assert model.fit(X[:2], Y[:2]).n_iter_ == 2


@ALL
@pytest.mark.parametrize("dtype, value", [("float64", -1e160), ("float32", 1e39)])
@pytest.mark.parametrize("wrap", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_numbers_that_overflow(Estimator, dtype, value, wrap):
    bad = X.copy()
    bad[3, 1] = value
    model = Estimator("Dense[3] Tanh", dtype=dtype)
    message = f"X holds {value:g}".replace("+", r"\+") + ".*overflow.*scale that column"
    with pytest.raises(ValueError, match=message):
        model.fit(wrap(bad), Y)
    with pytest.raises(ValueError, match=message):
        model.fit(wrap(X), Y).predict(wrap(bad))


@pytest.mark.parametrize("row", [0, 500, 999])
@pytest.mark.parametrize("value", [1e160, -1e160])
def test_numbers_that_overflow_in_any_piece_of_a_table(monkeypatch, row, value):
    monkeypatch.setattr(validation, "CACHE_BYTES", 64 * 8)
    table = np.ones((1000, 2))
    validation.check_size(table, "X", np.float64)
    table[row, 1] = value
    with pytest.raises(ValueError, match="X holds .*1e.160.*overflow"):
        validation.check_size(table, "X", np.float64)


@pytest.mark.parametrize("Estimator", [ZORBRegressor, NetworkRegressor])
def test_targets_that_overflow(Estimator):
    with pytest.raises(ValueError, match=r"y holds 2\.9e\+161"):
        Estimator("Dense[3] Tanh").fit(X, np.arange(30) * 1e160)


@pytest.mark.parametrize("coverage", ["a", None, 0, 1.0, np.nan])
def test_coverage(coverage):
    with pytest.raises(ValueError, match="coverage=.*above 0 and below 1"):
        ZORBRegressor("Dense[2]").fit(X, Y).predict_interval(X, coverage)


def test_auto_takes_rows_and_columns():
    with pytest.raises(ValueError, match=r"X has shape \(4,\)"):
        auto_layers(X[0])


@ALL
@pytest.mark.parametrize("name", ["Auto", "auto "])
def test_auto_in_any_case(Estimator, name):
    models = [Estimator(layers, random_state=0).fit(X, Y) for layers in (name, "auto")]
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))
    assert hasattr(models[0], "partial_fit")


@pytest.mark.parametrize("Estimator", [ZORBClassifier, NetworkClassifier])
def test_labels_after_classes_and_classes_after_labels(Estimator):
    labels = np.column_stack([Y == 0, Y == 1, Y < 2]).astype(int)
    for first, then in ((labels, Y), (Y, labels)):
        model = Estimator("Dense[2] Tanh").partial_fit(X, first, classes=[0, 1, 2])
        with pytest.raises(ValueError, match="y has shape .*the first call had"):
            model.partial_fit(X, then)


def test_labels_without_a_common_order():
    X = np.random.default_rng(0).normal(size=(6, 2))
    for labels, types in (([None, "a"] * 3, "NoneType, str"), ([1, "a"] * 3, "int, str")):
        with pytest.raises(ValueError, match=f"y mixes labels of the types {types}"):
            ZORBClassifier("Dense[4] Tanh").fit(X, np.array(labels, dtype=object))


def test_columns_too_small_to_have_a_reciprocal():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    assert np.isfinite(ZORBClassifier(random_state=0).fit(X * 1e-310, y).predict_proba(X)).all()
    kernel = ZORBClassifier("Kernel[60]", standardize=False, random_state=0).fit(X * 1e-310, y)
    assert np.isfinite(kernel.decision_function(X * 1e-310)).all()
