"""``zorb fit``, and the tables it reads."""

import json
from decimal import Decimal

import numpy as np
import pytest
from command_line import SMALL, read_csv, saved

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.cli import main

pandas = pytest.importorskip("pandas")


def kinds():
    """The kind of each column that the saved model was fitted on."""
    return {column.name: column.kind for column in saved().model_.schema.columns}


def test_fit_prints_scores_of_both_parts(zorb):
    out = zorb("fit", "iris", *SMALL, "--seed", 1)
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
    assert saved().relaxation == 0.5 and saved().readout == "last"


def test_images_reach_the_layers_as_images(zorb):
    rng = np.random.default_rng(0)
    images, y = rng.integers(0, 256, (40, 6, 6), dtype=np.uint8), np.arange(40) % 2
    np.savez("images.npz", x_train=images, y_train=y, x_test=images[:10], y_test=y[:10])
    argv = ("fit", *SMALL, "images.npz", "--save", "m", "--json")
    result = json.loads(zorb(*argv, "--network", "Conv2D[2,3] ReLU Flatten"))
    assert (result["n_train"], result["n_test"], result["n_features"]) == (40, 10, 36)
    assert saved().input_shape == (6, 6, 1)
    zorb(*argv, "--network", "Dense[4] Tanh")
    assert saved().input_shape is None


def test_a_table_with_text_and_missing_values(zorb, pets):
    result = json.loads(zorb("fit", *SMALL, pets, "--json", "--save", "m"))
    assert result["task"] == "classification" and result["n_features"] == 3
    assert result["test"]["accuracy"] == 1
    assert kinds() == {"kind": "category", "weight": "number", "colour": "category"}


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
        assert [*{"a", "b", "c", "target"} & set(kinds())] and target not in kinds()


def test_new_rows_are_read_as_the_old_ones(zorb, notes, capsys, pets, elsewhere):
    """Other order of columns, unknown and missing values, no target, numbers as text."""
    zorb("fit", *SMALL, pets, "--save", "m")
    (elsewhere / "new.csv").write_text("more,weight,colour,kind\n1,4,7,cat\n2,,,\n3,9,8,bird\n")
    said = notes("predict", "new.csv", "--load", "m", "--output", "out.csv").splitlines()
    assert "columns that the model does not know are left out: 'more'" in said[0]
    assert (
        "'kind': 1 of 3 rows have a category that the model has not seen, such as 'bird'" in said[1]
    )
    assert "'colour': 2 of 3 rows" in said[2]
    header, rows = read_csv((elsewhere / "out.csv").read_text())
    assert header == ["prediction"] and rows[0] == ["a"] and len(rows) == 3


def test_text_stays_text_where_it_looks_like_numbers(zorb, elsewhere):
    """Area codes: a file may by chance hold those of digits only."""
    rows = [f"{code},{code}" for code in ("01", "02", "x3") * 10]
    (elsewhere / "old.csv").write_text("\n".join(["code,owner", *rows]))
    (elsewhere / "new.csv").write_text("code\n01\n02\n")
    zorb("fit", *SMALL, "old.csv", "--save", "m")
    assert read_csv(zorb("predict", "new.csv", "--load", "m"))[1] == [["01"], ["02"]]


@pytest.fixture
def columns(elsewhere):
    """Fit to a table that holds these lines, for the kinds of its columns and the model."""

    def fit(*lines, path="t.csv"):
        if lines:
            (elsewhere / path).write_text("\n".join(lines))
        assert main(["fit", *SMALL, path, "--save", "m", "--test-size", "0"]) == 0
        return kinds(), saved()

    return fit


def test_a_table_goes_to_the_estimator_as_it_is(columns, pets):
    frame = pandas.read_csv(pets)
    X, y = frame.drop(columns="owner"), frame["owner"]
    reference = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, y)
    _, model = columns(path="pets.csv")
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X))


