"""``zorb fit``, and the tables it reads."""

import csv
import io
import json
import warnings
from decimal import Decimal

import joblib
import numpy as np
import pytest

from sklearn_zorb.cli.data import hold_out, labelled, read_data
from sklearn_zorb.cli.frames import prepare_table, read_table

pytest.importorskip("pandas")

SMALL = ("--network", "Dense[8] Tanh")  # fits at once


def read_csv(text):
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def test_fit_prints_scores_of_both_parts(zorb):
    out = zorb("fit", "iris", "--network", "Dense[8] Tanh", "--seed", 1)
    assert "112 rows to fit, 38 to test, 4 features" in out
    assert "classification" in out and "Dense[8] Tanh" in out
    assert out.count("accuracy 0.9") + out.count("accuracy 1.0") == 2


def test_fit_as_json_with_the_default_network(zorb):
    result = json.loads(zorb("fit", "iris", "--json"))
    assert result["network"] == "auto"
    assert result["task"] == "classification"
    assert (result["n_train"], result["n_test"], result["n_features"]) == (112, 38, 4)
    assert result["test"]["accuracy"] > 0.85 and result["train"]["log_loss"] < 0.5
    assert result["saved"] is None and result["fit_seconds"] >= 0


def test_fit_regression(zorb):
    result = json.loads(zorb("fit", *SMALL, "diabetes", "--json"))
    assert result["task"] == "regression"
    assert result["test"]["r2"] > 0.25 and result["test"]["mean_absolute_error"] > 0


def test_fit_is_seeded(zorb):
    argv = ("fit", "wine", "--network", "Dense[5] Tanh", "--json", "--seed")
    results = [json.loads(zorb(*argv, seed)) for seed in (0, 0, 1)]
    for result in results:
        del result["fit_seconds"]
    assert results[0] == results[1] != results[2]


def test_samples_and_test_size(zorb):
    argv = ("fit", *SMALL, "iris", "--json", "--samples", 60)
    assert json.loads(zorb(*argv))["n_train"] == 45
    result = json.loads(zorb(*argv, "--test-size", 0))
    assert result["n_train"] == 60 and result["n_test"] == 0 and result["test"] is None


def test_a_test_part_of_its_own_is_kept(zorb):
    result = json.loads(zorb("fit", *SMALL, "xor", "--json", "--samples", 300))
    assert (result["n_train"], result["n_test"]) == (300, 1000)


def test_params_reach_the_estimator(zorb):
    zorb(
        "fit", *SMALL, "iris", "--param", "relaxation=0.5", "--param", "readout=last", "--save", "m"
    )
    network = joblib.load("m")["model"][-1]
    assert network.relaxation == 0.5 and network.readout == "last"


def test_images_reach_the_layers_as_images(zorb):
    rng = np.random.default_rng(0)
    images, y = rng.integers(0, 256, (40, 6, 6), dtype=np.uint8), np.arange(40) % 2
    np.savez("images.npz", x_train=images, y_train=y, x_test=images[:10], y_test=y[:10])
    argv = ("fit", *SMALL, "images.npz", "--save", "m", "--json")
    result = json.loads(zorb(*argv, "--network", "Conv2D[2,3] ReLU Flatten"))
    assert (result["n_train"], result["n_test"], result["n_features"]) == (40, 10, 36)
    assert joblib.load("m")["model"][-1].input_shape == (6, 6, 1)
    zorb(*argv, "--network", "Dense[4] Tanh")
    assert joblib.load("m")["model"][-1].input_shape is None


def test_a_table_with_text_and_missing_values(zorb, pets):
    result = json.loads(zorb("fit", *SMALL, pets, "--json", "--save", "m"))
    assert result["task"] == "classification" and result["n_features"] == 3
    assert result["test"]["accuracy"] == 1
    content = joblib.load("m")
    assert content["columns"] == {"kind": "text", "weight": "number", "colour": "text"}
    assert (content["target"], content["target_kind"]) == ("owner", "text")


def test_the_target_is_named_or_found(zorb, elsewhere):
    rows = [f"{i % 2},{i % 3},{i}.5" for i in range(30)]
    (elsewhere / "t.csv").write_text("\n".join(["a,target,c", *rows]))
    (elsewhere / "u.csv").write_text("\n".join(["a,b,c", *rows]))
    for argv, target in (
        (["t.csv"], "target"),
        (["u.csv"], "c"),
        (["u.csv", "--target", "a"], "a"),
    ):
        zorb("fit", *SMALL, *argv, "--save", "m")
        assert joblib.load("m")["target"] == target


