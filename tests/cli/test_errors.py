"""Bad input gives exit code 2 and one line that says what to do; failures give 1."""

import sys
import warnings

import joblib
import numpy as np
import pytest
from command_line import SMALL
from damage import Runs, damaged, foreign
from sklearn.linear_model import LinearRegression

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.cli import main

pandas = pytest.importorskip("pandas")


BAD_ARGUMENTS = [
    (["fit"], "required: DATA (see zorb fit --help)"),
    (["dance"], "invalid choice: 'dance'"),
    (["fit", "iris", "--dance"], "unrecognized arguments: --dance"),
    (["fit", "iris", "--samples", "0"], "--samples: expected a whole number of at least 1"),
    (["fit", "iris", "--samples", "few"], "--samples: expected a whole number of at least 1"),
    (["fit", "iris", "--seed", "-1"], "--seed: expected a whole number from 0"),
    (["fit", "iris", "--test-size", "1"], "--test-size: expected a share from 0 up to 1"),
    (["fit", "iris", "--task", "clustering"], "--task: invalid choice"),
    (["evaluate", "iris", "--folds", "1"], "--folds: expected a whole number of at least 2"),
    (["predict", "iris"], "required: --load"),
    (["summary"], "summary takes DATA or --load MODEL"),
    (["evaluate", "iris", "--load-weights", "w.npz"], "give --load MODEL too"),
    (["evaluate", "iris", "--load", "m", "--network", "Tanh"], "--network, --param and --task"),
    (["fit", "iris", "--target", "a"], "--target is for tables"),
    (["fit", "nowhere.csv"], "there is no file 'nowhere.csv'"),
    (["fit", "irys"], "did you mean 'iris'?"),
    (["fit", "iris", "--save", "nowhere/m"], "'nowhere/m': its folder does not exist"),
    (["fit", "iris", "--save", "."], "'.': it is a folder"),
    (["fit", "iris", "--save-weights", "nowhere/w"], "its folder does not exist"),
    (["predict", "iris", "--load", "m", "--output", "nowhere/o"], "its folder does not exist"),
    (["fit", "iris", "--network", "Dense[0]"], "units"),
    (["fit", "iris", "--network", "Conv2D[8,3]"], "input_shape"),
    (["fit", "iris", "--param", "alpha=-1"], "alpha"),
    (["fit", "iris", "--param", "relaxation"], "--param takes NAME=VALUE, got 'relaxation'"),
    (["fit", "iris", "--param", "layers=Tanh"], "--param layers: the layers are --network"),
    (["fit", "iris", "--param", "random_state=3"], "--param random_state: the seed is --seed"),
    (["fit", "iris", "--target", "a", "--target", "b"], "--target: given twice, as 'a' and 'b'"),
    (["fit", "iris", "--param", "dance=1"], "Invalid parameter 'dance'"),
    (["fit", "iris", "--task", "classification", "--samples", "1"], ""),
    (["evaluate", "iris", "--folds", "80"], "n_splits=80"),
    (["predict", "iris", "--load", "m"], "there is no file 'm'"),
    (["demo", "--datasets", "wine", "--output", "nowhere/x.png"], "its folder does not exist"),
    (["demo", "--datasets", "irys"], "did you mean 'iris'?"),
]


@pytest.mark.parametrize(("argv", "message"), BAD_ARGUMENTS)
def test_bad_arguments(refuses, argv, message):
    refuses(message, *argv)


def test_the_fault_in_a_layer_text_is_pointed_at(fails):
    code, error = fails("fit", "iris", "--network", "Dense[4] Foo")
    message, text, caret = error.split("\n")
    assert code == 2 and "Foo" in message
    assert text[caret.index("^") :] == "Foo"


