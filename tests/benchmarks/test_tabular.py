"""The benchmark on tables: ranks, their tests, pairing of folds, resumption."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

import sklearn_zorb  # noqa: F401 - the installed one, before the checkout is on the path

# no part of the installed package; some versions of pyarrow have a package of the same name
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

pytest.importorskip("pandas")
from benchmarks import common, serving  # noqa: E402
from benchmarks.report import list_table  # noqa: E402
from benchmarks.tabular import (  # noqa: E402
    elo,
    frontier,
    measure,
    models,
    page,
    ranks,
    run,
    summary,
    tables,
)
from benchmarks.tabular.models import EFFORTS, LIGHT, PIPELINE, TUNED  # noqa: E402
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


def test_ratings_of_two_models_are_the_odds():
    ahead, behind = elo.ratings([[0, 30], [10, 0]])
    assert ahead - behind == pytest.approx(400 * np.log10(3), abs=0.01)
    # a tie is half a win of both
    assert np.ptp(elo.ratings([[0, 0.5], [0.5, 0]])) == pytest.approx(0, abs=1e-6)


def test_ratings_are_the_most_likely_ones():
    wins = np.random.default_rng(0).integers(1, 9, size=(4, 4)) * (1 - np.eye(4))

    def unlikely(found):
        chances = 1 / (1 + 10 ** ((found[None, :] - found[:, None]) / 400))
        return -np.sum(wins * np.log(chances))

    options = {"xatol": 1e-6, "fatol": 1e-10, "maxiter": 10_000}
    expected = minimize(unlikely, np.zeros(4), method="Nelder-Mead", options=options).x
    found = elo.ratings(wins)
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=0.05)


def test_elo_holds_the_anchor_and_widens_with_fewer_tables():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(60, 3)) + [0.8, 0, 0]
    wins = (scores[:, :, None] > scores[:, None, :]).astype(float)
    middle, low, high = elo.elo(wins, anchor=1, rounds=50)
    assert middle[1] == low[1] == high[1] == 1000
    assert low[0] < middle[0] < high[0] and middle[0] > 1100
    few = elo.elo(wins[:10], anchor=1, rounds=50)
    assert few[2, 2] - few[1, 2] > 1.5 * (high[2] - low[2])


def test_battles_are_on_folds_that_both_have():
    empty = dict.fromkeys(FIELDS)
    auc = {("iris", "a", 0): 0.9, ("iris", "b", 0): 0.8, ("iris", "b", 1): 1.0,
           ("iris", "c", 1): 1.0, ("wine", "a", 0): 0.1 + 0.2, ("wine", "b", 0): 0.3}  # fmt: skip
    rows = [
        {**empty, "table": table, "model": model, "seed": 0, "fold": fold, "auc": value}
        for (table, model, fold), value in auc.items()
    ]
    names, wins = summary.battles(rows, ["a", "b", "c"])
    assert names == ["iris", "wine"]
    np.testing.assert_array_equal(wins[0], [[0, 1, 0], [0, 0, 0.5], [0, 0.5, 0]])
    np.testing.assert_array_equal(wins[1], [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]])


def test_names_in_the_plot_cover_neither_points_nor_each_other(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    near = [(0.1 * 1.3**i, 1000 + 12 * (-1) ** i) for i in range(6)]
    lines = [
        {"model": f"a model, number {i}", "Elo": y, "low": y - 30, "high": y + 30, "fit s": x}
        for i, (x, y) in enumerate([*near, (3, 1100), (30, 1150)])
    ]
    ours = [lines[6]["model"], lines[7]["model"]]
    frontier.diagram(lines, ours, "title", tmp_path / "plot.png")
    (axes,) = drawn[0].axes
    boxes = [text.get_window_extent() for text in axes.texts]
    points = axes.transData.transform([(line["fit s"], line["Elo"]) for line in lines])
    assert len(boxes) == 8
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert not any(box.contains(*point) for point in points)
        assert axes.get_window_extent().count_contains(box.corners()) == 4


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

    def stop_after_two(model, table, train, test, clock):
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


def test_text_is_handed_on_as_it_was_read():
    pandas = pytest.importorskip("pandas")
    read = pandas.DataFrame({"x0": [1.0, None], "x1": ["red", None]})
    frame = read.astype({"x1": "category"})
    found = models.categories_as_text(frame)
    pandas.testing.assert_frame_equal(found, read)
    assert frame["x1"].dtype == "category"


def test_the_pipeline_is_measured_where_there_is_something_to_prepare(monkeypatch):
    monkeypatch.setattr(run, "is_plain", {"iris": True, "german": False}.get)
    monkeypatch.setattr(run, "table_names", lambda: ["iris", "german"])
    arguments = ["--models", "ZORB", PIPELINE, *TUNED, "--seeds", "0", "--folds", "1"]
    found = {(table, model) for table, model, *_ in run.plan(run.parse(arguments))}
    searches = {("german", name) for name in TUNED}
    assert found == {("iris", "ZORB"), ("german", "ZORB"), ("german", PIPELINE)} | searches


def test_plain_tables_hold_numbers_only():
    assert tables.is_plain("iris")


def test_serving_counts_rows_bytes_and_milliseconds():
    table = tables.load("iris", max_rows=150)
    found = serving.measured("Linear", table)
    assert (found["test rows"], found["model"], found["table"]) == (30, "Linear", "iris")
    assert 0 < found["one row ms"] <= found["slowest row ms"]
    assert 1e-4 < found["pickle MB"] < 1


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


@pytest.mark.slow
def test_page_rates_efforts_and_says_what_was_not_measured(results):
    quick, _, slow = EFFORTS
    rows = regression_rows({
        **SCORES, ("a", "RandomForest"): 0.6, ("b", "RandomForest"): 0.55,
        ("a", quick): 0.85, ("b", quick): 0.4, ("a", PIPELINE): 0.8, ("b", PIPELINE): 0.6,
    })  # fmt: skip
    section = summary.summarise(rows)
    found = {line["model"]: line for line in section["elo"]}
    assert found["RandomForest"]["Elo"] == 1000 and found["ZORB"]["fit s"] == 3
    assert found["SVM"]["tables lost to ours"] == found["MLP"]["tables lost to ours"] - 0.5 == 1
    assert not {PIPELINE, slow} & set(found)
    r2 = [row for row in section["efforts"] if row["measure"] == "r2"]
    assert [row["effort"] for row in r2] == [quick, "ZORB"]
    assert r2[0]["mean ranks"] == {quick: 2.5, "RandomForest": 3.0, "SVM": 2.0, "MLP": 2.5}
    assert [row["ahead by"] for row in section["raw"]] == [0.1, -0.1]
    summary.write(rows)
    common.save("serving", [
        {"model": "ZORB", "one row ms": ms, "all rows ms": 8.0, "pickle MB": 0.5}
        for ms in (3.0, 5.0)
    ])  # fmt: skip
    page.main(results, list_table)
    text = (results / "tabular.rst").read_text()
    assert "level or ahead on 1 of 2 tables; mean r2 0.7000 and 0.7000." in text
    assert f"* - {slow}\n" not in text
    assert "- 4\n     - 8\n     - 0.5\n" in text and "     - —\n\n— not measured\n" in text
    assert (results / "images" / "tabular_elo_all.png").stat().st_size > 1000


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


def test_the_sentence_below_the_plot_of_the_readme_is_what_was_measured():
    readme = " ".join((ROOT / "README.rst").read_text().split())
    assert "34 tables" in readme and "on at least three quarters of them" in readme
    (section,) = common.on_record("tabular")["rows"]
    others = {line["model"]: line for line in section["elo"] if line["model"] not in EFFORTS}
    assert {"RealMLP", "xRFM, tuned"} < set(others)
    assert min(line["tables lost to ours"] for line in others.values()) >= 0.75 * 34
    ours = next(line for line in section["elo"] if line["model"] == models.OURS)
    assert 0.5 < ours["fit s"] / others["RandomForest"]["fit s"] < 2
