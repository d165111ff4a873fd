"""The closed-form estimators as a scikit-learn user meets them."""

import copy
import itertools
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Tanh
from sklearn_zorb.trainers import Backprop

BOTH = pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
X, Y = load_iris(return_X_y=True)


def test_a_linear_network_is_ridge_regression():
    """No hidden layer: the read-out alone is Ridge on standardised columns."""
    rows, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor([], alpha=5.0, clip=False).fit(rows, y)
    reference = make_pipeline(StandardScaler(), Ridge(alpha=5.0)).fit(rows, y)
    np.testing.assert_allclose(model.predict(rows), reference.predict(rows), rtol=1e-9)


@BOTH
def test_containers_give_the_same_model(Estimator, tmp_path):
    pd = pytest.importorskip("pandas")
    rows = X.astype(np.float32).astype(np.float64)
    expected = Estimator(random_state=0).fit(rows, Y).predict(rows)
    frame = pd.DataFrame(rows, columns=list("abcd"))
    model = Estimator(random_state=0).fit(frame, pd.Series(Y))
    assert model.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_allclose(model.predict(frame), expected, rtol=1e-7, atol=1e-9)
    # names of columns go with the fit that had them
    assert not hasattr(model.fit(rows, Y), "feature_names_in_")
    np.save(tmp_path / "X.npy", rows)
    disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    for same in (disk, rows.astype(np.float32), rows.astype(">f8"), np.asfortranarray(rows)):
        other = Estimator(random_state=0).fit(same, Y)
        np.testing.assert_allclose(other.predict(same), expected, rtol=1e-6, atol=1e-9)


@BOTH
@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_sparse_equals_dense(Estimator, form):
    rows = sp.random(60, 30, density=0.2, random_state=0, format="csr")
    y = np.arange(60) % 3
    options = {"random_state": 0, "standardize": False}
    sparse = Estimator("Dense[10] Tanh", **options).fit(form(rows), y)
    dense = Estimator("Dense[10] Tanh", **options).fit(rows.toarray(), y)
    np.testing.assert_allclose(sparse.predict(form(rows)), dense.predict(rows.toarray()), atol=1e-7)


def test_sparse_rows_are_never_made_dense():
    """A matrix that would take 800 MB dense, and its products 8 TB."""
    rng = np.random.default_rng(0)
    entries = (rng.normal(size=500), (rng.integers(100, size=500), rng.integers(10**6, size=500)))
    rows = sp.csr_matrix(entries, shape=(100, 10**6))
    tracemalloc.start()
    model = ZORBClassifier("Dense[3] Tanh", random_state=0).fit(rows, np.arange(100) % 2)
    assert model.predict(rows[:5]).shape == (5,)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6


@BOTH
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix])
def test_entries_that_come_in_parts_are_added_up(Estimator, kind):
    whole = kind(np.where(X > 1, X, 0))
    twice = (np.repeat(part, 2) for part in (whole.data / 2, whole.indices))
    parts = kind((*twice, 2 * whole.indptr), X.shape)
    assert parts.nnz == 2 * whole.nnz
    outputs = "predict" if Estimator is ZORBRegressor else "decision_function"
    expected = getattr(Estimator(random_state=0).fit(whole, Y), outputs)
    model = Estimator(random_state=0).fit(parts, Y)
    np.testing.assert_allclose(getattr(model, outputs)(parts), expected(whole))
    np.testing.assert_allclose(expected(parts), expected(whole))
    assert parts.nnz == 2 * whole.nnz


@BOTH
def test_same_seed_same_model_bit_for_bit(Estimator):
    layers = "Dense[9] Tanh Dense[7] ReLU[uniform]"
    models = [Estimator(layers, random_state=seed).fit(X, Y) for seed in (3, 3, 4)]
    weights = [model.params_[1]["weights"] for model in models]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))


def test_a_seed_is_the_same_stream_as_its_generator_and_no_seed_is_another():
    def weights(random_state):
        model = ZORBClassifier("Dense[4] Tanh", random_state=random_state).fit(X, Y)
        return model.params_[1]["weights"]

    generator = np.random.RandomState(3)
    first, second = weights(generator), weights(generator)
    np.testing.assert_array_equal(weights(3), first)
    np.testing.assert_array_equal(weights(np.int64(3)), first)
    assert not np.array_equal(second, first)
    assert not np.array_equal(weights(None), weights(None))


def test_user_objects_are_left_alone():
    layers = [Dense(5), Tanh(), Dense()]
    before = copy.deepcopy([layer.get_params() for layer in layers])
    rows, weights = X.copy(), np.ones(150)
    model = ZORBClassifier(layers, random_state=0).fit(rows, Y, sample_weight=weights)
    assert model.layers is layers and len(layers) == 3
    assert [layer.get_params() for layer in layers] == before
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(weights, 1)
    assert model.layers_[-1][1].units == 3


def test_cross_val_score_in_a_pipeline():
    scores = cross_val_score(make_pipeline(StandardScaler(), ZORBClassifier(random_state=0)), X, Y)
    assert scores.mean() > 0.93