def test_new_rows_are_prepared_as_the_old_ones(zorb, pets, elsewhere):
    """Other order of columns, unknown and missing values, no target, numbers as text."""
    zorb("fit", *SMALL, pets, "--save", "m")
    (elsewhere / "new.csv").write_text("more,weight,colour,kind\n1,4,7,cat\n2,,,\n3,9,8,bird\n")
    header, rows = read_csv(zorb("predict", "new.csv", "--load", "m"))
    assert header == ["prediction"] and [row[0] for row in rows][0] == "a" and len(rows) == 3


def test_text_stays_text_where_it_looks_like_numbers(zorb, elsewhere):
    """Area codes: a file may by chance hold those of digits only."""
    rows = [f"{code},{code}" for code in ("01", "02", "x3") * 10]
    (elsewhere / "old.csv").write_text("\n".join(["code,owner", *rows]))
    (elsewhere / "new.csv").write_text("code\n01\n02\n")
    zorb("fit", *SMALL, "old.csv", "--save", "m")
    assert read_csv(zorb("predict", "new.csv", "--load", "m"))[1] == [["01"], ["02"]]


def test_preparation_of_a_table(pets):
    data = read_data(str(pets))
    prepare = prepare_table(data.schema).fit(data.X)
    assert prepare.get_feature_names_out().tolist() == [
        "weight", "missingindicator_weight", "kind_cat", "kind_dog", "kind_nan",
        "colour_blue", "colour_red", "colour_nan",
    ]  # fmt: skip
    first_rows = prepare.transform(data.X)[:3]
    np.testing.assert_array_equal(
        first_rows,
        [[4, 0, 1, 0, 0, 0, 1, 0], [5, 1, 0, 1, 0, 1, 0, 0], [3, 0, 0, 0, 1, 0, 1, 0]],
    )
    unknown = data.X[:1].assign(kind="bird")
    assert prepare.transform(unknown)[0, 2:5].tolist() == [0, 0, 0]


@pytest.mark.parametrize("header", ["a,b,c", "a,b,c,"])
def test_a_comma_at_the_end_of_rows_shifts_no_column(elsewhere, header):
    rows = [f"{i},{10 * i},{i % 2}," for i in range(20)]
    (elsewhere / "t.csv").write_text("\n".join([header, *rows]))
    data = read_data("t.csv")
    assert data.schema.columns == {"a": "number", "b": "number"}
    assert data.X["a"].tolist() == list(range(20)) and data.y.tolist() == [0, 1] * 10


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "123456789012345678901234567890"], [1, 123456789012345678901234567890]),
        (["-1", "12345678901234567890"], [-1, 12345678901234567890]),
        (["0.5", "123456789012345678901234567890", ""], [0.5, 123456789012345678901234567890]),
        (["True", "", "False"], [1, 0]),
    ],
)
def test_numbers_are_numbers_where_pandas_leaves_them(elsewhere, cells, numbers):
    (elsewhere / "t.csv").write_text("\n".join(["a,b", *(f"{cell},1" for cell in cells)]))
    data = read_data("t.csv")
    assert data.schema.columns == {"a": "number"} and data.X["a"].dtype == np.float64
    assert data.X["a"].dropna().tolist() == [float(number) for number in numbers]


def test_decimals_of_parquet_are_numbers(elsewhere):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = {"a": [Decimal("1.50"), None], "b": [True, None], "c": ["1", "2"], "d": [None, None]}
    pandas.DataFrame({**table, "y": [1, 2]}).to_parquet("t.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = read_data("t.parquet")
    assert data.schema.columns == {"a": "number", "b": "number", "c": "text", "d": "text"}
    assert data.X["a"][0] == 1.5 and data.X["b"][0] == 1


def test_a_column_is_read_as_a_whole(elsewhere):
    """What comes first in a long file must not decide how a category is written."""
    header, row = ",".join(["a", *map(str, range(64))]), "1.50" + 64 * ",1"
    path = elsewhere / "t.csv"
    path.write_text("\n".join([header, *[row] * 20_000, "x" + 64 * ",1"]))
    assert set(read_table(path)["a"]) == {"1.50", "x"}


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["0,234", "1,5", "7"] * 3, "column 'a' is taken for text: it holds '0,234' among numbers"),
        (["1", "2.5", "-3", "4", "?", "5"], "it holds '?' among numbers"),
        (["2020-01-31", "2021-02-28", "2021-03-01 10:00"], "column 'a' holds dates, which are"),
        (["1", "x", "2"], None),
        (["2,x", "3", "x-1"], None),
    ],
)
def test_text_that_is_hardly_meant_is_noted(elsewhere, cells, note):
    rows = [f'"{cell}",{i % 2}' for i, cell in enumerate(cells)]
    (elsewhere / "t.csv").write_text("\n".join(["a,y", *rows]))
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        assert read_data("t.csv").schema.columns == {"a": "text"}
    assert [note in str(warning.message) for warning in notes] == ([True] if note else [])


