"""Rows doubled on disk: time in proportion, memory within the limit.

Each size is fitted in processes of their own, so that its peak memory is its own; the peak of
the same process before the fit is taken away. Times are medians of three, memory is the most:
how fast a disk hands out its pages varies.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .common import note, save, show

LIMIT = "500MB"
REPEATS = 3
SIZES = (250_000, 500_000, 1_000_000, 2_000_000, 4_000_000)
CHILD = """
import json, resource, sys
from time import perf_counter
import numpy as np
from sklearn_zorb import ZORBRegressor
folder, n_rows, limit = sys.argv[1], int(sys.argv[2]), sys.argv[3]
X = np.load(folder + "/X.npy", mmap_mode="r")[:n_rows]
y = np.load(folder + "/y.npy")[:n_rows]
warm = np.random.default_rng(0).normal(size=(2000, 50))
ZORBRegressor("Dense[256] Tanh", random_state=0, memory_limit=limit).fit(warm, warm[:, 0])
resident = lambda name: next(
    int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name)
)
anonymous = lambda: resident("RssAnon")
import threading
peak, done = [anonymous()], threading.Event()
before = peak[0]
def watch():
    while not done.wait(0.05):
        peak[0] = max(peak[0], anonymous())
threading.Thread(target=watch, daemon=True).start()
started = perf_counter()
model = ZORBRegressor("Dense[256] Tanh", random_state=0, memory_limit=limit).fit(X, y)
seconds = perf_counter() - started
done.set()
print(json.dumps({"seconds": seconds, "extra": peak[0] - before, "loo": model.loo_score_}))
"""


def write(folder, n_rows):
    """Rows and targets on disk, written in parts."""
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "X.npy", mode="w+", shape=(n_rows, 50), dtype=float)
    y = np.empty(n_rows)
    for start in range(0, n_rows, 250_000):
        part = slice(start, start + 250_000)
        X[part] = rng.normal(size=X[part].shape)
        y[part] = np.sin(X[part, 0]) * X[part, 1] + X[part, 2] + 0.1 * rng.normal(size=len(y[part]))
    X.flush()
    np.save(folder / "y.npy", y)


def measured(folder, n_rows):
    """Seconds, extra memory and left-out score of one fit, in a process of its own."""
    note(f"{n_rows} rows")
    command = [sys.executable, "-c", CHILD, folder, str(n_rows), LIMIT]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main(sizes=SIZES):
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        note("writing rows")
        write(folder, max(sizes))
        # in turn: what a machine does meanwhile would else fall on one size alone
        runs = [{n_rows: measured(name, n_rows) for n_rows in sizes} for _ in range(REPEATS)]
    for n_rows in sizes:
        found = [run[n_rows] for run in runs]
        row = {"rows": n_rows, "fit s": statistics.median(run["seconds"] for run in found),
               "extra MB": max(run["extra"] for run in found) / 1e6, "limit": LIMIT,
               "loo R2": found[0]["loo"]}  # fmt: skip
        if rows:
            row["time ratio"] = row["fit s"] / rows[-1]["fit s"]
        rows.append(row)
    save("streaming", rows)
    show(rows)


if __name__ == "__main__":
    main()