BAD_TABLES = [
    ("", "cannot read"),
    ("a,b\n", "has no rows"),
    ("a\n1\n2\n", "no column besides the target 'a'"),
    ('a,b\n1,"2\n', "cannot read"),
    ("a,b\n1,2,3\n4,5,6,7\n", "cannot read"),
    ("a,b\n1,2,3\n4,5,6\n", "cannot read 't.csv': rows have more fields than the header: 'a', 'b'"),
    ("a,b\n1,2,,\n4,5,,\n", "cannot read 't.csv': rows have more fields than the header: 'a', 'b'"),
    ("b,a, b,c,a\n1,2,3,4,5\n", "cannot read 't.csv': several columns are named 'b', 'a'"),
    ("a,b\n1,x\n2,\n3,y\n", "1 targets are missing"),
    ("a,b\n1,x\n2,None\n3,y\n", "empty cells and words such as NA, nan or None count as missing"),
    ("a,b\n1,1\n2,\n3,2\n", "1 targets are missing"),
    ("a,b\n1,x\n2,x\n3,x\n4,x\n", "class"),
    ("a,b\ninf,1\n2,2\n3,1\n4,2\n", "infinity"),
]


@pytest.mark.parametrize(("content", "message"), BAD_TABLES)
def test_bad_tables(refuses, elsewhere, content, message):
    (elsewhere / "t.csv").write_text(content)
    refuses(message, "fit", "t.csv", "--test-size", 0)


def test_more_bad_tables(refuses, elsewhere, pets):
    refuses("no column 'age'; the columns are 'kind', 'weight'", "fit", pets, "--target", "age")
    refuses("regression needs numbers", "fit", pets, "--task", "regression")
    np.savez("text.npz", X=np.ones((3, 2)), y=["a", "b", "a"])
    refuses("the targets are text: 'a', ...", "fit", "text.npz", "--task", "regression")
    (elsewhere / "t.txt").write_text("a,b\n1,2\n")
    refuses("give a file .csv, .tsv", "fit", "t.txt")
    (elsewhere / "t.parquet").write_text("PAR1 or not")
    refuses("cannot read", "fit", "t.parquet")
    pytest.importorskip("pyarrow")
    lists = pandas.DataFrame({"a": [[1, 2], [3]] * 4, "y": [0, 1] * 4})
    lists.to_parquet("lists.parquet")
    refuses("column 'a' of X holds ndarray", "fit", "lists.parquet")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".npz"])
def test_damaged_data(capsys, elsewhere, write_npz, ending):
    """Whatever a file holds, it is read or there is one line of an error, without its type."""
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": rng.normal(size=20), "b": ["x", "y"] * 10, "c": [0, 1] * 10})
    write_npz(n=20)
    if ending != ".npz":
        getattr(frame, f"to_{ending.split('.')[1]}")(f"data{ending}", index=False)
    whole = (elsewhere / f"data{ending}").read_bytes()
    for content in damaged(whole, 20, 10, 10):
        (elsewhere / f"data{ending}").write_bytes(content)
        code = main(["fit", f"data{ending}", *SMALL])
        lines = capsys.readouterr().err.splitlines()
        errors = [line for line in lines if not line.startswith("zorb: warning: ")]
        assert len(errors) == (code == 2) and code in (0, 2)
        assert all(line.startswith("zorb: error: ") for line in errors)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": None}, "must hold the arrays X, y"),
        ({"y": None}, "have no targets"),
        ({"y": np.ones(3)}, "has 80 rows but 3 targets"),
        ({"X": np.ones((0, 2)), "y": np.ones(0)}, "have no rows"),
        ({"y": np.full(80, np.nan)}, "80 targets are missing"),
        ({"X": np.full((80, 1), {})}, "not a readable NPZ file of plain arrays"),
        ({"y": np.ones(80, dtype=int)}, "class"),
        ({"X": np.ones(())}, "x must hold rows, got a single value"),
        ({"y": np.ones(())}, "y must hold rows, got a single value"),
        ({"x_test": np.ones(()), "y_test": np.ones(())}, "x_test must hold rows"),
        ({"y": np.full(80, b"a")}, "y must hold numbers or text, got |S1"),
        ({"X": np.ones((80, 2), "M8[D]")}, "x must hold numbers or text, got datetime64[D]"),
        ({"y_test": np.ones(80)}, "y_test without x_test"),
        ({"x": np.ones((80, 1))}, "differ in case only"),
    ],
)
def test_bad_npz(refuses, arrays, message, write_npz):
    write_npz(**arrays)
    refuses(message, "fit", "data.npz")