@pytest.mark.parametrize("header", ["a,b,c", "a,b,c,"])
def test_a_comma_at_the_end_of_rows_shifts_no_column(columns, header):
    kinds, model = columns(header, *(f"{i},{10 * i},{i % 2}," for i in range(20)))
    assert kinds == {"a": "number", "b": "number"}
    assert model.classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "123456789012345678901234567890"], [1, 123456789012345678901234567890]),
        (["-1", "12345678901234567890"], [-1, 12345678901234567890]),
        (["0.5", "123456789012345678901234567890", ""], [0.5, 1.2345678901234568e29, np.nan]),
        (["True", "", "False"], [1, np.nan, 0]),
    ],
)
def test_numbers_are_numbers_where_pandas_leaves_them(columns, cells, numbers):
    y = np.arange(4 * len(cells)) / 3
    kinds, model = columns("a,b", *(f"{cell},{t}" for cell, t in zip(cells * 4, y, strict=True)))
    assert kinds == {"a": "number"}
    X = pandas.DataFrame({"a": np.tile(np.array(numbers, dtype=float), 4)})
    reference = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), reference.predict(X))


def test_decimals_of_parquet_are_numbers(columns, elsewhere):
    pytest.importorskip("pyarrow")
    table = {"a": [Decimal("1.50"), None], "b": [True, None], "c": ["1", "2"], "d": ["x", None]}
    table = {name: values * 4 for name, values in table.items()}
    pandas.DataFrame({**table, "y": np.arange(8) / 3}).to_parquet("t.parquet")
    kinds, _ = columns(path="t.parquet")
    assert kinds == {"a": "number", "b": "number", "c": "category", "d": "category"}


def test_a_column_is_read_as_a_whole(columns):
    """What comes first in a long file must not decide how a category is written."""
    rows = [f"1.50{64 * ',1'},{i % 2}" for i in range(20_000)]
    header = ",".join(["a", *map(str, range(64)), "y"])
    _, model = columns(header, *rows, f"x{64 * ',1'},1")
    assert model.model_.schema.columns[0].levels == ("1.50", "x")


def test_parquet_gives_what_csv_gives(zorb, pets):
    pytest.importorskip("pyarrow")
    pandas.read_csv(pets).to_parquet("pets.parquet")
    results = [json.loads(zorb("fit", *SMALL, path, "--json")) for path in (pets, "pets.parquet")]
    assert results[0]["test"] == results[1]["test"]


@pytest.mark.parametrize("classes", [(1, 2), (True, False), (2**64 - 1, 2**64 - 2)])
def test_classes_are_predicted_as_they_are_written(zorb, elsewhere, classes):
    rows = [f"{i % 2 + 0.1 * (i % 5)},{classes[i % 2]}" for i in range(40)]
    (elsewhere / "t.csv").write_text("\n".join(["a,b", *rows]))
    zorb("fit", *SMALL, "t.csv", "--save", "m")
    assert saved().classes_.tolist() == sorted(classes)
    result = json.loads(zorb("predict", "t.csv", "--load", "m", "--json"))
    assert set(result["prediction"]) == set(classes)
    header, predicted = read_csv(zorb("predict", "t.csv", "--load", "m", "--proba"))
    assert header[1:] == [f"probability_{name}" for name in sorted(classes)]
    assert [row[0] for row in predicted] == [row.split(",")[1] for row in rows]
    assert "accuracy 1.0" in zorb("evaluate", "t.csv", "--load", "m")
    assert "r2 " in zorb("evaluate", "t.csv", *SMALL, "--task", "regression")


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["x", "y"] * 10, "classification"), ([0, 1] * 10, "classification"),
        ([0.0, 1.0] * 10, "classification"), ([0.5, 1.5] * 10, "regression"),
        (list(range(20)), "regression"),
    ],
)  # fmt: skip
def test_the_task_is_told_from_the_target(zorb, values, task, write_npz):
    write_npz(n=20, y=np.array(values))
    assert json.loads(zorb("fit", *SMALL, "data.npz", "--json"))["task"] == task


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


def test_held_out_rows_keep_the_shares_of_the_classes(zorb, write_npz):
    """Columns tell rows apart: those that a model has not seen are the ones it was tested on."""

    def parts(y, seed):
        write_npz(n=100, X=np.eye(100), y=y)
        argv = ("fit", "data.npz", "--network", "Identity", "--seed", seed, "--save", "m")
        zorb(*argv, "--test-size", 0.2)
        means = saved().params_[0]["mean"]
        return np.flatnonzero(means == 0)

    y = np.repeat([0, 1], [90, 10])
    tested = parts(y, 0)
    assert np.bincount(y[tested]).tolist() == [18, 2]
    assert np.array_equal(tested, parts(y, 0)) and not np.array_equal(tested, parts(y, 1))
    # one row cannot be in both parts
    assert len(parts(np.repeat([0, 1, 2], [90, 9, 1]), 0)) == 20