def test_images():
    """Two classes of 8 x 8 images: a bright blob left or right."""
    rng = np.random.default_rng(0)
    images = rng.normal(scale=0.3, size=(80, 8, 8))
    y = np.arange(80) % 2
    for image, label in zip(images, y, strict=True):
        row, column = rng.integers(0, 5), rng.integers(0, 2) + 4 * label
        image[row : row + 3, column : column + 2] += 2
    rows = images.reshape(80, 64)
    layers = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(16), Tanh()]
    model = ZORBClassifier(layers, input_shape=(8, 8, 1), random_state=0).fit(rows[:60], y[:60])
    assert model.score(rows[60:], y[60:]) >= 0.9
    assert model.params_[2]["weights"].shape == (9, 4)


def test_summary_and_history(capsys):
    model = ZORBClassifier("Dense[8] Tanh", random_state=0, verbose=1).fit(X, Y)
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


def test_html_shows_the_layers():
    html = ZORBClassifier([Dense(8), Tanh()])._repr_html_()
    assert "Dense(units=8)" in html and "Tanh" in html


def test_html_shows_what_a_fit_adds():
    pytest.importorskip("sklearn.callback", reason="older scikit-learn shows parameters only")
    assert "readout" in ZORBClassifier("Dense[8] Tanh").fit(X, Y)._repr_html_()


def test_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        model = ZORBClassifier("Dense[8] Tanh").set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        cross_val_score(model, X, Y, cv=3, params={"sample_weight": np.ones(150)})


@pytest.mark.parametrize(
    "model",
    [
        ZORBClassifier("Dense[8] Tanh", n_sweeps=2, random_state=0),
        NetworkClassifier("Dense[8] Tanh", trainer=Backprop(max_epochs=60), random_state=0),
    ],
)
def test_callbacks_see_a_model_that_predicts(model):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model.set_callbacks(monitor).fit(X, Y)
    scores = [row["accuracy"] for row in monitor.get_logs(select="most_recent").data]
    assert scores and scores[-1] > 0.8
    if isinstance(model, NetworkClassifier):
        assert len(scores) == 60 and scores[-1] == model.score(X, Y)


@BOTH
def test_float32_stays_close(Estimator):
    models = [
        Estimator("Dense[50] Tanh", dtype=dtype, random_state=0).fit(X, Y)
        for dtype in ("float64", "float32")
    ]
    assert models[1].params_[1]["weights"].dtype == np.float32
    predicted = [
        model.predict(X) if Estimator is ZORBRegressor else model.predict_proba(X)
        for model in models
    ]
    assert np.abs(predicted[0] - predicted[1]).max() < 1e-3


RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 4))
TARGET = ROWS[:, 0] + np.sin(2 * ROWS[:, 1])
STILL = [
    "fast", "Dense[32] Tanh", "Dense[32, initializer=he, relaxation=0] ReLU", "Identity",
    "Kernel[60]", "NormalScores Dense[32] Tanh", "NormalScores Kernel[60]", "Trees[10]",
    "Stack(Identity | Kernel[60] | Trees[10])", "Skip(Dense[16] Tanh) Dense[8] Sigmoid",
    "BatchNorm Dense[32] Tanh", "PiecewiseLinear[4] Dense[16] Tanh", "Dense[16] Cos Dense[8] Sign",
    "Dense[16, initializer=data_pairs] Tanh",
]  # fmt: skip
NO_SPARSE = ("NormalScores", "BatchNorm", "PiecewiseLinear")


@pytest.mark.quick(12)
@BOTH
@pytest.mark.parametrize("layers", STILL)
def test_a_column_that_never_varied_never_moves_a_prediction(Estimator, layers):
    y = TARGET if Estimator is ZORBRegressor else (TARGET > 0).astype(int)
    forms = [np.asarray] if layers.startswith(NO_SPARSE) else [np.asarray, sp.csr_matrix]
    moves = {}
    for form, still, standardize in itertools.product(forms, (0.0, 3.0), (True, False)):
        at_fit, later = (form(np.c_[ROWS, np.full(200, value)]) for value in (still, still + 1))
        model = Estimator(layers, standardize=standardize, random_state=0).fit(at_fit, y)
        outputs = model.predict if Estimator is ZORBRegressor else model.decision_function
        moves[form.__name__, still, standardize] = np.abs(outputs(later) - outputs(at_fit)).max()
    assert {case: move for case, move in moves.items() if move > 1e-7} == {}


@pytest.mark.parametrize("standardize", [True, False])
def test_pixels_that_never_varied_never_move_a_prediction(standardize):
    images = np.pad(RNG.normal(size=(100, 6, 6)), ((0, 0), (1, 1), (1, 1)))
    later = images.copy()
    later[:, 0], later[:, :, -1] = 1.0, 2.0
    for layers in ("Conv2D[4, 3] ReLU Flatten Dense[8] Tanh", "Flatten Dense[16] Tanh"):
        model = ZORBRegressor(layers, input_shape=(8, 8, 1), standardize=standardize)
        model.set_params(random_state=0).fit(images.reshape(100, 64), images[:, 3, 3])
        expected = model.predict(images.reshape(100, 64))
        np.testing.assert_allclose(model.predict(later.reshape(100, 64)), expected, atol=1e-9)
