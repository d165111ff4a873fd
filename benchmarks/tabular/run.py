"""Every model on every fold of every table, resumed where it stopped."""

import argparse
from time import perf_counter, process_time

from ..common import RESULTS, note
from . import summary
from .measure import N_FOLDS, folds, measure
from .models import BEST, LIGHT, MODELS, OURS, PIPELINE, SLOW, TUNED, make
from .records import Records
from .tables import is_plain, load, table_names

RECORDS = RESULTS / "tabular.csv"
TIMES = RESULTS / "tabular_times.csv"
# tables on which settings are searched for
SEARCHED = ("german", "glass", "pima", "sonar", "auto_mpg", "boston", "pbc", "wine_red")


def main(arguments=()):
    """Run the suite; `arguments` as on the command line."""
    options = parse(arguments)
    records = Records(TIMES if options.timing else RECORDS)
    jobs = plan(options)
    if options.fresh:
        records.drop(jobs)
    done = records.keys()
    run([job for job in jobs if job not in done], records, n_jobs=2 if options.timing else 1)
    write = summary.write_times if options.timing else summary.write
    write(records.rows)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tabular", description=__doc__)
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help="default: all")
    parser.add_argument(
        "--models", nargs="+", metavar="MODEL", choices=MODELS, help=f"of {', '.join(MODELS)}"
    )
    parser.add_argument("--seeds", nargs="+", type=int, help="default: 0 1 2")
    parser.add_argument("--folds", type=int, default=N_FOLDS, help="only the first so many folds")
    parser.add_argument(
        "--max-rows", type=int, default=1500, help="rows drawn of longer tables; 0 for all"
    )
    parser.add_argument("--quick", action="store_true", help="one seed, without slow models")
    parser.add_argument("--fresh", action="store_true", help="measure again what is recorded")
    parser.add_argument(
        "--timing",
        action="store_true",
        help=f"one seed of {OURS} and RandomForest with two threads, recorded apart",
    )
    options = parser.parse_args(list(arguments))
    known = table_names()
    for name in options.tables or ():
        if name not in known:
            parser.error(f"no table {name!r}; there are {', '.join(known)}")
    options.tables = options.tables or known
    one = options.quick or options.timing
    options.seeds = options.seeds or ([0] if one else [0, 1, 2])
    models = [OURS, "RandomForest"] if options.timing else list(MODELS)
    options.models = options.models or [
        name for name in models if not (options.quick and name in {BEST, *SLOW, *LIGHT, *TUNED})
    ]
    options.max_rows = options.max_rows or None
    return options


def plan(options):
    """Keys of all folds asked for, those of one table together."""
    return [
        (table, model, seed, fold, options.max_rows)
        for seed in options.seeds
        for table in options.tables
        for fold in range(options.folds)
        for model in options.models
        if says_something(model, table)
    ]


def says_something(model, table):
    """False for the pipeline where there is nothing to prepare, and for long searches."""
    if model == PIPELINE:
        return not is_plain(table)
    return model not in TUNED or table in SEARCHED


def run(jobs, records, n_jobs=1):
    """Measure the folds that `jobs` names, recording each as it is done."""
    missing, warm, started, loaded = set(), set(), perf_counter(), None
    clock = process_time if n_jobs == 1 else perf_counter
    for number, (name, model, seed, fold, max_rows) in enumerate(jobs):
        progress(number, len(jobs), f"{name} {model}", perf_counter() - started)
        if model in missing:
            continue
        if loaded != (name, seed, max_rows):
            table, loaded = load(name, seed, max_rows), (name, seed, max_rows)
            splits = folds(table, seed)
        key = {"table": name, "model": model, "seed": seed, "fold": fold, "max_rows": max_rows}
        try:
            if (model, table.task) not in warm:
                warm_up(model, table.task, n_jobs)
                warm.add((model, table.task))
            values = measure(make(model, table.task, seed, n_jobs), table, *splits[fold], clock)
        except ImportError as error:
            missing.add(model)
            print(f"{model} left out: {error}")
        except Exception as error:  # a peer that fails on a table must not end the run
            records.add(**key, note=f"{type(error).__name__}: {error}".replace("\n", " ")[:100])
        else:
            records.add(**key, **values)
    progress(len(jobs), len(jobs), "", perf_counter() - started)


def warm_up(model, task, n_jobs):
    """Fit once on a few rows, so that what is loaded on first use is not timed."""
    table = load("iris" if task == "classification" else "diabetes", max_rows=150)
    measure(make(model, task, 0, n_jobs), table, *folds(table, 0)[0])


def progress(done, total, what, seconds):
    bar = "#" * (30 * done // max(total, 1))
    left = seconds / done * (total - done) if done else float("nan")
    note(f"[{bar:<30}] {done}/{total} {what}, {left / 60:.0f} min left")
