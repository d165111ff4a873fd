"""Estimators on tables as they are."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import format_layers

pd = pytest.importorskip("pandas")

EVERY = pytest.mark.parametrize(
    "model",
    [
        ZORBRegressor(random_state=0),
        ZORBRegressor("Dense[20] Tanh", random_state=0),
        ZORBRegressor("Trees[30]", random_state=0),
        NetworkRegressor("Dense[20] Tanh", random_state=0),
    ],
    ids=["auto", "dense", "trees", "rule"],
)


def table(rng, n_rows=150):
    city = rng.choice(["Bonn", "Rome", "Oslo"], n_rows)
    day = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, n_rows), unit="D")
    frame = pd.DataFrame({"size": rng.normal(size=n_rows), "city": city, "day": day})
    y = frame["size"] + 2 * (city == "Rome") + np.where(day.day_of_week >= 5, 3.0, 0.0)
    frame["size"] = frame["size"].mask(rng.random(n_rows) < 0.2)
    frame["city"] = frame["city"].mask(rng.random(n_rows) < 0.1)
    return frame, y.to_numpy()


@EVERY
def test_a_table_as_it_is(model, rng):
    frame, y = table(rng)
    before = frame.copy()
    model.fit(frame, y)
    pd.testing.assert_frame_equal(frame, before)
    assert list(model.feature_names_in_) == list(frame)
    predicted = model.predict(frame)
    assert np.isfinite(predicted).all() and model.score(frame, y) > 0.5
    shuffled = frame[["day", "city", "size"]]
    np.testing.assert_array_equal(model.predict(shuffled), predicted)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(frame), predicted)
    strange = frame.assign(city="Lima")
    strange["size"] = np.nan
    assert np.isfinite(model.predict(strange)).all()


@EVERY
def test_columns_that_are_not_as_in_fit(model, rng):
    frame, y = table(rng)
    model.fit(frame, y)
    for bad, match in (
        (frame[["size", "city"]], "fit saw 'day', which are missing"),
        (frame.assign(more=1), "fit did not see 'more'"),
        (frame.assign(size="big"), "column 'size' of X holds text, and held numbers in fit"),
        (frame.assign(day=5.0), "column 'day' of X holds numbers, and held times"),
        (frame.assign(city=7.5), "column 'city' of X holds numbers, and held text"),
    ):
        with pytest.raises(ValueError, match=match):
            model.predict(bad)


def test_frames_of_every_library_give_the_same_model(rng):
    frame, y = table(rng)
    expected = ZORBRegressor(random_state=0).fit(frame, y).predict(frame)
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    other = pl.from_pandas(frame)
    for found in (other, other.to_arrow()):
        model = ZORBRegressor(random_state=0).fit(found, y)
        np.testing.assert_array_equal(model.predict(found), expected)
        np.testing.assert_array_equal(model.predict(frame), expected)
    with pytest.raises(TypeError, match=r"LazyFrame.*collect\(\)"):
        ZORBRegressor().fit(other.lazy(), y)


def test_numbers_in_a_frame_are_those_of_the_array():
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X, columns=list("abcd"))
    expected = ZORBClassifier(random_state=0).fit(X, y).predict_proba(X)
    found = ZORBClassifier(random_state=0).fit(frame, y).predict_proba(frame)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("layers", ["auto", "Dense[20] Tanh"])
def test_gaps_in_arrays(layers, rng):
    X, y = load_iris(return_X_y=True)
    gaps = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    before = gaps.copy()
    score = cross_val_score(ZORBClassifier(layers, random_state=0), gaps, y).mean()
    assert score > 0.85
    np.testing.assert_array_equal(gaps, before)
    # a column without gaps in training: the mean stands for them
    model = ZORBClassifier(layers, random_state=0).fit(X, y)
    filled = np.where(np.isnan(gaps), X.mean(axis=0), X)
    expected = model.predict_proba(filled)
    np.testing.assert_allclose(model.predict_proba(gaps), expected, atol=1e-6)


def test_gaps_with_weights_are_those_of_copies(rng):
    frame, y = table(rng, 60)
    weights = rng.integers(0, 3, size=60)
    rows = np.repeat(np.arange(60), weights)
    weighted = ZORBRegressor(random_state=0).fit(frame, y, sample_weight=weights)
    copies = ZORBRegressor(random_state=0).fit(frame.iloc[rows], y[rows])
    np.testing.assert_allclose(weighted.predict(frame), copies.predict(frame), atol=1e-8)


def test_left_out_predictions_do_not_see_levels_through_y(rng):
    names = rng.integers(0, 300, size=900).astype(str)
    for y, Estimator, chance in (
        (rng.integers(0, 2, size=900), ZORBClassifier, 0.5),
        (rng.normal(size=900), ZORBRegressor, 0.0),
    ):
        model = Estimator(random_state=0).fit(pd.DataFrame({"name": names}), y)
        assert model.loo_score_ < chance + 0.04


def test_what_training_knew_nothing_of_moves_nothing(rng):
    frame, y = table(rng)
    frame["size"], frame["note"] = frame["size"].mask(frame["size"].notna(), 5.0), None
    later = frame.assign(size=frame["size"] * 1e6, note="text")
    for layers in ("auto", "Dense[20] Tanh", "Trees[30]"):
        model = ZORBRegressor(layers, random_state=0).fit(frame, y)
        np.testing.assert_array_equal(model.predict(later), model.predict(frame))
        assert model.feature_importances_[3] == 0
    tell = np.where(frame["size"].isna(), 3.0, 0.0)
    model = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(frame, tell)
    assert model.feature_importances_[0] > 0.9


def test_infinity_is_named(rng):
    frame, y = table(rng)
    model = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(frame, y)
    for bad in (
        frame.assign(size=np.inf),
        frame.assign(size=pd.Series([10**400] * 150, dtype=object)),
    ):
        for call in (model.predict, lambda X: ZORBRegressor().fit(X, y)):
            with pytest.raises(ValueError, match="column 'size' of X contains infinity"):
                call(bad)


def test_masks_are_gaps(rng):
    frame, y = table(rng)
    size = frame[["size"]].to_numpy()
    masked = np.ma.masked_invalid(size)
    model = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(masked, y)
    expected = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(size, y).predict(size)
    np.testing.assert_array_equal(model.predict(masked), expected)


def test_sparse_rows_of_a_table(rng):
    frame, y = table(rng)
    model = ZORBRegressor("Dense[20] Tanh", random_state=0).fit(frame, y)
    with pytest.raises(ValueError, match="X is a sparse matrix, whose columns are plain numbers"):
        model.predict(sp.csr_matrix(np.ones((2, 3))))


def test_batches_of_a_table(rng):
    frame, y = table(rng, 300)
    model = ZORBRegressor("Dense[30] Tanh", random_state=0)
    for start in range(0, 300, 100):
        model.partial_fit(frame[start : start + 100], y[start : start + 100])
    assert model.score(frame, y) > 0.5
    labels = np.where(y > 1, "high", "low")
    batches = NetworkClassifier("Dense[30] Tanh", random_state=0)
    for _ in range(10):
        batches.partial_fit(frame, labels, classes=["high", "low"])
    assert batches.score(frame, labels) > 0.7


def test_lists_say_where_columns_are_encoded(rng):
    frame, y = table(rng)
    texts = {
        "Dense[9] Tanh": "Encode Standardize Dense[9]",
        "Encode Dense[9] Tanh": "Encode Standardize Dense[9]",
        "Stack(Trees[9] | Identity)": "Stack[units=1](Trees",
    }
    for text, start in texts.items():
        model = ZORBRegressor(text, random_state=0).fit(frame, y)
        assert format_layers(model.layers_).startswith(start)
        assert np.isfinite(model.predict(frame)).all()
    with pytest.raises(ValueError, match="input_shape"):
        ZORBRegressor(input_shape=(3, 1)).fit(frame, y)


def test_text_in_arrays():
    rows = np.array([["a", 1.0], ["b", 2.0]] * 10, dtype=object)
    y = np.arange(20.0)
    with pytest.raises(ValueError, match="X holds text.*categorical_features"):
        ZORBRegressor("Dense[4] Tanh").fit(rows, y)
    model = ZORBRegressor("Dense[4] Tanh", categorical_features=[0]).fit(rows, y)
    assert np.isfinite(model.predict(rows[:3])).all()
    with pytest.raises(ValueError, match="X has 1 features"):
        model.predict(rows[:, :1])


@pytest.mark.skipif(not os.environ.get("SKLEARN_ZORB_DATA"), reason="SKLEARN_ZORB_DATA is not set")
def test_a_real_table_raw_and_behind_a_pipeline():
    """Both forms score alike, whoever prepares the columns."""
    frame = pd.read_csv(Path(os.environ["SKLEARN_ZORB_DATA"]) / "tabular" / "penguins.csv")
    X, y = frame.drop(columns="target"), frame["target"].to_numpy(dtype=object)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (levels, make_column_selector(dtype_exclude="number")),
    )
    model = ZORBClassifier(random_state=0)
    raw = cross_val_score(model, X, y, cv=3).mean()
    behind = cross_val_score(make_pipeline(prepare, model), X, y, cv=3).mean()
    assert raw >= behind - 0.01
