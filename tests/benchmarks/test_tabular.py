"""The benchmark on tables: ranks, their tests, pairing of folds, resumption."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

# the benchmarks are no part of the installed package
sys.path.append(str(Path(__file__).resolve().parents[2]))

pytest.importorskip("pandas")
from benchmarks import common  # noqa: E402
from benchmarks.report import list_table  # noqa: E402
from benchmarks.tabular import measure, page, ranks, run, summary, tables  # noqa: E402
from benchmarks.tabular.models import LIGHT  # noqa: E402
from benchmarks.tabular.records import FIELDS, Records  # noqa: E402

KEY = {"table": "iris", "model": "ZORB", "seed": 0, "fold": 0, "max_rows": 1500}


def test_ranks_share_ties():
    scores = [[0.9, 0.8, 0.9, 0.7], [0.1, 0.2, 0.3, 0.4]]
    np.testing.assert_array_equal(ranks.ranks(scores), [[1.5, 3, 1.5, 4], [4, 3, 2, 1]])
    np.testing.assert_array_equal(ranks.ranks(scores, False), [[3.5, 2, 3.5, 1], [1, 2, 3, 4]])


def test_ranks_do_not_part_equal_sums():
    assert 0.1 + 0.2 != 0.3
    np.testing.assert_array_equal(ranks.ranks([[0.1 + 0.2, 0.3]]), [[1.5, 1.5]])


# table 5 of Demsar (2006)
@pytest.mark.parametrize("n_models, q", [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_critical_difference_is_that_of_the_published_table(n_models, q):
    expected = q * np.sqrt(n_models * (n_models + 1) / (6 * 14))
    assert ranks.critical_difference(n_models, 14) == pytest.approx(expected, rel=5e-4)


def test_friedman_is_the_chi_square_of_mean_ranks():
    scores = np.random.default_rng(0).normal(size=(12, 4)) + [0, 0, 0.5, 1]
    k, n = 4, 12
    means = [[1 + sum(other > score for other in row) for score in row] for row in scores]
    means = np.mean(means, axis=0)
    # the statistic as Demsar (2006), section 3.2.2, writes it
    statistic = 12 * n / (k * (k + 1)) * (np.sum(means**2) - k * (k + 1) ** 2 / 4)
    assert ranks.friedman(scores) == pytest.approx(chi2.sf(statistic, k - 1))


def test_cliques_are_the_largest_runs_within_the_difference():
    assert ranks.cliques([1.0, 4.0, 1.5, 2.2], 1.0) == [(1.0, 1.5), (1.5, 2.2)]
    assert ranks.cliques([1.0, 3.0], 1.0) == []
    assert ranks.cliques([3.0, 1.0, 2.0], 5.0) == [(1.0, 3.0)]


def test_diagram_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "plot.png"
    ranks.diagram("abc", [2.0, 1.2, 2.8], 1.0, "accuracy", path)
    assert path.stat().st_size > 1000


def test_only_shared_folds_are_compared():
    scores = {("a", 0): 0.5, ("a", 1): 0.9, ("b", 0): 0.6}
    rows = [
        {"table": "iris", "model": model, "seed": 0, "fold": fold, "accuracy": value}
        for (model, fold), value in scores.items()
    ]
    rows.append({"table": "wine", "model": "a", "seed": 0, "fold": 0, "accuracy": 1.0})
    shared = summary.paired(rows, ["a", "b"], "accuracy")
    assert (shared.tables, shared.folds) == (["iris"], 1)
    np.testing.assert_array_equal(shared.means, [[0.5, 0.6]])


def test_records_come_back_as_they_were(tmp_path):
    path = tmp_path / "results" / "folds.csv"
    Records(path).add(**KEY, accuracy=0.96, r2=None, extra_mb=float("nan"), note='a, "b"')
    row = Records(path).rows[0]
    assert {name: row[name] for name in KEY} == KEY
    assert (row["accuracy"], row["r2"], row["extra_mb"]) == (0.96, None, None)
    assert row["note"] == 'a, "b"'
    Records(path).add(**{**KEY, "max_rows": None})
    assert Records(path).keys() == {("iris", "ZORB", 0, 0, 1500), ("iris", "ZORB", 0, 0, None)}


def test_an_interrupted_line_is_dropped(tmp_path):
    path = tmp_path / "folds.csv"
    records = Records(path)
    records.add(**KEY, accuracy=0.96)
    whole = path.read_text()
    path.write_text(whole + "iris,ZORB,0,1,15")
    assert len(Records(path).rows) == 1
    assert path.read_text() == whole
    assert whole.splitlines()[0] == ",".join(FIELDS)


def test_dropped_folds_are_gone_from_the_file(tmp_path):
    path = tmp_path / "folds.csv"
    records = Records(path)
    for fold in (0, 1):
        records.add(**{**KEY, "fold": fold}, accuracy=0.5)
    records.drop([("iris", "ZORB", 0, 0, 1500)])
    assert [row["fold"] for row in Records(path).rows] == [1]


def test_a_run_resumes_where_it_stopped(tmp_path, monkeypatch):
    fitted = []

    def stop_after_two(model, table, train, test):
        if len(fitted) == 2:
            raise KeyboardInterrupt
        fitted.append(len(test))
        return {"accuracy": 0.9}

    monkeypatch.setattr(run, "RECORDS", tmp_path / "folds.csv")
    monkeypatch.setattr(run, "warm_up", lambda *_: None)
    monkeypatch.setattr(run, "measure", stop_after_two)
    monkeypatch.setattr(run.summary, "write", lambda rows: None)
    arguments = ["--tables", "iris", "--models", "Linear", "--seeds", "0"]
    with pytest.raises(KeyboardInterrupt):
        run.main(arguments)
    monkeypatch.setattr(run, "measure", lambda *_: fitted.append(1) or {"accuracy": 0.8})
    run.main(arguments)
    assert len(fitted) == measure.N_FOLDS
    assert [row["accuracy"] for row in Records(run.RECORDS).rows] == [0.9, 0.9, 0.8, 0.8, 0.8]
    run.main(arguments)
    assert len(fitted) == measure.N_FOLDS
    run.main([*arguments, "--fresh", "--folds", "1"])
    assert [row["fold"] for row in Records(run.RECORDS).rows] == [1, 2, 3, 4, 0]


def test_a_model_that_fails_leaves_a_note(tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("no such\nthing")

    monkeypatch.setattr(run, "warm_up", lambda *_: None)
    monkeypatch.setattr(run, "measure", fail)
    records = Records(tmp_path / "folds.csv")
    run.run([("iris", "Linear", 0, 0, 1500)], records)
    assert records.rows[0]["note"] == "ValueError: no such thing"


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_measure_scores_test_rows(name):
    from sklearn.model_selection import cross_val_score

    table = tables.load(name, max_rows=150)
    train, test = measure.folds(table, 0)[0]
    model = run.make("Linear", table.task)
    values = measure.measure(model, table, train, test)
    main = summary.MAIN[table.task]
    expected = cross_val_score(run.make("Linear", table.task), table.X, table.y, cv=[(train, test)])
    assert values[main] == pytest.approx(expected[0])
    assert values["fit_s"] > 0


def test_tables_are_drawn_by_the_seed():
    first, same, other = (tables.load("moons", seed) for seed in (0, 0, 1))
    assert first.X.equals(same.X) and not first.X.equals(other.X)
    first, same, other = (tables.load("iris", seed, max_rows=90) for seed in (0, 0, 1))
    assert first.X.equals(same.X) and not first.X.equals(other.X)
    assert np.bincount(first.y).tolist() == [30, 30, 30]


def regression_rows(scores):
    """Folds as the file holds them, of {(table, model): R2}."""
    empty = dict.fromkeys(FIELDS)
    return [
        {**empty, "table": table, "model": model, "seed": 0, "fold": 0, "r2": r2, "note": "",
         "loo_score": r2 + 0.1 if model == "ZORB" else None, "fit_s": 2.0 + (model == "ZORB")}
        for (table, model), r2 in scores.items()
    ]  # fmt: skip


SCORES = {
    ("a", "ZORB"): 0.9, ("a", "MLP"): 0.8, ("a", "SVM"): 0.7, ("a", "xRFM"): 0.95,
    ("b", "ZORB"): 0.5, ("b", "MLP"): 0.5, ("b", "SVM"): 0.6, ("b", "xRFM"): 0.5,
}  # fmt: skip


def test_summary_of_two_tables():
    section = summary.summarise(regression_rows(SCORES))
    r2 = section["ranks"][list(summary.MEASURES).index("r2")]
    assert r2["mean ranks"] == {"ZORB": 1.75, "SVM": 2.0, "MLP": 2.25}
    assert r2["margin of ours"] == 0.25
    a, b = section["tables"]
    assert (a["best other"], a["rank"], a["ahead by"]) == ("MLP", 1, pytest.approx(0.1))
    assert (b["best other"], b["rank"], b["ahead by"]) == ("SVM", 2.5, pytest.approx(-0.1))
    (slow,) = section["slow"]
    assert (slow["won"], slow["tied"], slow["lost"], slow["ratio"]) == (0, 1, 1, 1.5)
    assert section["light"] == []
    assert section["loo"][1]["optimism"] == pytest.approx(0.1)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of results, and of the pages that are written of them."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    return tmp_path


def test_short_lists_stand_beside_fast_and_slow_models_and_in_no_ranks(results):
    short = next(iter(LIGHT))
    rows = regression_rows({**SCORES, ("a", short): 0.85, ("b", short): 0.5})
    section = summary.summarise(rows)
    assert {row["ours"] for row in section["light"]} == {short}
    found = {row["model"]: (row["won"], row["tied"], row["lost"]) for row in section["light"]}
    assert found == {"MLP": (1, 1, 0), "xRFM": (0, 1, 1)}
    assert all(short not in row.get("mean ranks", {}) for row in section["ranks"])
    assert section["ranks"] == summary.summarise(regression_rows(SCORES))["ranks"]
    summary.write(rows)
    page.main(results, list_table)
    assert f"- *{short}*: ``Dense[64" in (results / "tabular.rst").read_text()


def test_libraries_that_are_gone_keep_the_versions_that_were_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(summary, "LIBRARIES", ("numpy", "no-such-library"))
    common.save("tabular", [], peers={"no-such-library": "1.2", "numpy": "0.1"})
    assert summary.versions() == {"no-such-library": "1.2", "numpy": np.__version__}


def test_page_says_where_others_are_ahead(results):
    summary.write(regression_rows(SCORES))
    page.main(results, list_table)
    text = (results / "tabular.rst").read_text()
    assert "first, or level with the best, on 1 of 2 tables" in text
    assert ".01 behind the best of the others on b." in text
    assert (results / "images" / "tabular_r2_all.png").exists()
