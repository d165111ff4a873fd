"""What is hardly meant is said aloud on standard error."""

import numpy as np
import pytest
from command_line import SMALL, read_csv, saved

from sklearn_zorb import ZORBRegressor

pandas = pytest.importorskip("pandas")

DAYS = pandas.date_range("2024-01-01", periods=40, freq="25h")
VALUES = np.random.default_rng(0).normal(40_000, 9_000, 40)


@pytest.fixture
def fit(elsewhere, notes):
    """Fit to a table of a column, of another and of a target; returns what was noted."""

    def run(cells, target=None, **columns):
        n = len(cells)
        target = np.arange(n) % 2 if target is None else target
        frame = pandas.DataFrame(
            {"cell": list(cells), "other": VALUES[:n], **columns, "target": target}
        )
        frame.to_csv("t.csv", index=False)
        return notes("fit", "t.csv", *SMALL, "--save", "m")

    return run


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (DAYS.strftime("%d.%m.%Y"), "dates"),
        (DAYS.strftime("%m/%d/%Y"), "dates"),
        (DAYS.strftime("%d %b %Y"), "dates"),
        (DAYS.strftime("%b %d, %Y"), "dates"),
        ([*DAYS.strftime("%Y-%m-%d")[:-1], "unknown"], "dates"),
        ([f"${v:,.2f}" for v in VALUES], "numbers"),
        ([f"{v:.2f} €" for v in VALUES], "numbers"),
        ([f"EUR {v:.2f}" for v in VALUES], "numbers"),
        ([f"{v / 1000:.1f}%" for v in VALUES], "numbers"),
        ([f"{v / 1000:.1f} kg" for v in VALUES], "numbers"),
        ([f"{v:,.2f}" for v in VALUES], "numbers"),
        ([f"{v:,.2f}".replace(",", "'") for v in VALUES], "numbers"),
        ([f"{v:,.2f}".replace(",", "\u202f") for v in VALUES], "numbers"),
        ([f"\u2212{v:.2f}" for v in VALUES], "numbers"),
        ([f"({v:.2f})" for v in VALUES], "numbers"),
        (["1", "2.5", "-3", "4", "?", "5"] * 2, "numbers"),
    ],
)
def test_text_that_looks_like_numbers_or_dates(fit, cells, kind):
    said = fit(cells)
    assert f"column 'cell' looks like {kind}" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "cells",
    [["1", "x", "2"], ["2,x", "3", "x-1"], ["red", "blue"], ["v1.2", "v2.0"], ["A12", "B7"],
     ["10-20", "20-30"], ["+", "-"], ["q1 2024", "q2 2024"]],
)  # fmt: skip
def test_text_that_is_text(fit, cells):
    assert fit(cells * 4) == ""


def test_iso_dates_are_dates(fit, zorb, notes, elsewhere):
    """Whatever time they have, they keep their order: a later day is predicted from others."""
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"):
        said = fit(DAYS.strftime(form), target=np.arange(40) / 3)
        assert "column 'cell' is read as dates" in said and said.count("\n") == 1
        assert saved().model_.schema.columns[0].kind == "time"
        zorb("predict", "t.csv", "--load", "m")  # without a further note
    assert "is read as dates" not in fit(["2024-02-30", "2024-02-29"] * 10)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("0.35,-1.20,0.71", "the first row is taken for the header"),
        ("0.35,-1.20,high", "the first row is taken for the header"),
        ("5,3,1", "the first row is taken for the header"),
        ("0,1,target", ""),
        ("a,b,c", ""),
        (",a,b", "the first column has no name"),
        ("Unnamed: 0,a,b", "the first column has no name"),
    ],
)
def test_headers(notes, elsewhere, header, said):
    rows = [f"{i % 7},{i % 3},{i / 3}" for i in range(20)]
    (elsewhere / "t.csv").write_text("\n".join([header, *rows]))
    shown = notes("fit", "t.csv", *SMALL, "--save", "m")
    assert said in shown and shown.count("\n") == bool(said)
    assert saved().n_features_in_ == (1 if "no name" in said else 2)


def test_a_column_that_counts_the_rows(fit):
    for n in (np.arange(1, 41), np.random.default_rng(0).permutation(40)):
        assert "column 'n' counts the rows" in fit(VALUES, n=n)
    assert fit(VALUES, n=np.arange(40) % 30) == ""


