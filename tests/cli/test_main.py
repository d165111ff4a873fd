"""Help, ``zorb datasets``, ``zorb demo``, progress bars, and the command in a process."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from sklearn_zorb.cli import demo, main, progress
from sklearn_zorb.cli.data import labelled, read_data
from sklearn_zorb.cli.models import build_model

pytest.importorskip("pandas")


def test_no_arguments_print_help(zorb):
    out = zorb()
    assert "usage: zorb" in out and "exit codes" in out and "trust" in out
    for command in ("fit", "predict", "evaluate", "summary", "demo", "datasets"):
        assert command in out


@pytest.mark.parametrize("argv", [["--help"], ["fit", "--help"], ["--version"]])
def test_help_and_version(capsys, argv):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 0 and capsys.readouterr().out


def test_datasets_lists_names(zorb, elsewhere, monkeypatch):
    out = zorb("datasets")
    assert "not set" in out
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert lines["iris"] == ["iris", "classification", "yes", "scikit-learn"]
    assert lines["mnist"] == ["mnist", "classification", "no", "OpenML"]
    monkeypatch.setenv("SKLEARN_ZORB_DATA", str(elsewhere))
    np.savez("mnist.npz", x=np.zeros(1))
    entries = {entry["name"]: entry for entry in json.loads(zorb("datasets", "--json"))}
    assert entries["mnist"]["available"] and entries["mnist"]["source"].endswith("mnist.npz")
    assert str(elsewhere) in zorb("datasets")


def test_named_tables_can_be_fitted(zorb, pets, elsewhere, monkeypatch):
    (elsewhere / "tabular").mkdir()
    text = pets.read_text().replace("owner", "target")
    (elsewhere / "tabular" / "pets.csv").write_text(text)
    monkeypatch.setenv("SKLEARN_ZORB_DATA", str(elsewhere))
    result = json.loads(zorb("fit", "pets", "--json", "--save", "m"))
    assert result["task"] == "classification" and result["n_features"] == 3
    assert "accuracy 1.0" in zorb("evaluate", "pets", "--load", "m")
    # the task that the set names is that of its own target
    index = {"pets": {"task": "classification"}}
    (elsewhere / "tabular" / "index.json").write_text(json.dumps(index))
    assert read_data("pets").task == "classification"
    assert read_data("pets", target="weight").task is None


def strict_json(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_json_has_null_for_what_is_not_finite(capsys, write_npz):
    """R2 of a single row is not defined."""
    write_npz(n=12)
    small = ["data.npz", "--network", "Dense[2] Tanh", "--json"]
    assert main(["fit", *small, "--test-size", "0.01"]) == 0
    scores = strict_json(capsys.readouterr().out)["test"]
    assert scores["r2"] is None and scores["mean_absolute_error"] > 0
    assert main(["evaluate", *small, "--folds", "12"]) == 0
    result = strict_json(capsys.readouterr().out)
    assert result["scores"]["r2"] == [None] * 12 and result["mean"]["r2"] is None


def test_only_the_result_goes_to_standard_output(capsys):
    argv = ["fit", "iris", "--network", "Dense[2] Tanh", "--param", "verbose=1", "--json"]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert strict_json(out)["task"] == "classification" and "dense_1" in err


def test_the_command_in_a_process(elsewhere):
    command = [sys.executable, "-m", "sklearn_zorb.cli"]
    good = subprocess.run([*command, "datasets"], capture_output=True, text=True)
    assert good.returncode == 0 and "two_spirals" in good.stdout and good.stderr == ""
    bad = subprocess.run([*command, "fit", "irys"], capture_output=True, text=True)
    assert bad.returncode == 2 and bad.stdout == ""
    assert bad.stderr.startswith("zorb: error: ") and bad.stderr.count("\n") == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("with_rich", [True, False])
@pytest.mark.parametrize("total", [3, None])
def test_progress_shows_on_a_terminal(monkeypatch, with_rich, total):
    if with_rich:
        pytest.importorskip("rich")
    else:
        monkeypatch.setitem(sys.modules, "rich.progress", None)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress("Work", total) as advance:
        for _ in range(3):
            advance("Next")
    shown = terminal.getvalue()
    assert "Work" in shown or "Next" in shown
    if not with_rich and total:
        assert "3/3" in shown and "#" * 30 in shown


def test_progress_is_silent_elsewhere(capsys):
    with progress.progress("Work", 1) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


def test_demo_draws_and_tells(zorb, elsewhere, monkeypatch):
    pytest.importorskip("matplotlib")
    methods, quick = demo.demo_methods, {"classification": GaussianNB(), "regression": Ridge()}
    monkeypatch.setattr(
        demo, "demo_methods", lambda task, seed: dict.fromkeys(methods(task, seed), quick[task])
    )
    out = zorb("demo", "--datasets", "wine", "diabetes", "--output", "plot.png")
    for method in ("ZORB", "LogisticRegression", "Ridge", "RandomForest", "MLP"):
        assert method in out
    assert "accuracy" in out and "R2" in out and "plot saved to plot.png" in out
    assert (elsewhere / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_demo_fits_without_matplotlib(zorb, elsewhere, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = json.loads(zorb("demo", "--datasets", "wine", "--no-plot", "--json"))
    assert result["plot"] is None and len(result["results"]) == 4
    assert all(len(row["scores"]) == 5 for row in result["results"])
    assert all(np.mean(row["scores"]) > 0.9 for row in result["results"])
    assert not list(elsewhere.glob("*.png"))


def test_demo_stars_the_best():
    rows = [
        {"dataset": "d", "metric": "R2", "method": m, "scores": [s], "fit_seconds": [0.1]}
        for m, s in (("A", 0.1), ("B", 0.5))
    ]
    lines = demo.format_results(rows).splitlines()
    assert "*" not in lines[2] and "0.500 +- 0.000 *" in lines[3]


def test_demo_refuses_tables(fails, elsewhere, monkeypatch):
    (elsewhere / "tabular").mkdir()
    (elsewhere / "tabular" / "t.csv").write_text("a,target\n1,2\n")
    monkeypatch.setenv("SKLEARN_ZORB_DATA", str(elsewhere))
    code, error = fails("demo", "--no-plot", "--datasets", "t")
    assert code == 2 and "numbers only" in error


def test_build_model_is_a_pipeline(pets, write_npz):
    data = labelled(read_data(str(pets)))
    assert [name for name, _ in build_model(data).pipeline.steps] == ["prepare", "network"]
    write_npz()
    data = labelled(read_data("data.npz"))
    assert [name for name, _ in build_model(data).pipeline.steps] == ["network"]
