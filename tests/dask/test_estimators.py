"""Rows on workers give the model that rows in one place give."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, Identity, Kernel, Stack, Tanh, Trees

# the folder of this file has the name of the package
distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

from sklearn_zorb.dask import DaskZORBClassifier, DaskZORBRegressor  # noqa: E402

DIGITS, LABELS = load_digits(n_class=4, return_X_y=True)
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(900, 6))
NUMBERS = np.sin(ROWS[:, 0]) * ROWS[:, 1] + ROWS[:, 2] + 0.1 * RNG.normal(size=900)


@pytest.fixture(scope="module")
def client():
    options = {"processes": False, "dashboard_address": ":0", "silence_logs": 50}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def spread(table, chunks=200):
    return da.from_array(table, chunks=(chunks, *[-1] * (table.ndim - 1)))


def assert_same(found, expected, tolerance=1e-8):
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def test_a_client_is_needed():
    with pytest.raises(ValueError, match="there is no client"):
        DaskZORBRegressor().fit(spread(ROWS), spread(NUMBERS))


@pytest.mark.parametrize(
    ("chunks", "layers", "parameters"),
    [
        ((720,), "Dense[40] Tanh", {}),
        ((5, 600, 1, 114), "Dense[40] Tanh", {}),
        ((300, 420), "Dense[40] ReLU BatchNorm Dense[20] Sigmoid", {"n_sweeps": 2}),
        ((300, 420), "Dense[900] Tanh", {"dtype": "float32", "alpha": 1.0}),
        ((400, 320), "Skip(Dense[30] Tanh)", {"class_weight": "balanced", "readout": "last"}),
    ],
)
def test_classifier_is_that_of_rows_in_one_place(client, chunks, layers, parameters):
    X, y = DIGITS[:720], np.array(["nought", "one", "two", "three"])[LABELS[:720]]
    expected = ZORBClassifier(layers, random_state=0, **parameters).fit(X, y)
    model = DaskZORBClassifier(layers, random_state=0, **parameters)
    model.fit(spread(X, chunks), spread(y, 100))
    tolerance = 1e-3 if "dtype" in parameters else 1e-8
    assert_same(model.predict_proba(X), expected.predict_proba(X), tolerance)
    assert model.loo_score_ == pytest.approx(expected.loo_score_, abs=1e-12)
    assert model.classes_.tolist() == expected.classes_.tolist()


@pytest.mark.parametrize(
    ("chunks", "parameters"),
    [((900,), {}), ((7, 893), {"n_sweeps": 2, "alpha": 0.1}), ((450, 450), {"clip": False})],
)
def test_regressor_is_that_of_rows_in_one_place(client, chunks, parameters):
    layers, weights = "Dense[50] Tanh Dense[20] ReLU", RNG.uniform(0.5, 2, size=900)
    expected = ZORBRegressor(layers, random_state=0, **parameters).fit(ROWS, NUMBERS, weights)
    model = DaskZORBRegressor(layers, random_state=0, **parameters)
    model.fit(spread(ROWS, chunks), spread(NUMBERS, chunks), spread(weights, chunks))
    assert_same(model.predict(ROWS), expected.predict(ROWS))
    assert_same(model.predict_quantiles(ROWS), expected.predict_quantiles(ROWS))
    for found, other in zip(model.params_, expected.params_, strict=True):
        for name in found:
            np.testing.assert_allclose(found[name], other[name], rtol=1e-6, atol=1e-9)


def test_images_and_several_labels(client):
    y = np.stack([LABELS % 2, LABELS > 1], axis=1)[:300]
    options = {"input_shape": (8, 8, 1), "random_state": 0}
    layers = "Conv2D[4,3] ReLU MaxPool2D[2] Flatten"
    expected = ZORBClassifier(layers, **options).fit(DIGITS[:300], y)
    model = DaskZORBClassifier(layers, **options).fit(spread(DIGITS[:300]), spread(y))
    assert_same(model.predict_proba(DIGITS), expected.predict_proba(DIGITS))


def test_chunks_of_unknown_length_and_without_rows(client):
    X = spread(ROWS)
    keep = X[:, 0] > np.sort(ROWS[:, 0])[600]
    other = spread(np.where(np.arange(900) < 400, 1.0, ROWS[:, 0]))
    X, y = X[keep & (other != 1)], spread(NUMBERS)[keep & (other != 1)]
    assert np.isnan(X.shape[0]) and len(X[:].compute()) > 0
    expected = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(X.compute(), y.compute())
    model = DaskZORBRegressor("Dense[20] Tanh", random_state=0).fit(X, y)
    assert_same(model.predict(X).compute(), expected.predict(X.compute()))


def table():
    """A frame in which a partition alone does not say what the columns are."""
    n_rows = 600
    frame = pd.DataFrame(
        {
            "number": RNG.normal(size=n_rows),
            "city": RNG.choice(["Bonn", "Oslo", "Rome"], size=n_rows),
            "day": pd.date_range("2020-01-01", periods=n_rows, freq="9h"),
            "gaps": np.where(np.arange(n_rows) < 400, np.nan, 1.0),
        }
    )
    frame.loc[:250, "city"] = "Rome"
    frame.loc[frame.index[::50], "number"] = np.nan
    y = frame["number"].fillna(1) * (frame["city"] == "Rome") + frame["day"].dt.hour / 12
    return frame, y


def test_data_frames_of_any_types(client):
    frame, y = table()
    expected = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(frame, y)
    both = dd.from_pandas(frame.assign(y=y), npartitions=4)
    X = both[list(frame)]
    model = DaskZORBRegressor("Dense[20] Tanh", random_state=0).fit(X, both["y"])
    assert model.model_.schema.columns == expected.model_.schema.columns
    assert_same(model.predict(X).compute(), expected.predict(frame))
    assert model.score(X, both["y"]) == pytest.approx(expected.score(frame, y))


def test_files_of_which_y_needs_few_columns(client, tmp_path):
    # Dask reads y alone in fewer partitions than the other columns
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(ROWS, columns=list("abcdef")).assign(y=NUMBERS)
    for i in range(4):
        frame[i * 225 : (i + 1) * 225].to_parquet(tmp_path / f"{i}.parquet")
    read = dd.read_parquet(tmp_path)
    assert len(read["y"].to_delayed()) < read.npartitions
    model = DaskZORBRegressor("Dense[20] Tanh", random_state=0).fit(read[list("abcdef")], read["y"])
    expected = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(frame[list("abcdef")], NUMBERS)
    X = frame[list("abcdef")]
    assert_same(model.predict(X), expected.predict(X))


def test_predictions_are_made_when_they_are_asked_for(client):
    model = DaskZORBClassifier("Dense[20] Tanh", random_state=0)
    model.fit(spread(DIGITS), spread(LABELS))

    def refused(block):
        raise RuntimeError("computed")

    X = spread(DIGITS).map_blocks(refused, dtype=float, meta=np.empty((0, 0)))
    lazy = model.predict_proba(X)
    assert lazy.shape == (len(DIGITS), 4) and lazy.dtype == np.float64
    with pytest.raises(RuntimeError, match="computed"):
        lazy.compute()
    found = model.predict(da.from_array(DIGITS, chunks=(100, 30)))
    assert found.chunks == da.from_array(DIGITS, chunks=(100, 30)).chunks[:1]
    np.testing.assert_array_equal(found.compute(), model.to_local().predict(DIGITS))


def test_what_is_left_needs_no_dask(client):
    model = DaskZORBRegressor("Dense[5] Tanh", client=client).fit(spread(ROWS), spread(NUMBERS))
    local = model.to_local()
    assert type(local) is ZORBRegressor
    assert b"distributed" not in pickle.dumps(local) and b".dask" not in pickle.dumps(local)
    assert clone(model).client is client
    again = pickle.loads(pickle.dumps(model))
    assert again.client is None
    np.testing.assert_array_equal(again.predict(ROWS), local.predict(ROWS))


@pytest.mark.parametrize("n_rows", [300, 60_000])
def test_layers_that_need_rows_in_one_place_learn_from_some(client, n_rows):
    """Outputs for rows that a tree has seen are left-out ones: noise is not learned by heart."""
    X = np.random.default_rng(1).normal(size=(n_rows, 3))
    noise = np.random.default_rng(2).integers(2, size=n_rows)
    layers = [Stack([[Identity()], [Kernel(20)], [Trees(5, max_samples=200)]])]
    found = {}
    for name, y in {"noise": noise, "sign": (X[:, 0] * X[:, 1] > 0).astype(int)}.items():
        model = DaskZORBClassifier(layers, random_state=0).fit(
            spread(X, n_rows // 3), spread(y, n_rows // 3)
        )
        found[name] = model.loo_score_
    assert abs(found["noise"] - 0.5) < 0.1 and found["sign"] > 0.75


def test_progress_is_told_here(client, capsys):
    # workers are sent nothing of who listens
    layers = [Stack([[Dense(8), Tanh()], [Kernel(20)], [Trees(3)]])]
    model = DaskZORBClassifier(layers, random_state=0, verbose=1)
    model.fit(spread(DIGITS[:600]), spread(LABELS[:600]))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and "block 2 of 3, Kernel" in lines[1] and "s left" in lines[1]


def test_errors_say_what_to_pass(client):
    X, y = spread(ROWS), spread(NUMBERS)
    model = DaskZORBRegressor("Dense[5] Tanh")
    with pytest.raises(TypeError, match=r"X is of type ndarray.*from_array"):
        model.fit(ROWS, y)
    with pytest.raises(ValueError, match="X has 900 rows, and one of the others 800"):
        model.fit(X, y[:800])
    with pytest.raises(ValueError, match="y has 2 partitions and X has 5"):
        model.fit(X[X[:, 0] > 0], y.rechunk(450))
    with pytest.raises(ValueError, match="infinity"):
        model.fit(da.where(X > 2, np.inf, X), y)
    with pytest.raises(ValueError, match="backend"):
        DaskZORBRegressor(backend="jax").fit(X, y)
    with pytest.raises(AttributeError, match="call fit"):
        model.partial_fit(X, y)
    frame, numbers = table()
    parts = [frame[["city"]].iloc[:300], frame[["number"]].iloc[300:].set_axis(["city"], axis=1)]
    renamed = [parts[0], frame[["gaps"]].iloc[300:]]
    for blocks, message in [
        (parts, "column 'city' of X holds a category in one partition"),
        (renamed, "some blocks of X lack columns that others have: city, gaps"),
    ]:
        mixed = dd.from_delayed([dask.delayed(block) for block in blocks], meta=parts[0][:0],
                                verify_meta=False)  # fmt: skip
        with pytest.raises(ValueError, match=message):
            model.fit(mixed, dd.from_pandas(numbers, npartitions=2))