def test_the_index_of_parquet_is_a_column(notes):
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": VALUES, "b": VALUES**2, "y": VALUES / 2}).set_index("a")
    frame.to_parquet("t.parquet")
    assert "index of the file, 'a', is read" in notes("fit", "t.parquet", *SMALL, "--save", "m")
    assert saved().feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("cells", [[f"${v:.2f}" for v in VALUES], [f"row{i}" for i in range(40)]])
def test_a_text_target_of_many_values(fit, fails, cells):
    said = fit(VALUES, target=[*cells[:30], *cells[:10]])
    assert "the targets are text: 30 classes in 40 rows" in said
    pandas.DataFrame({"a": VALUES, "target": cells}).to_csv("t.csv", index=False)
    code, error = fails("fit", "t.csv", *SMALL, noted=cells[0].startswith("$"))
    assert code == 2 and f"40 rows has a class of its own, such as {cells[0]!r}" in error


@pytest.fixture
def members(fit):
    """A table of which a model "m" knows the categories."""
    table = pandas.DataFrame({"code": ["0", "1", "2", "x"] * 10, "member": ["yes", "no"] * 20})
    table["z"] = VALUES
    table["target"] = np.where(table.code.isin(["1", "x"]), "a", "b")
    fit(VALUES, **{name: table[name] for name in table})
    return pandas.read_csv("t.csv", dtype={"code": str})


@pytest.mark.parametrize("form", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("code", lambda c: c.replace("x", "0") + ".0", "'code': 40 cells are read as"),
        (
            "member",
            lambda m: m + " ",
            "'member': 40 cells are read as",
        ),
        ("member", lambda m: m.str.upper(), "'member': 40 of 40 rows have a category that the mod"),
        ("code", lambda c: c.replace("x", "q"), "'code': 10 of 40 rows have a category that the m"),
    ],
)
def test_categories_written_otherwise(members, zorb, notes, form, column, change, said):
    if form == ".parquet":
        pytest.importorskip("pyarrow")
    known = members.replace({"code": {"x": "0"}}) if "read as" in said else members
    changed = known.assign(**{column: change(members[column])})
    for path, table in (("known", known), ("new", changed)):
        getattr(table, f"to_{form[1:]}")(path + form, index=False)
    right = zorb("predict", f"known{form}", "--load", "m")
    shown = notes("predict", f"new{form}", "--load", "m", "--output", "out.csv")
    assert said in shown and shown.count("\n") == 1
    if "read as" in said:
        with open("out.csv", encoding="utf-8") as file:
            assert file.read() == right


@pytest.mark.parametrize("labels", [("007", "001"), ("TRUE", "FALSE"), ("1", "2"), ("1e3", "2e3")])
def test_labels_are_predicted_as_they_are_written(fit, zorb, labels):
    fit(VALUES, target=np.where(VALUES > 40_000, *labels))
    header, rows = read_csv(zorb("predict", "t.csv", "--load", "m", "--proba"))
    assert header[1:] == [f"probability_{label}" for label in sorted(labels)]
    assert {row[0] for row in rows} == set(labels)
    assert "accuracy" in zorb("evaluate", "t.csv", "--load", "m")


ROWS = pandas.DataFrame({"größe": VALUES.round(2), "a": np.arange(40) % 3, "y": ["é", "b"] * 20})


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("t.csv", {"sep": ";"}, ""),
        ("t.csv", {"sep": "|"}, ""),
        ("t.csv", {"sep": ";", "decimal": ","}, "commas in numbers are read as decimal points"),
        ("t.tsv", {"sep": "\t"}, ""),
        ("t.csv", {"encoding": "utf-16"}, ""),
        ("t.csv", {"encoding": "utf-8-sig"}, ""),
        ("t.csv", {"encoding": "latin-1"}, "it is read as Windows-1252"),
        ("t.csv.gz", {}, ""),
    ],
)
def test_how_files_are_written(notes, path, options, said):
    ROWS.to_csv(path, index=False, **options)
    shown = notes("fit", path, *SMALL, "--save", "m")
    assert said in shown and shown.count("\n") == bool(said)
    model = saved()
    assert {c.name: c.kind for c in model.model_.schema.columns} == {
        "größe": "number",
        "a": "number",
    }
    assert model.classes_.tolist() == ["b", "é"]
    notes("predict", path, "--load", "m")


def test_decimal_commas_of_targets(notes):
    ROWS[["a", "größe"]].to_csv("t.csv", index=False, sep=";", decimal=",")
    notes("fit", "t.csv", *SMALL, "--save", "m", "--test-size", "0")
    X, y = ROWS[["a"]], ROWS["größe"]
    reference = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(X, y)
    np.testing.assert_allclose(saved().predict(X), reference.predict(X))
