"""What the tests of the command line share: an empty folder, a table, a runner."""

import numpy as np
import pytest

from sklearn_zorb.cli import main

PETS = ("cat,4,red,a", "dog,,blue,b", ",3,red,a", "dog,9,blue,b", "cat,5,,a", "dog,8,blue,b")
HEADER = "kind,weight,colour,owner"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder, without a data directory."""
    monkeypatch.delenv("SKLEARN_ZORB_DATA", raising=False)
    # on a slow machine, lines of progress would come between those that are looked at
    monkeypatch.setattr("sklearn_zorb.cli.progress.EVERY", 1e6)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def zorb(capsys):
    """Run a command line that should succeed; returns what it prints."""

    def run(*argv):
        code = main([str(argument) for argument in argv])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return run


@pytest.fixture
def notes(capsys):
    """Run a command line that should succeed; returns what it says on standard error."""

    def run(*argv):
        assert main([str(argument) for argument in argv]) == 0
        return capsys.readouterr().err

    return run


@pytest.fixture
def fails(capsys):
    """Run a command line that should fail; returns the code and the message."""

    def run(*argv, noted=False):
        code = main([str(argument) for argument in argv])
        out, err = capsys.readouterr()
        err = err.partition("\n")[2] if noted else err
        assert out == "" and err.startswith("zorb: error: ") and "Traceback" not in err
        return code, err.removeprefix("zorb: error: ").rstrip("\n")

    return run


@pytest.fixture
def refuses(fails):
    """Run a command line that is wrong: one line says so."""

    def run(message, *argv):
        code, error = fails(*argv)
        assert code == 2 and message in error and "\n" not in error

    return run


@pytest.fixture
def pets(elsewhere):
    """A table with text columns and missing values."""
    path = elsewhere / "pets.csv"
    path.write_text("\n".join([HEADER, *(PETS * 10)]) + "\n")
    return path


@pytest.fixture
def write_npz():
    """Write 80 rows of three features and a linear target, or other arrays, to data.npz."""

    def write(path="data.npz", n=80, **arrays):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, 3))
        y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=n)
        arrays = {"X": X, "y": y} | arrays
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
        return X, y

    return write
