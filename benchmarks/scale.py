"""Any number of rows and columns: the time of a fit beside LightGBM's and a forest's, and memory.

Each fit has a process of its own, which has fitted to a few rows before: its libraries are loaded.
Memory is the most that the process takes beyond what it had before the fit. Threads are as many as
OMP_NUM_THREADS says; with one, seconds are the processor's, which other processes hardly change.

Tried for "fast" on up to 28 other tables, most of 4000 to 12 000 rows, loss in shares of that of
the mean or of the shares of classes: 20 rounds of boosting in place of 25 (1 % worse, and 1 point
of accuracy at 100 000 rows), 20 leaves (1.6 %), no forest (7 to 10 % where there are several
classes), no ramps (76 % on one table), 200 landmarks (2 %), penalties by GCV from 30 rows a
landmark on (.2 %). A Gaussian kernel only, and 25 trees of 4000 rows in place of 50 of 2000, err
less than what was there before (1.2 % together, standard error .7; much of it from one table).
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from .common import note, quiet, save, saved, show, size_parser

ROWS = {"quick": (1000, 4000), "full": (1000, 4000, 20_000, 100_000, 1_000_000)}
WIDE = {
    "quick": ("500 x 2000",),
    "full": ("500 x 2000", "500 x 10000", "100 x 20000", "3000 x 1000 one-hot"),
}
EFFORTS = ("fast", "auto")
N_TEST = 5000


def long_table(n_rows):
    """30 numeric columns and three classes: rows to learn from and others."""
    from sklearn.datasets import make_classification
    from sklearn.model_selection import train_test_split

    shape = {"n_features": 30, "n_informative": 15, "n_classes": 3, "flip_y": 0.05}
    X, y = make_classification(n_rows + N_TEST, random_state=0, **shape)
    return train_test_split(X, y, test_size=N_TEST, random_state=0)


def wide_table(shape):
    """Two classes that ten of the columns decide."""
    n_rows, n_columns = (int(part) for part in shape.split()[:3:2])
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows + 500, n_columns))
    if "one-hot" in shape:
        # a hundred categories of as many levels each
        codes = rng.integers(10, size=(len(X), n_columns // 10))
        X = (codes[:, :, None] == np.arange(10)).reshape(len(X), -1).astype(float)
    y = X[:, :100:10].sum(axis=1) + 0.3 * rng.normal(size=len(X))
    y = (y > np.median(y)).astype(int)
    return X[:-500], X[-500:], y[:-500], y[-500:]


def build(name):
    """A model of default settings."""
    n_threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
    if name == "LightGBM":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(n_jobs=n_threads, verbose=-1)
    if name == "forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(200, n_jobs=n_threads, random_state=0)
    from sklearn_zorb import ZORBClassifier

    return ZORBClassifier(name, random_state=0)


def memory(reset=False):
    """Megabytes that the process took at most, from the last reset on (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def measure(name, shape):
    """Seconds and megabytes of one fit, and its score, printed as JSON."""
    quiet()
    X, X_test, y, y_test = wide_table(shape) if " " in shape else long_table(int(shape))
    build(name).fit(*long_table(2500)[::2])
    before = memory(reset=True)
    clock = process_time if os.environ.get("OMP_NUM_THREADS") == "1" else perf_counter
    started = clock()
    model = build(name).fit(X, y)
    seconds = clock() - started
    more = memory() - before
    score = float(model.score(X_test, y_test))
    print(json.dumps({"s": seconds, "MB": more, "score": score}))


def in_a_process(name, shape):
    command = [sys.executable, "-m", "benchmarks.scale", "--fit", name, str(shape)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(shape, peer, efforts):
    """One row of results: our fits and that of a peer."""
    note(f"{shape}: {peer}")
    theirs = in_a_process(peer, shape)
    row = {"shape": str(shape), "peer": peer, "peer s": theirs["s"], "peer score": theirs["score"]}
    for effort in efforts:
        note(f"{shape}: {effort}")
        ours = in_a_process(effort, shape)
        row |= {f"{effort} {key}": value for key, value in ours.items()}
        row[f"{effort} / peer"] = ours["s"] / theirs["s"]
    return row


def main():
    parser = size_parser(__doc__)
    parser.add_argument("--fit", nargs=2, metavar=("MODEL", "SHAPE"), help="one fit, as JSON")
    parser.add_argument("--shapes", nargs="+", help="these only; others stay as they were measured")
    arguments = parser.parse_args(sys.argv[1:] if __name__ == "__main__" else [])
    if arguments.fit:
        measure(*arguments.fit)
        return
    size = arguments.size
    name = "scale" if size == "full" else "scale_quick"
    shapes = [*map(str, ROWS[size]), *WIDE[size]]
    rows = saved(name, "shape")
    for shape in arguments.shapes or shapes:
        rows[(shape,)] = compare(shape, "forest" if " " in shape else "LightGBM", EFFORTS)
        ordered = [rows[(known,)] for known in shapes if (known,) in rows]
        threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
        save(name, ordered, threads=int(threads))
    show(ordered)
    seconds = {row["shape"]: row["auto s"] for row in ordered}
    if {"1000000", "20000"} <= set(seconds):
        growth = seconds["1000000"] / seconds["20000"]
        print(f"time of 1 000 000 rows / 20 000 rows: {growth:.3g}")


if __name__ == "__main__":
    main()
