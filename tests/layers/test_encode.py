"""Typed columns as numbers, against pandas and scikit-learn."""

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder

from sklearn_zorb.layers import Context, Encode, format_layers, parse_layers
from sklearn_zorb.linalg import get_backend
from sklearn_zorb.rows import Rows
from sklearn_zorb.rows.frames import Table, read_again, read_table
from sklearn_zorb.testing import check_layer

pd = pytest.importorskip("pandas")


def table(rng, n_rows=60):
    moments = pd.to_datetime("2023-05-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="h")
    frame = pd.DataFrame({
        "size": rng.normal(size=n_rows), "city": rng.choice(["Bonn", "Rome", "Oslo"], n_rows),
        "age": rng.normal(size=n_rows), "when": moments,
        "grade": pd.Categorical(rng.choice(["lo", "hi"], n_rows), ["lo", "hi"], ordered=True),
    })  # fmt: skip
    frame.loc[rng.random(n_rows) < 0.2, ["age", "city"]] = None
    return frame


def encoded(frame, weights=None, **params):
    numbers, schema = read_table(Table(frame), "from_dtype")
    layer = Encode(schema=schema.counted(numbers, weights), **params)
    learned = layer.init(
        np.random.default_rng(0), numbers.shape[1:], (Rows(numbers), None, weights)
    )
    outputs = layer.forward(learned, numbers)
    assert outputs.shape[1:] == layer.output_shape(numbers.shape[1:])
    return layer, learned, pd.DataFrame(outputs, columns=layer.output_names())


def test_columns_are_those_of_pandas(rng):
    frame = table(rng)
    layer, _, found = encoded(frame)
    np.testing.assert_array_equal(found["size"], frame["size"])
    # the lower of two middle values
    middle = frame["age"].quantile(interpolation="lower")
    np.testing.assert_array_equal(found["age"], frame["age"].fillna(middle))
    np.testing.assert_array_equal(found["age is missing"], frame["age"].isna())
    for level in ("Bonn", "Rome", "Oslo"):
        np.testing.assert_array_equal(found[f"city={level}"], frame["city"] == level)
    np.testing.assert_array_equal(found["city is missing"], frame["city"].isna())
    np.testing.assert_array_equal(found["grade"], frame["grade"].cat.codes)
    when = frame["when"].dt
    parts = {"year": when.year, "month": when.month, "weekday": when.day_of_week, "hour": when.hour}
    for part, expected in parts.items():
        np.testing.assert_allclose(found[f"when: {part}"], expected, atol=1e-9)
    angle = 2 * np.pi * when.month / 12
    np.testing.assert_allclose(found["when: month sine"], np.sin(angle), atol=1e-12)
    sources = np.asarray(frame.columns)[layer.output_sources()]
    assert all(name.startswith(source) for name, source in zip(found, sources, strict=True))


def test_levels_seen_once_and_new_ones_are_rare():
    frame = pd.DataFrame({"c": ["a", "a", "b", "b", "b", "once", "twice", "twice"]})
    layer, params, found = encoded(frame)
    assert list(found) == ["c=a", "c=b", "c=twice", "c is rare"]
    assert found["c is rare"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    later = read_again(Table(pd.DataFrame({"c": ["new", "a", None]})), layer.schema)
    assert layer.forward(params, later).tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    # three copies of the one row of a level make it a level of its own
    assert "c=once" in encoded(frame, np.array([1, 1, 1, 1, 1, 3.0, 1, 1]))[2]
    assert list(encoded(frame, max_levels=1)[2]) == ["c=b", "c is rare"]


def test_many_levels_are_those_of_one_hot_encoder(rng):
    codes = rng.integers(0, 100, size=2000).astype(str)
    _, _, found = encoded(pd.DataFrame({"c": codes}), max_levels=30)
    encoder = OneHotEncoder(max_categories=31, sparse_output=False)
    expected = encoder.fit_transform(codes[:, None])
    np.testing.assert_array_equal(np.sort(found.sum()), np.sort(expected.sum(axis=0)))


def test_kinds_are_parts_of_the_whole(rng):
    frame = table(rng)
    whole = encoded(frame)[2]
    parts = [encoded(frame, kinds=kinds)[2] for kinds in ("numbers", "categories")]
    joined = pd.concat(parts, axis=1)
    assert sorted(joined) == sorted(whole)
    pd.testing.assert_frame_equal(joined[list(whole)], whole)


@pytest.mark.slow
def test_jax_gives_the_same(rng, x64):
    layer, params, found = encoded(table(rng))
    numbers, _ = read_table(Table(table(np.random.default_rng(0))), "from_dtype")
    backend = get_backend("jax")
    expected = layer.forward(params, numbers)
    with backend.scope():
        actual = layer.forward(params, backend.asarray(numbers))
    np.testing.assert_allclose(np.asarray(actual), expected, atol=1e-9)


def test_inverse(rng):
    layer, params, found = encoded(table(rng).dropna())
    outputs = found.to_numpy()
    numbers = layer.invert(params, outputs, None, Context())
    np.testing.assert_allclose(layer.forward(params, numbers), outputs, atol=1e-6)


def test_contract_without_a_schema():
    check_layer(Encode(), (4,))
    assert format_layers(parse_layers("Encode[max_levels=30]")) == "Encode[max_levels=30]"
    with pytest.raises(ValueError, match="Encode got 3 columns, and its schema has 1"):
        encoded(pd.DataFrame({"a": ["x", "y"]}))[0].output_shape((3,))


def test_nothing_to_hand_on_is_refused():
    numbers, schema = read_table(Table(pd.DataFrame({"a": ["x", "y"]})), "from_dtype")
    layer = Encode(kinds="numbers", schema=schema.counted(numbers, None))
    with pytest.raises(ValueError, match="has no columns to hand on: those of X are category"):
        layer.output_shape((1,))