def test_rows_that_do_not_fit_the_model(refuses, zorb, pets, elsewhere):
    zorb("fit", *SMALL, pets, "--save", "table")
    zorb("fit", *SMALL, "iris", "--save", "arrays")
    (elsewhere / "few.csv").write_text("kind,weight\ncat,4\n")
    (elsewhere / "text.csv").write_text("kind,weight,colour\ncat,heavy,red\n")
    for data, model, message in (
        ("few.csv", "table", "fit saw 'colour', which are missing now"),
        ("text.csv", "table", "column 'weight' of X holds text, and held numbers in fit"),
        ("iris", "table", "the model was fitted on a table"),
        (pets, "arrays", "the model was fitted on arrays"),
        ("wine", "arrays", "features"),
    ):
        refuses(message, "predict", data, "--load", model)
    refuses(
        "there is no column 'age'", "evaluate", "text.csv", "--load", "table", "--target", "age"
    )
    (elsewhere / "bare.csv").write_text("kind,weight,colour\ncat,4,red\n")
    refuses("have no targets", "evaluate", "bare.csv", "--load", "table")


def test_targets_of_another_kind_are_not_scored(fails, zorb, pets, elsewhere):
    zorb("fit", *SMALL, pets, "--save", "m")
    (elsewhere / "new.csv").write_text("kind,weight,colour,owner\ncat,4,red,0.5\n")
    for argv, first in (([], "0.5"), (["--target", "weight"], "4")):
        code, error = fails("evaluate", "new.csv", "--load", "m", *argv)
        assert code == 2
        assert error == f"none of the targets ({first!r}, ...) is a class of the model ('a', 'b')"


def test_proba_is_for_classes(refuses, zorb):
    zorb("fit", *SMALL, "diabetes", "--save", "m")
    refuses("--proba is for classification", "predict", "diabetes", "--load", "m", "--proba")


@pytest.mark.parametrize(
    ("argv", "first", "second", "path"),
    [
        ("fit pets.csv --save pets.csv", "--save", "DATA", "pets.csv"),
        ("fit pets.csv --save-weights ../{here}/pets.csv", "--save-weights", "DATA", "pets.csv"),
        ("fit pets.csv --save linked", "--save", "DATA", "linked"),
        ("fit pets.csv --save m --save-weights ./m", "--save", "--save-weights", "m"),
        ("predict pets.csv --load m --output pets.csv", "--output", "DATA", "pets.csv"),
        ("predict iris --load linked --output linked", "--output", "--load", "linked"),
        ("predict iris --load m --load-weights linked --output linked", "--output",
         "--load-weights", "linked"),
    ],
)  # fmt: skip
def test_nothing_is_written_over_what_is_read(fails, pets, elsewhere, argv, first, second, path):
    (elsewhere / "linked").symlink_to(pets)
    before = pets.read_text()
    code, error = fails(*argv.format(here=elsewhere.name).split())
    assert code == 2 and pets.read_text() == before
    assert first in error and second in error and path in error and "one file" in error


def test_a_name_of_data_is_no_file_to_spare(zorb, elsewhere):
    zorb("fit", *SMALL, "iris", "--save", "iris")
    assert (elsewhere / "iris").is_file()


