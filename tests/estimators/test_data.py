"""What estimators make of X, y and weights, and the error for every bad input."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.exceptions import NotFittedError

from sklearn_zorb import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    auto_layers,
)
from sklearn_zorb.layers import Conv2D, Dense, Flatten, MaxPool2D, Reshape, Tanh
from sklearn_zorb.trainers import Backprop, DirectFeedbackAlignment, TargetPropagation

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.arange(30) % 3
IRIS = load_iris(return_X_y=True)
BOTH = pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
ALL = pytest.mark.parametrize(
    "Estimator", [ZORBClassifier, ZORBRegressor, NetworkClassifier, NetworkRegressor]
)


def refuses(Estimator, match, rows=X, targets=Y, error=ValueError, sample_weight=None, **params):
    with pytest.raises(error, match=match):
        Estimator(**params).fit(rows, targets, sample_weight=sample_weight)


# -- rows --------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, object])
def test_values_that_are_not_finite(Estimator, dtype):
    model = Estimator("Dense[3] Tanh").fit(X, Y)
    for values in ([np.inf], [-np.inf], [np.inf, -np.inf]):
        bad = X.astype(dtype)
        bad[3 : 3 + len(values), 1] = values
        refuses(Estimator, "infinity", bad)
        with pytest.raises(ValueError, match="infinity"):
            model.predict(bad)
    for value in (np.nan, np.inf):
        refuses(Estimator, "NaN|infinity", targets=np.append(Y[1:] + 0.0, value))
    gaps = sp.csr_matrix(X)
    gaps.data[3] = np.nan
    refuses(Estimator, "NaN", gaps)


@BOTH
def test_shapes(Estimator):
    for rows, targets, match in (
        (X[:0], Y[:0], "0 sample"), (X[:, :0], Y, "0 feature"), (X[0], Y, "2D array"),
        (X, Y[:-1], "inconsistent numbers of samples"), (X[None], Y, "dim"),
        (X * 1j, Y, "[Cc]omplex"), (X, None, "y"),
    ):  # fmt: skip
        refuses(Estimator, match, rows, targets)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, ">f8", np.int64, np.float16, object])
def test_numbers_of_other_types_are_those_numbers(Estimator, dtype):
    rows = np.round(8 * X)
    expected = Estimator("Dense[4] Tanh", random_state=0).fit(rows, Y).predict(rows)
    for targets in (Y.astype(np.int8), Y.astype(float), Y.astype(">f8")):
        same = np.asarray(rows, dtype=dtype, order="F")
        model = Estimator("Dense[4] Tanh", random_state=0).fit(same, targets)
        np.testing.assert_allclose(model.predict(same), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Cos", "Sign", "Step"])
def test_activations_of_sparse_rows(name):
    for layers in ("{}", "Skip({})", "Stack(Identity | {})", "{} Dense[3] Softmax"):
        with pytest.raises(ValueError, match=f"{name} takes dense inputs.*Dense layer in front"):
            ZORBClassifier(layers.format(name)).fit(sp.csr_matrix(X), Y)
    ZORBClassifier(f"Dense[4, initializer=data_pairs] {name}").fit(sp.csr_matrix(X), Y)


@BOTH
def test_unfitted_and_other_columns(Estimator):
    for method in ("predict", "predict_interval"):
        if hasattr(Estimator, method):
            with pytest.raises(NotFittedError):
                getattr(Estimator(), method)(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        Estimator("Dense[3] Tanh").fit(X, Y).predict(X[:, :3])


@BOTH
@pytest.mark.parametrize(
    "rows",
    [X[:3], np.hstack([X, np.ones((30, 2))]), np.hstack([X, X]), np.ones((30, 2)), X * 1e150,
     X * 1e-150, X * 1e-310, np.hstack([X, X * 1e12, X * 1e-12])],
    ids=["few", "constant", "duplicated", "all-constant", "huge", "tiny", "denormal", "scales"],
)  # fmt: skip
def test_degenerate_rows_work(Estimator, rows):
    for layers in ("Dense[6] Tanh Dense[4] ReLU", "Kernel[30]", "auto"):
        model = Estimator(layers, random_state=0).fit(rows, Y[: len(rows)])
        shares = model.predict if Estimator is ZORBRegressor else model.predict_proba
        assert np.isfinite(shares(rows)).all()


@pytest.mark.quick(2)
@ALL
@pytest.mark.parametrize("dtype, value", [("float64", -1e160), ("float32", 1e39)])
def test_numbers_that_overflow(Estimator, dtype, value):
    bad = X.copy()
    bad[3, 1] = value
    model = Estimator("Dense[3] Tanh", dtype=dtype).fit(X, Y)
    message = f"X holds {value:g}".replace("+", r"\+") + ".*overflow.*scale that column"
    for wrap in (np.asarray, sp.csr_matrix, sp.csc_matrix):
        with pytest.raises(ValueError, match=message):
            Estimator("Dense[3] Tanh", dtype=dtype).fit(wrap(bad), Y)
        with pytest.raises(ValueError, match=message):
            model.predict(wrap(bad))


@pytest.mark.parametrize("row", [0, 70_000, 199_999])
def test_a_number_that_overflows_anywhere_in_a_large_table(row):
    table = np.ones((200_000, 4))
    table[row, 1] = 1e160
    with pytest.raises(ValueError, match=r"X holds 1e\+160.*overflow"):
        ZORBRegressor("Dense[3] Tanh").fit(X, Y).predict(table)


# -- parameters --------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    "params, match",
    [
        ({"layers": [Tanh(), Dense(), Tanh()]}, "may only stand last"),
        ({"layers": [Conv2D(2, 3)]}, "layer 'conv2d_1'.*input_shape"),
        ({"layers": [Conv2D(2, 3), Flatten()], "input_shape": (2, 2, 1)}, "layer 'conv2d_1'"),
        ({"layers": [MaxPool2D(3)], "input_shape": (2, 2, 1)}, "layer 'maxpool2d_1'.*2, 2, 1"),
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
    # also after they were right
    model = Estimator("Dense[3] Tanh").fit(X, Y)
    with pytest.raises(ValueError, match=match):
        model.set_params(**params).fit(X, Y)


@pytest.mark.quick(1)
@ALL
def test_precisions(Estimator):
    for dtype in (int, bool, complex, str, np.float16, np.dtype("int32"), "int8"):
        refuses(Estimator, "'dtype' parameter", layers="Dense[2]", dtype=dtype)
    for dtype in ("float32", np.float32, np.dtype("float32"), float):
        model = Estimator("Dense[2]", dtype=dtype).fit(X, Y)
        assert model.params_[1]["weights"].dtype == np.dtype(dtype)


@pytest.mark.parametrize("size", ["500MB", "2 GiB", 1000, "1.5kb", "7", 1e16, np.float32(2), 2.5])
def test_sizes_of_memory(size):
    model = ZORBRegressor("Dense[3] Tanh", memory_limit=size, random_state=0).fit(X, Y)
    expected = ZORBRegressor("Dense[3] Tanh", random_state=0).fit(X, Y).predict(X)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-7)


@pytest.mark.parametrize(
    "layer, name",
    [
        ("Dense[0]", "units"), ("Dense[-3]", "units"), ("Dense[a]", "units"),
        ("Dense[1.]", "units"), ("Dense[use_bias=1]", "use_bias"), ("Dropout[1]", "rate"),
        ("Dropout[-.1]", "rate"), ("GaussianNoise[-1]", "scale"), ("Standardize[clip=0]", "clip"),
        ("Standardize[with_mean=yes]", "with_mean"), ("BatchNorm[epsilon=0]", "epsilon"),
        ("PiecewiseLinear[0]", "n_bins"), ("NormalScores[-.5]", "ratio"),
        ("Trees[kind=oak]", "kind"), ("Kernel[kind=rbf]", "kind"),
        ("Stack[shrinkage=-1](Tanh)", "shrinkage"), ("Conv2D[0]", "filters"),
        ("Conv2D[2, 0]", "kernel_size"), ("Conv2D[2, stride=1.5]", "stride"),
        ("Conv2D[2, padding=full]", "padding"), ("Conv2D[2, padding=-1]", "padding"),
        ("MaxPool2D[0]", "pool_size"), ("AvgPool2D[0]", "pool_size"),
        ("MaxPool2D[stride=-1]", "stride"), ("AvgPool2D[stride=two]", "stride"),
    ],
)  # fmt: skip
def test_hyperparameters_of_layers(layer, name):
    shape = (2, 2, 1) if "2D" in layer else None
    refuses(ZORBRegressor, f"'{name}' parameter of {layer.partition('[')[0]}|{name}=",
            layers=layer, input_shape=shape)  # fmt: skip


@BOTH
def test_bad_sizes_of_memory(Estimator):
    for size in ("much", "-3MB", "5 XB", "", "MB", "0", 0, True, -1e16, np.nan, np.inf):
        refuses(Estimator, "memory_limit=.*'500MB'|'memory_limit' parameter", memory_limit=size)


@pytest.mark.quick(2)
@ALL
@pytest.mark.parametrize("name", ["Auto", "auto "])
def test_auto_in_any_case(Estimator, name):
    models = [Estimator(layers, random_state=0).fit(X, Y) for layers in (name, "auto")]
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))
    assert hasattr(models[0], "partial_fit")


def test_auto_takes_rows_and_columns():
    with pytest.raises(ValueError, match=r"X has shape \(4,\)"):
        auto_layers(X[0])


@pytest.mark.quick(1)
@pytest.mark.parametrize("rule", [Backprop, DirectFeedbackAlignment, TargetPropagation])
def test_early_stopping_takes_two_rows(rule):
    model = NetworkRegressor("Dense[2] Tanh", trainer=rule(early_stopping=True, max_epochs=2))
    with pytest.raises(ValueError, match="early_stopping=True.*at least 2 rows"):
        model.fit(X[:1], Y[:1])
    assert model.fit(X[:2], Y[:2]).n_iter_ == 2


# -- weights -----------------------------------------------------------------------------------


@BOTH
def test_bad_weights(Estimator):
    for weights, match in (
        (-np.ones(30), "[Nn]egative"), (np.zeros(30), "zero"), (np.ones(4), "weight")
    ):  # fmt: skip
        refuses(Estimator, match, sample_weight=weights)


@BOTH
@pytest.mark.parametrize(
    "layers",
    [
        "Stack(Standardize[clip=3.0] | Kernel[150])",  # "auto" but for the forest
        "Dense[12] Tanh Dense[8] ReLU",
        "Dense[8, initializer=data_pairs] Tanh",
    ],
)
def test_weights_are_repetitions(Estimator, layers):
    rows, y = IRIS
    weights = np.random.default_rng(0).integers(0, 4, size=150)
    weighted = Estimator(layers, random_state=0).fit(rows, y, sample_weight=weights)
    repeated = clone(weighted).fit(np.repeat(rows, weights, axis=0), np.repeat(y, weights))
    method = "predict_proba" if Estimator is ZORBClassifier else "predict"
    np.testing.assert_allclose(
        getattr(weighted, method)(rows), getattr(repeated, method)(rows), rtol=1e-6, atol=1e-8
    )
    assert weighted.loo_score_ == pytest.approx(repeated.loo_score_)


@pytest.fixture(scope="module")
def halves():
    rows, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(rows))
    return rows[order[:200]], y[order[:200]], rows[order[200:]]


@pytest.mark.parametrize("layers", ["auto", "Dense[50] ReLU"])
def test_the_unit_of_weights_makes_no_difference(halves, layers):
    rows, y, others = halves
    weight = np.random.default_rng(1).uniform(0.1, 30, size=len(y))
    plain, *scaled = (
        ZORBRegressor(layers, random_state=0).fit(rows, y, sample_weight=unit * weight)
        for unit in (1, 0.25, 2.0**66)
    )
    for model in scaled:
        np.testing.assert_allclose(model.predict(others), plain.predict(others), rtol=1e-9)
        assert model.loo_score_ == pytest.approx(plain.loo_score_, abs=1e-8)


def test_the_same_weight_for_all_is_none(halves):
    rows, y, others = halves
    plain = ZORBRegressor(random_state=0).fit(rows, y)
    low, high = plain.predict_interval(others, 0.9)
    for weight in (0.5, 1e6):
        heavy = ZORBRegressor(random_state=0).fit(rows, y, sample_weight=np.full(len(y), weight))
        assert heavy.loo_score_ == pytest.approx(plain.loo_score_, abs=0.02)
        ends = heavy.predict_interval(others, 0.9)
        assert (ends[1] - ends[0]).mean() == pytest.approx((high - low).mean(), rel=0.05)


def test_weights_that_are_nothing_beside_others():
    rows, y = IRIS
    weights = np.where(np.arange(len(y)) % 3 == 0, 1e-300, 1e300)
    heavy = weights > 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ZORBClassifier(random_state=0).fit(rows, y, sample_weight=weights)
    alone = ZORBClassifier(random_state=0)
    alone.fit(rows[heavy], y[heavy], sample_weight=weights[heavy])
    np.testing.assert_array_equal(model.predict_proba(rows), alone.predict_proba(rows))


# -- weights of classes ------------------------------------------------------------------------


def test_balanced_weights_count_copies_and_weights_of_classes_are_those_of_rows():
    rows, y = IRIS
    weights = np.random.default_rng(0).integers(0, 4, size=150)
    options = {"layers": "Dense[8] Tanh", "random_state": 0}
    balanced = ZORBClassifier(class_weight="balanced", **options)
    weighted = clone(balanced).fit(rows, y, sample_weight=weights).predict_proba(rows)
    repeated = balanced.fit(np.repeat(rows, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted, repeated.predict_proba(rows), rtol=1e-6)
    factors = weights.sum() / (3 * np.bincount(y, weights=weights))
    by_hand = ZORBClassifier(class_weight=dict(enumerate(factors)), **options)
    by_hand.fit(rows, y, sample_weight=weights)
    np.testing.assert_allclose(weighted, by_hand.predict_proba(rows), rtol=1e-9)
    factors = np.array([0.5, 1.2, 2.5])
    by_class = ZORBClassifier(class_weight=dict(enumerate(factors)), **options)
    by_row = ZORBClassifier(**options).fit(rows[:120], y[:120], sample_weight=factors[y[:120]])
    expected = by_class.fit(rows[:120], y[:120]).predict_proba(rows)
    np.testing.assert_allclose(by_row.predict_proba(rows), expected, rtol=1e-9)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 12}])
def test_weights_of_classes_leave_the_judgement_honest(class_weight):
    rows, y = make_classification(2000, 20, weights=[0.9], flip_y=0.1, random_state=0)
    model = ZORBClassifier("Dense[200] ReLU", class_weight=class_weight, random_state=0)
    model.fit(rows[:500], y[:500])
    weight = np.where(y == 1, 10.0, 1.0)
    test = model.score(rows[500:], y[500:], sample_weight=weight[500:])
    # weights as copies gave 1 to .85
    assert model.loo_score_ < test + 0.1


def test_a_class_that_weighs_nothing_is_left_out():
    rows, y = IRIS
    weighted = ZORBClassifier(class_weight={0: 0}, random_state=0).fit(rows, y)
    without = ZORBClassifier(random_state=0).fit(rows[y != 0], y[y != 0])
    np.testing.assert_array_equal(weighted.classes_, [1, 2])
    np.testing.assert_allclose(weighted.predict_proba(rows), without.predict_proba(rows), atol=1e-8)
    balanced = ZORBClassifier("Dense[4]", class_weight="balanced", random_state=0)
    balanced.fit(rows, y, sample_weight=(y != 0).astype(float))
    np.testing.assert_array_equal(balanced.classes_, [1, 2])


@pytest.mark.parametrize(
    "class_weight, match",
    [
        ({0: -1}, r"class_weight\[0\]=-1"), ({1: np.nan}, r"class_weight\[1\]=nan"),
        ({1: np.inf}, r"class_weight\[1\]=inf"), ({0: "a"}, r"class_weight\[0\]='a'"),
        ({0: 0, 1: 0, 2: 0}, "times class_weight, is zero"),
        ({"1": 3}, r"a weight for '1', which is not among the classes \[0, 1, 2\]"),
        ({0: 2, 7: 3}, "a weight for 7"),
        ([{0: 1}, {1: 1}], "2 tables of weights for 1 columns of y; pass a dict"),
    ],
)  # fmt: skip
def test_bad_weights_of_classes(class_weight, match):
    refuses(ZORBClassifier, match, layers="Dense[4]", class_weight=class_weight)


@pytest.mark.filterwarnings("error")
def test_classes_of_no_weight_at_all_are_not_balanced():
    options = {"layers": "Dense[4]", "class_weight": "balanced", "sample_weight": np.zeros(30)}
    refuses(ZORBClassifier, "zero", **options)


def test_tables_of_weights_for_several_labels():
    labels = np.eye(3, dtype=int)[Y]
    one = {"layers": "Dense[4]", "class_weight": {0: 1, 1: 2}}
    refuses(ZORBClassifier, r"1 tables.*3 columns of y; pass a list of 3", targets=labels, **one)
    tables = [{1: 3.5}, {0: 0.7, 1: 5}, {}]
    found = ZORBClassifier([], class_weight=tables).fit(X, labels).decision_function(X)
    # the weights of a row are multiplied
    weights = np.array([[1, 3.5], [0.7, 5], [1, 1]])[np.arange(3), labels].prod(axis=1)
    by_row = ZORBClassifier([]).fit(X, labels, sample_weight=weights)
    np.testing.assert_allclose(found, by_row.decision_function(X), atol=1e-9)


def test_batches_without_some_class():
    rows, y = IRIS
    model = ZORBClassifier("Dense[8]", class_weight={0: 2, 1: 1}, random_state=0)
    for label in range(3):
        model.partial_fit(rows[y == label], y[y == label], classes=[0, 1, 2])
    assert model.score(rows, y) > 0.8
    with pytest.raises(AttributeError) as caught:
        NetworkClassifier("Dense[4]", class_weight="balanced").partial_fit(rows, y)
    assert "balanced" in str(caught.value.__cause__)


def test_weights_of_classes_that_are_not_there():
    rows, y = IRIS
    few = y < 2
    scores = [
        ZORBClassifier("Dense[8]", class_weight=class_weight, random_state=0)
        .fit(rows[few], y[few])
        .decision_function(rows)
        for class_weight in ({0: 2, 1: 1, 2: 5}, {0: 2})
    ]
    np.testing.assert_array_equal(*scores)
    rule = NetworkClassifier("Dense[4]", class_weight={2: 5}, random_state=0)
    rule.partial_fit(rows[few], y[few], classes=[0, 1, 2]).partial_fit(rows[few], y[few])


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array])
@pytest.mark.parametrize("layers", ["Trees[5]", "Dense[4] Tanh"])
def test_indices_of_64_bits_are_indices(form, layers):
    rows = form(np.where(X > 0, X, 0.0))
    wide = rows.copy()
    wide.indices, wide.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    expected, found = (
        ZORBClassifier(layers, random_state=0).fit(one, Y).predict_proba(one)
        for one in (rows, wide)
    )
    np.testing.assert_array_equal(found, expected)
    assert wide.indices.dtype == np.int64


def test_rows_too_far_away_to_be_predicted():
    model = ZORBRegressor("Dense[4] ReLU", dtype="float32", clip=False, random_state=0)
    model.fit(1e-20 * X, Y)
    with pytest.raises(ValueError, match="X holds rows so far from those of training"):
        model.predict(1e37 * X)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array])
def test_gaps_of_a_sparse_matrix_are_refused_with_what_to_pass(kind):
    X = np.eye(4)
    X[1, 1] = np.nan
    model = ZORBRegressor("Dense[2]", random_state=0)
    with pytest.raises(
        ValueError, match="contains NaN, and a sparse.* data frame, in which NaN"
    ) as e:
        model.fit(kind(X), np.arange(4.0))
    assert "HistGradientBoosting" not in str(e.value)
    with pytest.raises(ValueError, match="contains NaN, and a sparse"):
        model.fit(np.eye(4), np.arange(4.0)).predict(kind(X))


def test_images_of_bytes_are_never_floats_all_at_once():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (4000, 400), dtype=np.uint8)
    X[:, 7] = 9
    y = X[:, :200].mean(axis=1) > X[:, 200:].mean(axis=1)
    text = "Conv2D[2, 5, stride=5, relaxation=0] ReLU Flatten"
    model = ZORBClassifier(
        text, input_shape=(20, 20, 1), standardize=False, readout="last", random_state=0
    )
    wanted = clone(model).fit(X / 1.0, y).predict_proba(X)
    tracemalloc.start()
    found = model.fit(X, y).predict_proba(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, wanted)
    assert peak < 8 * X.size


def test_bytes_take_the_value_that_a_column_had_in_training():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(60, 16))
    X[:, 3] = 0.5
    model = ZORBClassifier("Flatten", input_shape=(4, 4, 1)).fit(X, X[:, 0] > 0.5)
    pixels = rng.integers(0, 3, (20, 16), dtype=np.uint8)
    known = np.where(np.arange(16) == 3, 0.5, pixels)
    np.testing.assert_array_equal(model.predict_proba(pixels), model.predict_proba(known))


@pytest.mark.parametrize("dtype", ["string", "Int64", object])
def test_missing_targets_are_told_with_their_place(dtype):
    y = pd.Series([1, 0, None, 1] if dtype == "Int64" else ["a", "b", None, "b"], dtype=dtype)
    with pytest.raises(ValueError, match="y has missing values, 1 in all, the first in row 2"):
        ZORBClassifier("Dense[2] Tanh").fit(np.ones((4, 1)), y)
