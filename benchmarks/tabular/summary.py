"""From folds to what the documentation says: ranks, losses, costs."""

from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

from ..common import on_record, save, show
from . import ranks
from .elo import ANCHOR, elo
from .models import BEST, EFFORTS, LIGHT, OURS, PEERS, PIPELINE, SLOW, TUNED

# measure -> task, whether greater is better
MEASURES = {
    "accuracy": ("classification", True),
    "balanced_accuracy": ("classification", True),
    "log_loss": ("classification", False),
    "auc": ("classification", True),
    "r2": ("regression", True),
}
MAIN = {"classification": "accuracy", "regression": "r2"}
# what decides who is ahead on a table
BATTLE = {"classification": "auc", "regression": "r2"}
LIBRARIES = ("lightgbm", "xgboost", "catboost", "pytabkit", "xrfm")


class Paired(NamedTuple):
    """Means over the folds that all models have, for the tables with such folds."""

    tables: list
    means: np.ndarray  # of shape (n_tables, n_models)
    folds: int  # of all tables together


def paired(rows, models, value):
    """`Paired` means of one value, with a column for each of `models`."""
    found = {}
    for row in rows:
        if row[value] is not None and row["model"] in models:
            folds = found.setdefault(row["table"], {}).setdefault((row["seed"], row["fold"]), {})
            folds[row["model"]] = row[value]
    means, n_folds = {}, 0
    for table, folds in found.items():
        whole = [fold for fold in folds.values() if len(fold) == len(models)]
        n_folds += len(whole)
        if whole:
            means[table] = [fmean(fold[model] for fold in whole) for model in models]
    tables = sorted(means)
    matrix = np.array([means[table] for table in tables]).reshape(-1, len(models))
    return Paired(tables, matrix, n_folds)


def summarise(rows):
    """Everything that is said about the folds of one row limit."""
    present = {row["model"] for row in rows}
    peers = [name for name in PEERS if name in present]
    models = [name for name in (OURS, *peers) if name in present]
    return {
        "max_rows": rows[0]["max_rows"],
        "seeds": len({row["seed"] for row in rows}),
        "elo": leaderboard(rows, [name for name in (*EFFORTS, *PEERS, *SLOW) if name in present]),
        "ranks": [mean_ranks(rows, models, measure) for measure in MEASURES],
        "efforts": [
            {"effort": name, **mean_ranks(rows, [name, *peers], measure, ours=name)}
            for name in EFFORTS
            if name in present
            for measure in MEASURES
        ],
        "raw": [row for measure in MAIN.values() for row in beside(rows, OURS, PIPELINE, measure)],
        "tuned": [
            {"peer": peer, **mean_ranks(rows, [OURS, BEST, peer], measure)}
            for peer in TUNED
            if {peer, BEST} <= present
            for measure in MEASURES
        ],
        "tables": [row for measure in MEASURES for row in by_table(rows, models, measure)],
        "slow": [row for name in SLOW if name in present for row in against(rows, OURS, name)],
        "light": [
            row
            for ours in LIGHT
            for name in ("Linear", "MLP", *SLOW)
            if {ours, name} <= present
            for row in against(rows, ours, name)
        ],
        "costs": [
            costs(rows, model)
            for model in (*EFFORTS, *peers, *LIGHT, *SLOW, *TUNED)
            if model in present
        ],
        "loo": [left_out(rows, task) for task in MAIN],
        "failed": [
            {name: row[name] for name in ("table", "model", "seed", "fold", "note")}
            for row in rows
            if row["note"]
        ],
    }


def leaderboard(rows, models):
    """Elo rating of each model with its interval, tables lost to ours, seconds of a fit.

    Only models that were measured on every table are rated.
    """
    tables = {row["table"] for row in rows}
    measured = {(row["model"], row["table"]) for row in rows if not row["note"]}
    models = [name for name in models if all((name, table) in measured for table in tables)]
    tables, wins = battles(rows, models)
    if ANCHOR not in models or len(models) < 2 or not tables:
        return []
    found = elo(wins, models.index(ANCHOR))
    result = []
    for i, (model, (rating, low, high)) in enumerate(zip(models, found.T.tolist(), strict=True)):
        lost = float(wins[:, models.index(OURS), i].sum()) if OURS in models else None
        seconds = median(paired(rows, [model], "fit_s").means[:, 0].tolist())
        result.append({"model": model, "Elo": rating, "low": low, "high": high,
                       "tables lost to ours": lost, "fit s": seconds})  # fmt: skip
    return sorted(result, key=lambda line: -line["Elo"])


def battles(rows, models):
    """(tables, wins): who is ahead of whom on each table, by the folds that both have.

    Wins are of shape (n_tables, n_models, n_models): 1 where the model of the row is ahead, .5
    for both in a tie, 0 else.
    """
    tables = sorted({row["table"] for row in rows})
    wins = np.zeros((len(tables), len(models), len(models)))
    for measure in BATTLE.values():
        for a, b in combinations(range(len(models)), 2):
            found, means, _ = paired(rows, [models[a], models[b]], measure)
            ahead = (1 + np.sign(np.round(means[:, 0] - means[:, 1], 10))) / 2
            where = [tables.index(table) for table in found]
            wins[where, a, b], wins[where, b, a] = ahead, 1 - ahead
    return tables, wins