def test_a_folder_without_permission_is_told_before_the_fit(fails, monkeypatch):
    """For root, which may write anywhere, by a stand-in."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    code, error = fails("fit", "nowhere.csv", "--save", "m")
    assert code == 2 and error == "cannot write 'm': no permission"


@pytest.mark.parametrize("locked", ["m", "."])
def test_a_file_and_its_folder_must_be_writable(fails, monkeypatch, elsewhere, locked):
    """A new file is moved into the folder, and one that may not be changed stays."""
    (elsewhere / "m").touch()
    denied = (elsewhere / locked).resolve()
    monkeypatch.setattr("os.access", lambda path, mode: path != denied)
    code, error = fails("fit", "nowhere.csv", "--save", "m")
    assert code == 2 and error == "cannot write 'm': no permission"


def test_files_that_are_no_models(refuses, zorb, elsewhere):
    """However they came to be, the message is one line and the exit code 2."""
    zorb("fit", *SMALL, "iris", "--save", "m")
    whole = (elsewhere / "m").read_bytes()
    for content in (*foreign(whole).values(), *damaged(whole, 10, 5, 5)):
        (elsewhere / "m").write_bytes(content)
        refuses("'m' ", "predict", "iris", "--load", "m")
    assert Runs.ran == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x05 damaged", "'m' is no readable pickle: "),
        ({"format": "other"}, "holds NoneType, not an estimator"),
        ([1, 2], "holds list, not an estimator"),
        ({"model": LinearRegression()}, "holds LinearRegression, not an estimator"),
    ],
)
def test_pickles_that_are_no_models(refuses, elsewhere, content, message):
    if isinstance(content, bytes):
        (elsewhere / "m").write_bytes(content)
    else:
        joblib.dump(content, "m")
    for argv in (["predict", "iris"], ["evaluate", "iris"], ["summary"]):
        refuses(message, *argv, "--load", "m", "--trust")


def test_weights_that_are_not_arrays_stay_in_the_model(fails, zorb):
    """The default network holds a forest."""
    code, error = fails("fit", "iris", "--samples", 80, "--save", "m", "--save-weights", "w.npz")
    assert code == 2 and "not an array" in error and "use --save and --load" in error
    assert "accuracy" in zorb("evaluate", "iris", "--load", "m")  # saved before that


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (np.linalg.LinAlgError("singular"), 1, "singular"),
        (RuntimeError("two\nlines"), 1, "two lines"),
        (MemoryError(), 1, "MemoryError"),
        (KeyError("a"), 1, "KeyError: 'a'"),
        (PermissionError("not yours"), 1, "not yours"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_failures(fails, monkeypatch, error, code, message):
    def fail(self, *args, **options):
        raise error

    monkeypatch.setattr(ZORBClassifier, "fit", fail)
    got_code, got_message = fails("fit", "iris")
    assert got_code == code and got_message.startswith(message)


def test_debug_shows_the_traceback():
    with pytest.raises(ValueError, match="irys"):
        main(["fit", "irys", "--debug"])


@pytest.mark.parametrize(
    ("package", "argv", "extra"),
    [
        ("pandas", ["fit", "pets.csv"], "table"),
        ("pyarrow", ["fit", "pets.parquet"], "parquet"),
        ("matplotlib", ["demo"], "demo"),
    ],
)
def test_a_missing_package_names_its_extra(fails, monkeypatch, pets, package, argv, extra):
    (pets.parent / "pets.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    code, error = fails(*argv)
    assert code == 1 and package in error and f'pip install "sklearn-zorb[{extra}]"' in error


def test_warnings_are_one_line(capsys, monkeypatch):
    fit = ZORBClassifier.fit

    def warn(self, X, y, sample_weight=None):
        warnings.warn("mind\nthe gap", UserWarning, stacklevel=1)
        return fit(self, X, y, sample_weight)

    monkeypatch.setattr(ZORBClassifier, "fit", warn)
    assert main(["fit", "iris", *SMALL]) == 0
    assert capsys.readouterr().err == "zorb: warning: mind the gap\n"
