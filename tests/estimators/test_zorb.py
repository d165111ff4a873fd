"""The closed-form estimators as a scikit-learn user meets them."""

import copy
import pickle
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import type_of_target

from sklearn_zorb import ZORBClassifier, ZORBRegressor, format_layers
from sklearn_zorb.estimators import classification
from sklearn_zorb.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sigmoid, Softmax, Tanh

BOTH = pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def images():
    """Two classes of 8 x 8 images: a bright blob left or right."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=0.3, size=(80, 8, 8))
    y = np.arange(80) % 2
    for image, label in zip(X, y, strict=True):
        row, column = rng.integers(0, 5), rng.integers(0, 2) + 4 * label
        image[row : row + 3, column : column + 2] += 2
    return X.reshape(80, 64), y


def test_a_linear_network_is_ridge_regression():
    """No hidden layer: the read-out alone is Ridge on standardised columns."""
    X, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor([], alpha=5.0, clip=False).fit(X, y)
    reference = make_pipeline(StandardScaler(), Ridge(alpha=5.0)).fit(X, y)
    np.testing.assert_allclose(model.predict(X), reference.predict(X), rtol=1e-9)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "strings", "multilabel"])
def test_classification_shapes_and_consistency(iris, kind):
    X, y = iris
    target = {
        "binary": (y == 1).astype(int),
        "multiclass": y,
        "strings": np.array(["a", "b", "c"])[y],
        "multilabel": np.column_stack([y == 0, y > 0, X[:, 0] > 6]).astype(int),
    }[kind]
    model = ZORBClassifier("Dense[30] Tanh", random_state=0).fit(X, target)
    predicted, scores = model.predict(X), model.decision_function(X)
    probabilities = model.predict_proba(X)
    assert predicted.shape == target.shape and set(np.unique(predicted)) <= set(np.unique(target))
    assert model.score(X, target) > 0.9 and 0.85 < model.loo_score_ <= 1
    assert np.isfinite(probabilities).all() and (probabilities >= 0).all()
    if kind == "binary":
        assert scores.shape == (150,)
        np.testing.assert_array_equal(scores > 0, predicted == 1)
    elif kind == "multilabel":
        assert probabilities.shape == (150, 3)
        np.testing.assert_array_equal(scores > 0, predicted == 1)
        np.testing.assert_array_equal(probabilities > 0.5, predicted == 1)
    else:
        assert scores.shape == (150, 3)
        np.testing.assert_array_equal(model.classes_[scores.argmax(axis=1)], predicted)
    if kind != "multilabel":
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], predicted)


@pytest.mark.parametrize("tail", ["", "Dense Softmax", "Dense Sigmoid"])
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_of_every_read_out(iris, tail, classes):
    X, y = iris
    y = y % classes
    model = ZORBClassifier(f"Dense[20] Tanh {tail}", random_state=0).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (150, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert log_loss(y, probabilities) < 0.5 * log_loss(y, np.full_like(probabilities, 1 / classes))
    assert model.score(X, y) > 0.85


def test_calibration_beats_clipping():
    X, y = load_digits(return_X_y=True)
    model = ZORBClassifier("Dense[60] Tanh", random_state=0).fit(X[::2], y[::2])
    calibrated = log_loss(y[1::2], model.predict_proba(X[1::2]))
    clipped = model._outputs(X[1::2]).clip(1e-3)
    clipped /= clipped.sum(axis=1, keepdims=True)
    assert calibrated < 0.7 * log_loss(y[1::2], clipped)


def test_multi_output_regression_and_units(iris):
    X, _ = iris
    Y = np.column_stack([X[:, 0] * 1000, X[:, 1] / 1000])
    model = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(X, Y)
    assert model.predict(X).shape == (150, 2)
    assert model.score(X, Y) > 0.99
    assert model.loo_score_ == pytest.approx(model.score(X, Y), abs=0.01)


def test_clip_keeps_predictions_in_range():
    X = np.linspace(-1, 1, 40)[:, None]
    y = X[:, 0]
    kept = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X, y)
    free = clone(kept).set_params(clip=False).fit(X, y)
    assert kept.predict([[5.0]])[0] == 1 and free.predict([[5.0]])[0] > 1


@BOTH
@pytest.mark.parametrize(
    "layers",
    [
        "Stack(Standardize[clip=3.0] | Kernel[150])",  # "auto" but for the forest
        "Dense[12] Tanh Dense[8] ReLU",
        "Dense[8, initializer=data_pairs] Tanh",
    ],
)
def test_weights_are_repetitions(iris, Estimator, layers):
    X, y = iris
    weights = np.random.default_rng(0).integers(0, 4, size=150)
    weighted = Estimator(layers, random_state=0).fit(X, y, sample_weight=weights)
    repeated = Estimator(layers, random_state=0).fit(
        np.repeat(X, weights, axis=0), np.repeat(y, weights)
    )
    method = "predict_proba" if Estimator is ZORBClassifier else "predict"
    np.testing.assert_allclose(
        getattr(weighted, method)(X), getattr(repeated, method)(X), rtol=1e-6, atol=1e-8
    )
    assert weighted.loo_score_ == pytest.approx(repeated.loo_score_)


@BOTH
def test_containers_give_the_same_model(iris, Estimator, tmp_path):
    X, y = iris
    X = X.astype(np.float32).astype(np.float64)
    expected = Estimator(random_state=0).fit(X, y).predict(X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = Estimator(random_state=0).fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_allclose(model.predict(frame), expected, rtol=1e-7, atol=1e-9)
    np.save(tmp_path / "X.npy", X)
    disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    mapped = Estimator(random_state=0).fit(disk, y)
    np.testing.assert_allclose(mapped.predict(disk), expected, rtol=1e-7, atol=1e-9)
    single = Estimator(random_state=0).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.predict(X), expected, rtol=1e-6, atol=1e-9)


@BOTH
@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_sparse_equals_dense(Estimator, form):
    X = sp.random(60, 30, density=0.2, random_state=0, format="csr")
    y = np.arange(60) % 3
    options = {"random_state": 0, "standardize": False}
    sparse = Estimator("Dense[10] Tanh", **options).fit(form(X), y)
    dense = Estimator("Dense[10] Tanh", **options).fit(X.toarray(), y)
    np.testing.assert_allclose(sparse.predict(form(X)), dense.predict(X.toarray()), atol=1e-7)


def test_sparse_rows_are_never_made_dense():
    """A matrix that would take 800 MB dense, and its products 8 TB."""
    rng = np.random.default_rng(0)
    entries = (rng.normal(size=500), (rng.integers(100, size=500), rng.integers(10**6, size=500)))
    X = sp.csr_matrix(entries, shape=(100, 10**6))
    tracemalloc.start()
    model = ZORBClassifier("Dense[3] Tanh", random_state=0).fit(X, np.arange(100) % 2)
    assert model.predict(X[:5]).shape == (5,)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6


@BOTH
def test_same_seed_same_model_bit_for_bit(iris, Estimator):
    X, y = iris
    models = [Estimator("Dense[9] Tanh Dense[7] ReLU[uniform]", random_state=s).fit(X, y)
              for s in (3, 3, 4)]  # fmt: skip
    weights = [model.params_[1]["weights"] for model in models]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))


@BOTH
def test_memory_limit_gives_the_same_model(iris, Estimator):
    X, y = iris
    free = Estimator("Dense[30] Tanh Dense[20] ReLU", random_state=0).fit(X, y)
    tight = clone(free).set_params(memory_limit="20KB").fit(X, y)
    np.testing.assert_allclose(
        tight.params_[-1]["weights"], free.params_[-1]["weights"], rtol=1e-6, atol=1e-9
    )


@BOTH
def test_jax_agrees_with_numpy(iris, Estimator):
    X, y = iris
    layers = "Dense[12] Tanh Dense[8] ReLU"
    numpy = Estimator(layers, backend="numpy", random_state=0).fit(X, y)
    jax = Estimator(layers, backend="jax", random_state=0).fit(X, y)
    np.testing.assert_allclose(
        jax.params_[-1]["weights"], numpy.params_[-1]["weights"], rtol=1e-6, atol=1e-8
    )
    for own in jax.params_:
        assert all(type(value) is np.ndarray for value in own.values())
    np.testing.assert_allclose(jax.predict(X), numpy.predict(X), atol=1e-7)


@BOTH
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix])
def test_entries_that_come_in_parts_are_added_up(iris, Estimator, kind):
    X, y = iris
    whole = kind(np.where(X > 1, X, 0))
    twice = (np.repeat(part, 2) for part in (whole.data / 2, whole.indices))
    parts = kind((*twice, 2 * whole.indptr), X.shape)
    assert parts.nnz == 2 * whole.nnz
    expected = Estimator(random_state=0).fit(whole, y)
    model = Estimator(random_state=0).fit(parts, y)
    np.testing.assert_allclose(model._outputs(parts), expected._outputs(whole))
    np.testing.assert_allclose(expected._outputs(parts), expected._outputs(whole))
    assert parts.nnz == 2 * whole.nnz


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64])
def test_targets_of_any_numeric_type(iris, kind):
    X, y = iris
    model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(X, (y == 0).astype(kind))
    assert model.loo_score_ > 0.8


@BOTH
def test_copies_predict_the_same(iris, Estimator, tmp_path):
    X, y = iris
    model = Estimator("Skip(Dense[6] Tanh) Dense[5] Sigmoid", random_state=0).fit(X, y)
    joblib.dump(model, tmp_path / "model")
    for twin in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        joblib.load(tmp_path / "model"),
    ):
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))


def test_user_objects_are_left_alone(iris):
    X, y = iris
    layers = [Dense(5), Tanh(), Dense()]
    before = copy.deepcopy([layer.get_params() for layer in layers])
    X_before, weights = X.copy(), np.ones(150)
    model = ZORBClassifier(layers, random_state=0).fit(X, y, sample_weight=weights)
    assert model.layers is layers and len(layers) == 3
    assert [layer.get_params() for layer in layers] == before
    np.testing.assert_array_equal(X, X_before)
    assert model.layers_[-1][1].units == 3


def test_grid_search_over_units_layers_and_texts(iris):
    X, y = iris
    model = ZORBClassifier([Dense(4), Tanh()], random_state=0)
    grid = [
        {"dense_1__units": [1, 16]},
        {"tanh_1": [ReLU(), Sigmoid()]},
        {"layers": ["Dense[8] Sigmoid", "Dense[16] Cos"]},
    ]
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 6 and np.isfinite(scores).all() and len(set(scores)) > 1
    assert format_layers(model.layers) == "Dense[4] Tanh"


def test_cross_val_score_in_a_pipeline(iris):
    X, y = iris
    scores = cross_val_score(make_pipeline(StandardScaler(), ZORBClassifier(random_state=0)), X, y)
    assert scores.mean() > 0.93


def test_balanced_weights_count_copies(iris):
    X, y = iris
    weights = np.random.default_rng(0).integers(0, 4, size=150)
    options = {"layers": "Dense[8] Tanh", "class_weight": "balanced", "random_state": 0}
    weighted = ZORBClassifier(**options).fit(X, y, sample_weight=weights)
    repeated = ZORBClassifier(**options).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)
    factors = dict(enumerate(weights.sum() / (3 * np.bincount(y, weights=weights))))
    by_hand = ZORBClassifier(**{**options, "class_weight": factors})
    by_hand.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(weighted.predict_proba(X), by_hand.predict_proba(X), rtol=1e-9)


def test_class_weight_multiplies_sample_weight(iris):
    X, y = iris
    X, y = X[:120], y[:120]
    factors = {0: 0.5, 1: 1.2, 2: 2.5}
    by_class = ZORBClassifier("Dense[8] Tanh", class_weight=factors, random_state=0).fit(X, y)
    by_row = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(
        X, y, sample_weight=np.array([factors[label] for label in y])
    )
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), rtol=1e-9)


def test_images(images):
    X, y = images
    layers = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(16), Tanh()]
    model = ZORBClassifier(layers, input_shape=(8, 8, 1), random_state=0).fit(X[:60], y[:60])
    assert model.score(X[60:], y[60:]) >= 0.9
    assert model.params_[2]["weights"].shape == (9, 4)


def test_summary_and_history(iris, capsys):
    X, y = iris
    model = ZORBClassifier("Dense[8] Tanh", random_state=0, verbose=1).fit(X, y)
    assert "[1/2] dense_1" in capsys.readouterr().out
    text = model.summary()
    assert text in capsys.readouterr().out
    for part in ("dense_1", "(8,)", "40", "readout", "parameters"):
        assert part in text
    assert [entry["layer"] for entry in model.history_] == ["dense_1", "readout"]
    for entry in model.history_:
        assert entry["seconds"] >= 0 and entry["alpha"] > 0 and entry["loo_error"] > 0
    with pytest.raises(NotFittedError):
        ZORBClassifier().summary()


def test_html_shows_the_layers(iris):
    X, y = iris
    html = ZORBClassifier([Dense(8), Tanh()])._repr_html_()
    assert "Dense(units=8)" in html and "Tanh" in html
    fitted = ZORBClassifier("Dense[8] Tanh").fit(X, y)._repr_html_()
    assert "readout" in fitted


def test_metadata_routing(iris):
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        model = ZORBClassifier().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        X, y = iris
        cross_val_score(model, X, y, cv=3, params={"sample_weight": np.ones(150)})


def test_callbacks_score_the_read_out_and_may_stop(iris):
    callback = pytest.importorskip("sklearn.callback")
    X, y = iris
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = ZORBClassifier("Dense[8] Tanh", n_sweeps=2, random_state=0)
    model.set_callbacks(monitor).fit(X, y)
    scores = [row["accuracy"] for row in monitor.get_logs(select="most_recent").data]
    assert scores and scores[-1] > 0.8


def test_multiclass_multioutput_is_refused_and_wrapped(iris):
    X, y = iris
    Y = np.column_stack([y, y[::-1]])
    with pytest.raises(ValueError, match="MultiOutputClassifier"):
        ZORBClassifier().fit(X, Y)
    assert MultiOutputClassifier(ZORBClassifier()).fit(X, Y).predict(X).shape == (150, 2)


def test_softmax_read_out_widens_binary_targets(iris):
    X, y = iris
    model = ZORBClassifier([Dense(6), Tanh(), Dense(), Softmax()], random_state=0).fit(X, y == 1)
    assert model.n_outputs_ == 2
    np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X))


def test_sparse_labels_are_dense_labels(iris):
    X, y = iris
    labels = np.column_stack([y == 0, y > 0]).astype(int)
    dense = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, labels)
    sparse = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, sp.csr_matrix(labels))
    np.testing.assert_array_equal(sparse.predict(X), dense.predict(X))


@pytest.mark.parametrize("multilabel", [False, True])
def test_loo_score_is_the_weighted_accuracy_of_left_out_outputs(iris, multilabel):
    X, y = iris
    rng = np.random.default_rng(0)
    X = X + rng.normal(scale=0.5, size=X.shape)
    y = np.column_stack([y == 0, y == 1]).astype(int) if multilabel else (y == 1).astype(int)
    weights = rng.integers(1, 4, size=len(X))
    model = ZORBClassifier([], alpha=1.0, standardize=False).fit(X, y, weights)
    predicted = np.empty_like(y)
    for i in range(len(X)):
        fewer = weights.copy()
        fewer[i] -= 1
        left = ZORBClassifier([], alpha=1.0, standardize=False).fit(X, y, fewer)
        predicted[i] = left.predict(X[i : i + 1])[0]
    expected = accuracy_score(y, predicted, sample_weight=weights)
    assert expected < 0.98
    assert model.loo_score_ == pytest.approx(expected)


@pytest.mark.parametrize(
    "y",
    [
        np.arange(12) % 3,
        np.arange(12) % 2 == 0,
        np.arange(12, dtype=np.uint8) % 5,
        np.ones(12, dtype=int),
        np.arange(12),
        np.arange(40),
        np.arange(12) % 7,
        np.arange(12) % 2 + 0.0,
        np.arange(12) / 3,
        np.array(["a", "b"] * 6),
        np.eye(3, dtype=int)[np.arange(12) % 3],
    ],
    ids=lambda y: f"{y.dtype}-{len(np.unique(y))}-{y.ndim}",
)
def test_kinds_of_labels_are_those_of_scikit_learn(y):
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        expected = type_of_target(y, input_name="y")
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        assert classification._kind_of_labels(y) == expected
    assert [str(w.message) for w in ours] == [str(w.message) for w in theirs]


def test_a_seed_is_the_same_stream_as_its_generator_and_no_seed_is_another(iris):
    def weights(random_state):
        return ZORBClassifier("Dense[4] Tanh", random_state=random_state).fit(*iris).params_[1]

    generator = np.random.RandomState(3)
    first, second = weights(generator), weights(generator)
    np.testing.assert_array_equal(weights(3)["weights"], first["weights"])
    np.testing.assert_array_equal(weights(np.int64(3))["weights"], first["weights"])
    assert not np.array_equal(second["weights"], first["weights"])
    assert not np.array_equal(weights(None)["weights"], weights(None)["weights"])
    assert not np.array_equal(weights(4)["weights"], first["weights"])