def test_many_categories_share_an_indicator(elsewhere):
    rows = [f"name{min(i, 120)},{i % 2}" for i in range(200)]
    (elsewhere / "t.csv").write_text("\n".join(["name,y", *rows]))
    data = read_data("t.csv")
    assert prepare_table(data.schema).fit_transform(data.X).shape == (200, 50)


def test_parquet_gives_what_csv_gives(zorb, pets):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.read_csv(pets).to_parquet("pets.parquet")
    results = [json.loads(zorb("fit", *SMALL, path, "--json")) for path in (pets, "pets.parquet")]
    assert results[0]["test"] == results[1]["test"]


def test_classes_keep_their_type(zorb, elsewhere):
    rows = [f"{i % 2 + 0.1 * (i % 5)},{i % 2 + 1}" for i in range(40)]
    (elsewhere / "t.csv").write_text("\n".join(["a,b", *rows]))
    zorb("fit", *SMALL, "t.csv", "--save", "m")
    assert joblib.load("m")["model"].classes_.tolist() == [1, 2]
    result = json.loads(zorb("predict", "t.csv", "--load", "m", "--json"))
    assert set(result["prediction"]) == {1, 2}


@pytest.mark.parametrize("classes", [(True, False), (2**64 - 1, 2**64 - 2)])
def test_classes_are_predicted_as_they_are_written(zorb, elsewhere, classes):
    rows = [f"{i % 2 + 0.1 * (i % 5)},{classes[i % 2]}" for i in range(40)]
    (elsewhere / "t.csv").write_text("\n".join(["a,b", *rows]))
    zorb("fit", *SMALL, "t.csv", "--save", "m")
    header, predicted = read_csv(zorb("predict", "t.csv", "--load", "m", "--proba"))
    assert header[1:] == [f"probability_{name}" for name in sorted(classes)]
    assert [row[0] for row in predicted] == [row.split(",")[1] for row in rows]
    assert "accuracy 1.0" in zorb("evaluate", "t.csv", "--load", "m")
    assert "r2 " in zorb("evaluate", "t.csv", *SMALL, "--task", "regression")


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["x", "y"] * 10, "classification"),
        ([0, 1] * 10, "classification"),
        ([0.0, 1.0] * 10, "classification"),
        ([0.5, 1.5] * 10, "regression"),
        (list(range(20)), "regression"),
    ],
)
def test_the_task_is_told_from_the_target(values, task, write_npz):
    write_npz(n=20, y=np.array(values))
    assert labelled(read_data("data.npz")).task == task


def test_several_outputs(zorb, write_npz):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    write_npz("numbers.npz", X=X, y=X[:, :2])
    write_npz("labels.npz", X=X, y=(X[:, :2] > 0).astype(int))
    for name, task in (("numbers", "regression"), ("labels", "classification")):
        result = json.loads(zorb("fit", *SMALL, f"{name}.npz", "--json", "--save", "m"))
        assert result["task"] == task
        header, rows = read_csv(zorb("predict", f"{name}.npz", "--load", "m"))
        assert header == ["prediction_0", "prediction_1"] and len(rows) == 60


def test_held_out_rows_keep_the_shares_of_the_classes(write_npz):
    y = np.repeat([0, 1], [90, 10])
    write_npz(n=100, y=y)
    data = hold_out(labelled(read_data("data.npz")), 0.2, 0)
    assert np.bincount(data.y_test).tolist() == [18, 2]
    again, other = (hold_out(labelled(read_data("data.npz")), 0.2, seed) for seed in (0, 1))
    assert np.array_equal(data.X_test, again.X_test)
    assert not np.array_equal(data.X_test, other.X_test)
    write_npz(n=100, y=np.repeat([0, 1, 2], [90, 9, 1]))  # one row cannot be in both parts
    assert len(hold_out(labelled(read_data("data.npz")), 0.2, 0).y_test) == 20