def mean_ranks(rows, models, measure, ours=OURS):
    """Mean rank of each model in one measure, and what the tests make of them."""
    tables, means, n_folds = paired(rows, models, measure)
    result = {"measure": measure, "tables": len(tables), "folds": n_folds}
    if len(tables) < 2 or len(models) < 3:
        return result
    means_of_ranks = ranks.ranks(means, MEASURES[measure][1]).mean(axis=0).tolist()
    found = dict(zip(models, means_of_ranks, strict=True))
    others = [rank for name, rank in found.items() if name != ours]
    return {
        **result,
        "margin of ours": min(others) - found[ours] if ours in found else None,
        "Friedman p": ranks.friedman(means),
        "critical difference": ranks.critical_difference(len(models), len(tables)),
        "mean ranks": found,
    }


def by_table(rows, models, measure):
    """Our score and rank on each table, and the best of the others."""
    tables, means, _ = paired(rows, models, measure)
    if OURS not in models or len(models) < 2 or not tables:
        return []
    greater = MEASURES[measure][1]
    places = ranks.ranks(means, greater)
    result = []
    others = [i for i, name in enumerate(models) if name != OURS]
    ours = models.index(OURS)
    for table, line, place in zip(tables, means, places, strict=True):
        best = others[int(np.argmin(place[others]))]
        gap = round(line[ours] - line[best], 10)
        result.append({"measure": measure, "table": table, "ours": line[ours],
                       "rank": place[ours], "best other": models[best], "its score": line[best],
                       "ahead by": gap if greater else -gap})  # fmt: skip
    return result


def against(rows, ours, peer):
    """Tables won by one model against another, and the ratio of total fit times, fold for fold."""
    result = []
    for task, measure in MAIN.items():
        tables, means, n_folds = paired(rows, [ours, peer], measure)
        if not tables:
            continue
        gaps = np.round(means[:, 0] - means[:, 1], 10)
        seconds = paired(of_task(rows, task), [ours, peer], "fit_s").means
        spent, its = seconds.sum(axis=0)
        result.append({"ours": ours, "model": peer, "task": task, "tables": len(tables),
                       "folds": n_folds,
                       "won": int((gaps > 0).sum()), "tied": int((gaps == 0).sum()),
                       "lost": int((gaps < 0).sum()),
                       "our fit s": spent, "its fit s": its, "ratio": spent / its})  # fmt: skip
    return result


def beside(rows, one, other, measure):
    """Scores of two models, table by table."""
    tables, means, _ = paired(rows, [one, other], measure)
    return [
        {"measure": measure, "table": table, one: first, other: second,
         "ahead by": round(first - second, 10)}
        for table, (first, second) in zip(tables, means.tolist(), strict=True)
    ]  # fmt: skip


def costs(rows, model):
    """Seconds of one fit of every table, and memory of the hungriest."""
    totals = {"model": model}
    for value, combine in (("fit_s", sum), ("predict_s", sum), ("extra_mb", max)):
        tables, means, _ = paired(rows, [model], value)
        totals["tables"] = len(tables)
        totals[value] = combine(means[:, 0].tolist()) if tables else None
    return totals


def left_out(rows, task):
    """How much better our leave-one-out score is than the score on test rows."""
    ours = [row for row in of_task(rows, task) if row["loo_score"] is not None]
    claimed = paired(ours, [OURS], "loo_score").means
    tables, scores, _ = paired(ours, [OURS], MAIN[task])
    middle = median((claimed - scores).ravel().tolist()) if tables else None
    return {"task": task, "tables": len(tables), "optimism": middle}


def of_task(rows, task):
    return [row for row in rows if row[MAIN[task]] is not None]


def times(rows):
    """Total fit time of ours beside that of a forest, on the folds that both have."""
    tables, means, n_folds = paired(rows, [OURS, "RandomForest"], "fit_s")
    if not tables:
        return []
    ours, forest = means.sum(axis=0)
    return [{"tables": len(tables), "folds": n_folds,
             "our fit s": ours, "RandomForest fit s": forest, "ratio of totals": ours / forest,
             "median ratio": median((means[:, 0] / means[:, 1]).tolist())}]  # fmt: skip


def versions():
    """Versions of the libraries that are there, and of others when they were measured."""
    found = dict(on_record("tabular").get("peers", {}))
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write(rows):
    """Summarise every row limit, save that as JSON and print the mean ranks."""
    limits = sorted({row["max_rows"] for row in rows}, key=lambda limit: limit or np.inf)
    sections = [summarise([row for row in rows if row["max_rows"] == limit]) for limit in limits]
    save("tabular", sections, peers=versions())
    for section in sections:
        print(f"\nat most {section['max_rows'] or 'all'} rows, {section['seeds']} seeds")
        show(section["elo"])
        lines = [dict(line) for line in section["ranks"]]
        show([{**line.pop("mean ranks", {}), **line} for line in lines])
        show([*section["slow"], *section["light"]])
        show(section["loo"])


def write_times(rows):
    """The same for the folds of ``--timing``."""
    save("tabular_times", times(rows))
    show(times(rows))
