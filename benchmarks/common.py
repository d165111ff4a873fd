"""What benchmarks share: arguments, timing, data, results on disk, tables."""

import argparse
import json
import os
import platform
import statistics
import sys
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

RESULTS = Path(__file__).parent / "results"


def size_parser(description, full="the default"):
    """A parser of ``--quick`` and ``--full``, which leave "quick" or "full" in ``size``."""
    parser = argparse.ArgumentParser(description=description)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", dest="size", action="store_const", const="quick")
    sizes.add_argument("--full", dest="size", action="store_const", const="full", help=full)
    parser.set_defaults(size="full")
    return parser


def quiet():
    """Ignore warnings, unless Python was started with options for them."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def timed(function, repeats=1, warm_up=0):
    """(last result, median seconds) of calling `function`."""
    seconds = []
    for turn in range(warm_up + repeats):
        started = perf_counter()
        result = function()
        if turn >= warm_up:
            seconds.append(perf_counter() - started)
    return result, statistics.median(seconds)


def paired(first, second, repeats=5):
    """Median seconds of two functions run in turn, and the median of their ratios."""
    pairs = []
    first(), second()
    for _ in range(repeats):
        pairs.append((timed(first)[1], timed(second)[1]))
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    return a, b, statistics.median(x / y for x, y in pairs)


def images(name):
    """Training and test images in [0, 1], one row each, and their labels."""
    from sklearn_zorb import datasets

    bunch = getattr(datasets, f"load_{name}")()
    return bunch.data, bunch.target, bunch.data_test, bunch.target_test


def table(name):
    """Numeric X and y of one of the tables in ``SKLEARN_ZORB_DATA``."""
    from sklearn_zorb.datasets import load_table

    bunch = load_table(name)
    return np.asarray(bunch.data, dtype=float), np.asarray(bunch.target)


def syrk_rate(n_rows=20000, width=2000, dtype=np.float64):
    """Flops a second (n d^2 for each Gram matrix) of BLAS's symmetric product here and now."""
    from scipy.linalg import blas

    rows = np.random.default_rng(0).normal(size=(n_rows, width)).astype(dtype)
    product = blas.dsyrk if rows.dtype == np.float64 else blas.ssyrk
    _, seconds = timed(lambda: product(1.0, rows.T), repeats=3, warm_up=1)
    return n_rows * width**2 / seconds


def save(name, rows, **notes):
    """Write rows of results, with what they were measured on, as JSON."""
    import scipy
    import sklearn

    import sklearn_zorb

    RESULTS.mkdir(exist_ok=True)
    record = {
        "benchmark": name,
        "versions": {
            "sklearn_zorb": sklearn_zorb.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "cores": os.cpu_count(),
        **notes,
        "rows": rows,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1, default=float) + "\n")


def saved(name, *keys):
    """Rows of results on disk, by the values that they have for `keys`; {} where there are none."""
    return {tuple(row[key] for key in keys): row for row in on_record(name).get("rows", [])}


def on_record(name):
    """What `save` wrote, {} where it wrote nothing yet."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def show(rows):
    """Print rows of results as a table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_text(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _text(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def note(text):
    """One line of progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
