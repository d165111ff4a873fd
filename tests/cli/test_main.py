"""Help, ``zorb datasets``, ``zorb demo``, progress bars, and the command in a process."""

import io
import json
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import SMALL

from sklearn_zorb.cli import main
from sklearn_zorb.cli.demo import mark_ties
from sklearn_zorb.cli.progress import progress

pytest.importorskip("pandas")


def test_no_arguments_print_help(zorb):
    out = zorb()
    assert "usage: zorb" in out and "exit codes" in out and "trust" in out
    for command in ("fit", "predict", "evaluate", "summary", "report", "demo", "datasets"):
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
    argv = ("fit", "pets", "--json", "--network", "Dense[2] Tanh")
    assert json.loads(zorb(*argv))["task"] == "classification"
    numbers = pets.read_text().replace("owner", "target").replace(",,", ",1.5,")
    (elsewhere / "tabular" / "pets.csv").write_text(numbers)
    assert json.loads(zorb(*argv, "--target", "weight"))["task"] == "regression"


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


def test_progress_shows_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    for argv, shown in ((["evaluate", "--folds", "3"], "Cross-validation"), (["fit"], "Fitting")):
        assert main([argv[0], "iris", *argv[1:], *SMALL]) == 0
        assert shown in terminal.getvalue()
    assert f"[{10 * '#':<30}] 1/3" in terminal.getvalue()
    assert f"[{30 * '#'}] 3/3" in terminal.getvalue()


def test_progress_elsewhere_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr("sklearn_zorb.cli.progress.EVERY", 0.05)
    with progress("Fitting 10 rows") as advance:
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 6 and lines[0].startswith("zorb: Fitting 10 rows ... ")
    with progress("Folds", 3) as advance:
        advance("second fold")
        time.sleep(0.3)
    assert "zorb: second fold 1/3, 0 s" in capsys.readouterr().err.splitlines()


@pytest.mark.slow
def test_demo_draws_and_tells(zorb, elsewhere):
    pytest.importorskip("matplotlib")
    out = zorb("demo", "--datasets", "diabetes", "--output", "plot.png")
    for method in ("ZORB", "Linear", "RandomForest", "HistGradientBoosting", "MLP"):
        assert method in out
    assert "R2" in out and "RMSE" in out and "plot saved to plot.png" in out
    assert (elsewhere / "plot.png").read_bytes().startswith(b"\x89PNG")
    # the best score has a star, and those within the error a sign of equality
    scores = re.findall(r"R2 (\d\.\d+) \+- \d\.\d+ (.) ", out)
    assert len(scores) == 5
    assert [mark for _, mark in sorted(scores, reverse=True)][:2] == ["*", "="]
    made = re.search(r"^diabetes +(.*)$", out.partition("made of")[2], re.MULTILINE)[1]
    assert sum(float(share) for share in re.findall(r"\d\.\d+", made)) == pytest.approx(1, abs=0.02)


@pytest.mark.slow
def test_demo_reads_text_and_gaps_and_fits_without_matplotlib(zorb, elsewhere, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = json.loads(zorb("demo", "--datasets", "flats", "--no-plot", "--json"))
    assert result["plot"] is None and len(result["results"]) == 5
    assert all(len(row["scores"]) == len(row["losses"]) == 5 for row in result["results"])
    assert all(np.mean(row["scores"]) > 0.75 for row in result["results"])
    assert not list(elsewhere.glob("*.png"))


def test_ties_are_told_by_the_differences_of_folds():
    noise = np.array([0.0, 0.1, 0.2, 0.1, 0.3])
    rows = [
        {"scores": list(0.5 + noise), "losses": list(1 - noise)},
        {"scores": list(0.49 + noise), "losses": list(1.01 - noise)},
        {"scores": list(0.49 + noise[::-1]), "losses": list(1.01 - noise[::-1])},
    ]
    mark_ties(rows)
    # always behind by .01 is behind; at times ahead, at times behind is a tie
    assert [row["scores mark"] for row in rows] == ["*", "", "="]
    assert [row["losses mark"] for row in rows] == ["*", "", "="]
