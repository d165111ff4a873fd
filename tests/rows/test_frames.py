"""Columns of data frames of any library, and what they are read as."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from sklearn_zorb.rows.frames import Table, as_frame, in_order, read_again, read_table

pd = pytest.importorskip("pandas")

DAYS = [dt.date(2024, 1, 1), None, dt.date(2024, 3, 1)]
MOMENTS = [dt.datetime(2024, 1, 1, 12), None, dt.datetime(2024, 3, 1)]
SECONDS = [1704110400.0, np.nan, 1709251200.0]
COLUMNS = {
    "whole": ([1, None, 3], "number", [1, np.nan, 3]),
    "share": ([0.5, None, 2.0], "number", [0.5, np.nan, 2.0]),
    "flag": ([True, None, False], "number", [1, np.nan, 0]),
    "price": ([Decimal("1.5"), None, Decimal("2")], "number", [1.5, np.nan, 2]),
    "city": (["b", None, "a"], "category", [1, np.nan, 0]),
    "day": (DAYS, "time", [1704067200.0, np.nan, 1709251200.0]),
    "moment": (MOMENTS, "time", SECONDS),
    "wait": ([dt.timedelta(seconds=90), None, dt.timedelta(1)], "duration", [90, np.nan, 86400]),
    "clock": ([dt.time(1, 30), None, dt.time(0)], "duration", [5400, np.nan, 0]),
    "empty": ([None, None, None], "nothing", [np.nan] * 3),
}  # fmt: skip


def frames():
    """The same columns in each library that is there."""
    lists = {name: values for name, (values, _, _) in COLUMNS.items()}
    yield pytest.param(lambda: pd.DataFrame(lists), id="pandas")
    yield pytest.param(lambda: pd.DataFrame(lists).convert_dtypes(), id="pandas, nullable")
    yield pytest.param(lambda: pytest.importorskip("polars").DataFrame(lists), id="polars")
    yield pytest.param(lambda: pytest.importorskip("pyarrow").table(lists), id="pyarrow")


@pytest.mark.parametrize("make", list(frames()))
def test_columns_of_every_type(make):
    numbers, schema = read_table(Table(make()), "from_dtype")
    for j, (name, (_, kind, expected)) in enumerate(COLUMNS.items()):
        assert (schema.columns[j].name, schema.columns[j].kind) == (name, kind)
        np.testing.assert_array_equal(numbers[:, j], expected, err_msg=name)
    np.testing.assert_array_equal(read_again(Table(make()), schema), numbers)


def test_categories_of_every_library(rng):
    values = rng.choice(["low", "mid", "high", None], size=50).tolist()
    text = [value if value is None else str(value) for value in values]
    plain = read_table(Table(pd.DataFrame({"c": text})), "from_dtype")
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for frame in (
        pd.DataFrame({"c": pd.Categorical(text)}),
        pl.DataFrame({"c": pl.Series(text, dtype=pl.Categorical)}),
        pa.table({"c": pa.array(text).dictionary_encode()}),
    ):
        numbers, schema = read_table(Table(frame), "from_dtype")
        assert schema == plain[1]
        np.testing.assert_array_equal(numbers, plain[0])
    order = ["low", "mid", "high"]
    for frame in (
        pd.DataFrame({"c": pd.Categorical(text, categories=order, ordered=True)}),
        pl.DataFrame({"c": pl.Series(text, dtype=pl.Enum(order))}),
    ):
        numbers, schema = read_table(Table(frame), "from_dtype")
        assert schema.columns[0].ordered and list(schema.columns[0].levels) == order
        expected = [np.nan if value is None else order.index(value) for value in text]
        np.testing.assert_array_equal(numbers[:, 0], expected)


def test_units_and_zones_of_time():
    moments = pd.to_datetime(["2024-01-01 12:00", "2024-03-01 00:00"])
    _, schema = read_table(Table(pd.DataFrame({"t": moments})), "from_dtype")
    for unit in ("s", "ms", "us", "ns"):
        again = read_again(Table(pd.DataFrame({"t": moments.as_unit(unit)})), schema)
        np.testing.assert_array_equal(again[:, 0], [SECONDS[0], SECONDS[2]])
    array = moments.to_numpy()[:, None]
    for unit in ("m", "s", "ns"):
        numbers, _ = read_table(Table(array.astype(f"datetime64[{unit}]")), "from_dtype")
        np.testing.assert_array_equal(numbers[:, 0], [SECONDS[0], SECONDS[2]])
    with pytest.raises(ValueError, match="'t'.*of a time zone.*without a time zone"):
        read_again(Table(pd.DataFrame({"t": moments.tz_localize("UTC")})), schema)


def test_levels_at_prediction():
    table = Table(pd.DataFrame({"code": ["1", "2", "x"]}))
    _, schema = read_table(table, "from_dtype")
    later = {"new": ["2", "y", None], "numbers": [1.0, 7.0, np.nan]}
    expected = {"new": [1, -1, np.nan], "numbers": [0, -1, np.nan]}
    for name, values in later.items():
        found = read_again(Table(pd.DataFrame({"code": values})), schema)
        np.testing.assert_array_equal(found[:, 0], expected[name])
    with pytest.raises(ValueError, match="column 'code' of X holds numbers, and held text in fit"):
        read_again(Table(pd.DataFrame({"code": [8.5, 9.5]})), schema)


@pytest.mark.parametrize(
    "values",
    [["a", 1], [1 + 2j, 0], [[1], [2]], [[1], [2, 3]], [np.arange(2), np.arange(3)], [b"x", b"y"]],
)
def test_columns_of_no_type(values):
    with pytest.raises(TypeError, match="column 'odd' of X holds"):
        read_table(Table(pd.DataFrame({"odd": values})), "from_dtype")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_without_values_at_prediction_is_gaps(name):
    _, schema = read_table(Table(pd.DataFrame({name: COLUMNS[name][0]})), "from_dtype")
    again = Table(pd.DataFrame({name: [np.nan]}))
    assert again.values(0).kind == "number"
    assert np.isnan(read_again(again, schema)).all()


def test_categories_that_a_parameter_names():
    frame = pd.DataFrame({"a": [1, 2, 1], "b": ["x", "y", "x"]})
    for chosen in (["a", "b"], [0, 1], [True, True]):
        _, schema = read_table(Table(frame), chosen)
        assert [column.levels for column in schema.columns] == [("1", "2"), ("x", "y")]
    array = np.array([[1.0, "x"], [2.0, "y"], [np.nan, None]], dtype=object)
    numbers, schema = read_table(Table(array), [1])
    assert [column.kind for column in schema.columns] == ["number", "category"]
    np.testing.assert_array_equal(numbers, [[1, 0], [2, 1], [np.nan, np.nan]])
    for chosen, match in (
        (["c"], "names 'c', which are no columns"), ([2], "indices from 0 to 1"),
        ([True], "mask of shape"), (None, "column 'b' of X holds text"), ([0], "column 'b'"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=match):
            read_table(Table(frame), chosen)


def test_levels_are_named_alike_whatever_holds_them():
    """Gaps make floats of integers, and booleans come as objects or as numbers."""
    for levels, others in (([3, 10], [10.0, 3.0]), ([True, False], [0.0, 1.0])):
        frame = pd.DataFrame({"c": pd.Categorical([*levels, None, *levels])})
        numbers, schema = read_table(Table(frame), "from_dtype")
        np.testing.assert_array_equal(
            read_again(Table(frame.dropna()), schema), numbers[[0, 1, 3, 4]]
        )
        expected = [schema.columns[0].levels.index(str(int(value))) for value in others]
        found = read_again(Table(pd.DataFrame({"c": others})), schema)
        np.testing.assert_array_equal(found[:, 0], expected)
        new = read_again(Table(pd.DataFrame({"c": [99]})), schema)
        np.testing.assert_array_equal(new, [[-1]])
    grades = pd.Categorical([3, None, 10], categories=[10, 3], ordered=True)
    numbers, schema = read_table(Table(pd.DataFrame({"c": grades})), "from_dtype")
    np.testing.assert_array_equal(numbers[:, 0], [1, np.nan, 0])
    assert schema.columns[0].levels == ("10", "3")


def test_columns_of_gaps_take_anything_later():
    frame = pd.DataFrame({"object": [None, None], "text": pd.array([None, None], dtype="string")})
    _, schema = read_table(Table(frame), "from_dtype")
    for values in (["a", None], [1.0, 2.0], pd.to_datetime(["2024-01-01", None])):
        later = read_again(Table(pd.DataFrame({"object": values, "text": values})), schema)
        assert np.isnan(later).all()


def test_integers_that_numpy_does_not_have():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": pl.Series([1, None, 3], dtype=pl.Int128), "b": [1, 2, 3]})
    numbers, _ = read_table(Table(frame), "from_dtype")
    np.testing.assert_array_equal(numbers, [[1, 1], [np.nan, 2], [3, 3]])


def test_later_columns_without_values_are_gaps_of_any_type():
    days = pd.to_datetime(["2024-01-01", "2024-01-02"])
    frame = pd.DataFrame({"x": [1.0, 2.0], "c": ["a", "b"], "d": days, "w": days - days[0]})
    _, schema = read_table(Table(frame), "from_dtype")
    enum = pd.Categorical([None, None], ["a"], ordered=True)
    for values in (np.nan, pd.NaT, None, enum, pd.array([None, None], dtype="Int64")):
        later = read_again(Table(frame.assign(**dict.fromkeys("xcdw", values))), schema)
        assert np.isnan(later).all()


def test_names_that_come_twice():
    frame = pd.DataFrame([["a", 1.0, 2.0]], columns=["x", "y", "y"])
    with pytest.raises(ValueError, match="columns of X share a name.*'y' 2 times"):
        as_frame(frame)


def test_plain_numbers_keep_single_precision(rng):
    frame = pd.DataFrame(rng.normal(size=(5, 3)).astype(np.float32), columns=list("abc"))
    numbers, schema = read_table(Table(frame), "from_dtype")
    assert numbers.dtype == read_again(Table(frame), schema).dtype == np.float32
    np.testing.assert_array_equal(numbers, frame)
    for other in (frame.assign(d=1), frame.assign(d="a")):
        assert read_table(Table(other), "from_dtype")[0].dtype == np.float64


def test_many_columns_are_read_at_once(rng):
    """Numbers and booleans are read as a whole; order and gaps are those of the frame."""
    array = rng.normal(size=(4, 300))
    frame = pd.DataFrame(array).astype(dict.fromkeys(range(0, 300, 3), bool))
    frame = frame.convert_dtypes().assign(text="a")
    frame.iloc[1, :200] = pd.NA
    numbers, _ = read_table(Table(frame), "from_dtype")
    expected = [
        [np.nan if pd.isna(value) else float(value) for value in row]
        for row in frame.drop(columns="text").to_numpy(dtype=object)
    ]
    np.testing.assert_array_equal(numbers[:, :300], expected)


def test_order_of_columns():
    frame = pd.DataFrame({"a": [1], "b": [2]})
    assert in_order(Table(frame[["b", "a"]]), ["a", "b"]).names == ["a", "b"]
    with pytest.raises(ValueError, match="fit saw 'b', which are missing"):
        in_order(Table(frame[["a"]]), ["a", "b"])
    with pytest.raises(ValueError, match="fit did not see 'c'"):
        in_order(Table(frame.assign(c=3)), ["a", "b"])


def test_times_with_and_without_a_zone():
    moments = [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]
    frame = pd.DataFrame({"t": pd.Series(moments, dtype=object)})
    with pytest.raises(TypeError, match="column 't' of X holds times with and without"):
        read_table(Table(frame), "from_dtype")


def test_what_is_not_computed_yet():
    pl = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"LazyFrame of polars.*X.collect\(\)"):
        as_frame(pl.LazyFrame({"a": [1]}))

    class Lazy:
        def __dask_graph__(self):
            return {}

    with pytest.raises(TypeError, match=r"X.compute\(\)"):
        as_frame(Lazy())
