"""What a fitted model costs: one row, many rows, bytes; every model on the same few tables.

``python -m benchmarks.serving --rows 1000 20000 100000`` asks the same of models with nothing set,
fitted to so many rows of 30 numeric columns.
"""

import argparse
import pickle
import statistics
from time import process_time

import numpy as np

from .common import note, quiet, save, saved, show
from .scale import build, long_table
from .tabular.measure import folds
from .tabular.models import MODELS, PIPELINE, SLOW, TUNED, make
from .tabular.tables import load

TABLES = ("adult", "segment", "abalone", "diamonds")
MAX_ROWS = 1500
LONE_ROWS = 50  # predicted one by one
# for models of many rows: those predicted one by one and together, and who stands beside ours
LONE, TOGETHER = 1000, 20_000
BESIDE = ("auto", "LightGBM", "forest")


def main(arguments=()):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    usual = [name for name in MODELS if name not in {PIPELINE, *SLOW, *TUNED}]
    parser.add_argument("--models", nargs="+", choices=MODELS, default=usual, metavar="MODEL")
    parser.add_argument("--rows", nargs="+", type=int, metavar="N", help="rows of generated tables")
    options = parser.parse_args(list(arguments))
    quiet()
    if options.rows:
        of_many_rows(options.rows)
        return
    # others stay as they were measured
    rows = saved("serving", "model", "table")
    for model in options.models:
        for name in TABLES:
            note(f"{model} on {name}")
            try:
                rows[model, name] = measured(model, load(name, max_rows=MAX_ROWS))
            except ImportError as error:
                print(f"{model} left out: {error}")
                break
    rows = sorted(rows.values(), key=lambda row: (row["table"], list(MODELS).index(row["model"])))
    save("serving", rows)
    show(rows)


def measured(name, table):
    """Fit on the first fold's rows; predict its test rows together and one by one.

    Times are the processor's, which other work on the machine changes little.
    """
    train, test = folds(table, 0)[0]
    model = make(name, table.task)
    started = process_time()
    model.fit(table.X.iloc[train], table.y[train])
    fit_s = process_time() - started
    lone = [table.X.iloc[[row]] for row in test[:LONE_ROWS]]
    many = table.X.iloc[test]
    for rows in (lone[0], many):  # what is loaded or compiled on first use is not timed
        model.predict(rows)
    one = sorted(milliseconds(model, row) for row in lone)
    together = statistics.median(milliseconds(model, many) for _ in range(5))
    return {"table": table.name, "model": name, "fit s": fit_s,
            "one row ms": statistics.median(one), "slowest row ms": one[-1],
            "test rows": len(test), "all rows ms": together,
            "pickle MB": len(pickle.dumps(model)) / 1e6}  # fmt: skip


def of_many_rows(counts):
    """The same for arrays of so many rows, and for a forest beside it; others stay."""
    rows = saved("serving_rows", "rows", "model")
    for count in counts:
        X, X_test, y, _ = long_table(count)
        many = np.resize(X_test, (TOGETHER, X.shape[1]))
        for name in BESIDE:
            note(f"{name}, {count} rows")
            model = build(name).fit(X, y)
            model.predict(many[:1])
            one = [milliseconds(model, many[i : i + 1]) for i in range(LONE)]
            together = statistics.median(milliseconds(model, many) for _ in range(3))
            rows[count, name] = {
                "rows": count, "model": name, "one row ms": statistics.median(one),
                "p99 ms": float(np.quantile(one, 0.99)), "20 000 rows s": together / 1000,
                "pickle MB": len(pickle.dumps(model)) / 1e6,
            }  # fmt: skip
            ordered = [
                rows[key] for key in sorted(rows, key=lambda key: (key[0], BESIDE.index(key[1])))
            ]
            save("serving_rows", ordered)
    show(ordered)


def milliseconds(model, rows):
    started = process_time()
    model.predict(rows)
    return 1000 * (process_time() - started)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
