"""Rows on workers: time, bytes on the wire, equality, and a worker that dies.

Workers are processes of one thread each on this machine, and the time of two is put beside that of
one. What two bare processes gain on the same loop of Gram matrices, without Dask, says what the
machine allows. Beside seconds by the clock stand those of the busiest processor, with those of the
client: what a fit would take where nothing else runs. Bytes are those of the loopback interface.

    python -m benchmarks.dask_scale [PART ...]

The variables DASK_SCALE_ROWS, DASK_SCALE_REPEATS and DASK_SCALE_GB make a run shorter.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from unittest import mock

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from sklearn_zorb.memory import DEFAULT_LIMIT

from .common import note, save, show, timed
from .tabular.tables import load

N_ROWS = int(os.environ.get("DASK_SCALE_ROWS", 2_000_000))
# rows that kernels and trees learn from, where that is to cost something
FEW = 10_000
N_GIGABYTES = float(os.environ.get("DASK_SCALE_GB", 20))
WIDTH, UNITS, BLOCKS = 100, 256, 20
LAYERS = f"Dense[{UNITS}] Tanh"
REPEATS = int(os.environ.get("DASK_SCALE_REPEATS", 3))
# Dask has the C library hand memory back at once; with these it keeps it for the next array
KEEPING = {"MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "33554432"}
BARE = """
import sys
from time import process_time
import numpy as np
rng = np.random.default_rng(int(sys.argv[1]))
n_blocks, rows, width, units = map(int, sys.argv[2:])
X, W = rng.normal(size=(rows, width)), rng.normal(size=(width, units)) / 10
step = 20_000
print("ready", flush=True)
sys.stdin.readline()
started = process_time()
for _ in range(n_blocks):
    total = 0.0
    for start in range(0, rows, step):
        part = X[start : start + step]
        hidden = np.tanh(part @ W)
        seen = np.hstack([part, hidden])
        total = total + seen.T @ seen
print(process_time() - started, flush=True)
"""


@contextmanager
def cluster(n_workers, processes=True, **options):
    """A client of so many workers of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, processes=processes,
                     dashboard_address=":0", memory_limit="6GB", **options) as workers,
        Client(workers) as client,
    ):  # fmt: skip
        yield client


def room(n_workers):
    """Bytes that so many workers keep."""
    from sklearn_zorb.dask.workers import KEPT_SHARE

    return KEPT_SHARE * 6e9 * n_workers


def rows(n_rows=N_ROWS, blocks=BLOCKS):
    """Rows and targets that workers make: the same for any of them."""
    import dask
    import dask.array as da

    size = n_rows // blocks
    X = da.concatenate([
        da.from_delayed(dask.delayed(made)(i, size), shape=(size, WIDTH), dtype=np.float64)
        for i in range(blocks)
    ])  # fmt: skip
    return X, da.sin(X[:, 0]) * X[:, 1] + X[:, 2]


def made(seed, size):
    """The rows of one block."""
    return np.random.default_rng(seed).standard_normal((size, WIDTH))


def bare(n_processes):
    """Seconds of the loop in some processes, which share the blocks, and of the busiest one."""
    arguments = [str(BLOCKS // n_processes), str(N_ROWS // BLOCKS), str(WIDTH), str(UNITS)]
    running = [
        subprocess.Popen([sys.executable, "-c", BARE, str(i), *arguments], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for i in range(n_processes)
    ]  # fmt: skip
    for one in running:
        one.stdout.readline()
    started = time.perf_counter()
    for one in running:
        one.stdin.write("\n")
        one.stdin.flush()
    busiest = max(float(one.stdout.readline()) for one in running)
    seconds = time.perf_counter() - started
    for one in running:
        one.wait()
    return seconds, busiest


def fitted(client, n_rows=N_ROWS):
    """(seconds, those of the busiest processor) of a fit, and bytes on the wire of each solve."""
    from distributed import wait

    from sklearn_zorb.dask import DaskZORBRegressor
    from sklearn_zorb.rows.systems import RemoteSystem

    X, y = client.persist(rows(n_rows))
    wait([X, y])
    sums, wire = RemoteSystem.gram, {}

    def counted(system):
        before = sent()
        found = sums(system)
        wire[system.n_features] = sent() - before
        return found

    RemoteSystem.gram = counted
    before, here = client.run(time.process_time), time.process_time()
    try:
        seconds = timed(lambda: DaskZORBRegressor(LAYERS, random_state=0).fit(X, y))[1]
    finally:
        RemoteSystem.gram = sums
    here = time.process_time() - here
    after = client.run(time.process_time)
    return (seconds, here + max(after[worker] - before[worker] for worker in after)), wire


def sent():
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


def scaling():
    """One worker and two, beside two bare processes; and the local estimator with two threads."""
    runs: dict = {name: [] for name in (
        "bare 1", "bare 2", "dask 1", "dask 2", "kept 1", "kept 2", "local 2")}  # fmt: skip
    wires, known, keeping = [], {}, {}
    for repeat in range(REPEATS):
        for count in (1, 2):
            note(f"{count} of 2, run {repeat + 1} of {REPEATS}")
            runs[f"bare {count}"].append(bare(count))
            with cluster(count) as client:
                known[count] = rates_on(client)
                seconds, wire = fitted(client)
                runs[f"dask {count}"].append(seconds)
            note("workers that keep their memory")
            with mock.patch.dict(os.environ, KEEPING), cluster(count) as client:
                keeping[count] = rates_on(client)
                runs[f"kept {count}"].append(fitted(client)[0])
        wires.append(wire)
        note("the local estimator")
        runs["local 2"].append(local())
    row: dict = {"rows": N_ROWS}
    for place, unit in enumerate(("s", "processor s")):
        found = {name: min(pair[place] for pair in pairs) for name, pairs in runs.items()}
        gains = [found[f"{name} 1"] / found[f"{name} 2"] for name in ("bare", "dask")]
        row |= {f"{name} {unit}": seconds for name, seconds in found.items()}
        row |= {f"bare gain, {unit}": gains[0], f"dask gain, {unit}": gains[1],
                f"share, {unit}": gains[1] / gains[0]}  # fmt: skip
    row["dask 2 / local, s"] = row["dask 2 s"] / row["local 2 s"]
    row["kept 2 / local, s"] = row["kept 2 s"] / row["local 2 s"]
    # of the local estimator both threads are in it
    row["dask 2 / local, processor s"] = 2 * row["dask 2 processor s"] / row["local 2 processor s"]
    row |= {f"{name}, of {n}": value for n in known for name, value in known[n].items()}
    row |= {f"model, {n} s": modelled(known[n], N_ROWS, n, room(n)) for n in known}
    row |= {"model, local s": modelled(rates(), N_ROWS, 2, DEFAULT_LIMIT / 2)}
    row |= {f"model, kept {n} s": modelled(keeping[n], N_ROWS, n, room(n)) for n in keeping}
    for width, targets in ((WIDTH, UNITS), (WIDTH + UNITS, 1)):
        measured = min(wire[width] for wire in wires)
        row[f"MB of a solve, width {width}"] = measured / 1e6
        row[f"times 2 x {width}^2 x 8 bytes"] = measured / (2 * width**2 * 8)
        row[f"times the model, width {width}"] = measured / (3 * width * (width + targets) * 8)
    return [row]


def sizes():
    """Seconds of fewer rows, beside the cost model."""
    found = []
    for count in (1, 2):
        for part in (4, 2):
            n_rows = N_ROWS // part
            note(f"{n_rows} rows, {count} of 2 workers")
            with cluster(count) as client:
                known = rates_on(client)
                seconds = fitted(client, n_rows)[0][0]
            model = modelled(known, n_rows, count, room(count))
            found.append({"rows": n_rows, "workers": count, "s": seconds, "model s": model,
                          "times the model": seconds / model})  # fmt: skip
    return found


def local():
    """Seconds of the local estimator in a process of two threads, and of its processors."""
    script = (
        "import numpy as np; from benchmarks.common import timed; "
        "from benchmarks.dask_scale import BLOCKS, LAYERS, N_ROWS, made; "
        "from sklearn_zorb import ZORBRegressor; "
        "X = np.concatenate([made(i, N_ROWS // BLOCKS) for i in range(BLOCKS)]); "
        "y = np.sin(X[:, 0]) * X[:, 1] + X[:, 2]; "
        "import time; began = time.process_time(); "
        "print(timed(lambda: ZORBRegressor(LAYERS, random_state=0).fit(X, y))[1]); "
        "print(time.process_time() - began)"
    )
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, env={**os.environ, **threads})
    return tuple(map(float, done.stdout.split()))


def rates(rows=3000, passes=20):
    """What this thread does in a second, by operations on chunks as long as those of a fit."""
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(passes, rows, WIDTH)), rng.normal(size=(WIDTH, UNITS)) / 10
    hidden = np.tanh(X @ W)
    seen = np.concatenate([X, hidden], axis=2)
    width, count = WIDTH + UNITS, passes * rows

    def each(function, chunks):
        with threadpool_limits(1):
            return least(lambda: [function(chunk) for chunk in chunks])

    return {
        "Gram flops/s": count * width**2 / each(lambda one: one.T @ one, seen),
        "product flops/s": 2 * count * WIDTH * UNITS / each(lambda one: one @ W, X),
        "tanh/s": count * UNITS / each(np.tanh, hidden),
        "new numbers/s": 2
        * count
        * width
        / sum(each(lambda one: one + 1.0, table) for table in (X, hidden, seen)),
        "kept numbers/s": 5e7 / least(lambda: np.ones(50_000_000), 1),
        "numbers/s": count * UNITS / each(lambda one: np.add(one, 1.0, out=one), hidden),
    }


def least(function, count=4):
    """Seconds of a call, the least of so many."""
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def rates_on(client):
    """The mean rates of all workers, which work at the same time, and seconds of a pass."""
    import dask.array as da
    from distributed import wait

    from sklearn_zorb.dask.workers import Workers
    from sklearn_zorb.rows.remote import total

    places = list(client.scheduler_info(n_workers=-1)["workers"])
    wait([client.submit(rates, workers=[worker], pure=False) for worker in places])
    tasks = [client.submit(rates, workers=[worker], pure=False) for worker in places]
    found = client.gather(tasks)
    known = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    parts = client.compute(list(da.zeros(BLOCKS, chunks=1).to_delayed()))
    table = Workers(client, [1] * BLOCKS).table(parts, np.zeros(1))
    known["s of a pass"] = least(lambda: total(np.sum, np.add, table))
    return known


def modelled(known, n_rows, n_threads, room=0.0, width=WIDTH, units=UNITS):
    """Seconds of a fit of one hidden layer, by the cost model of the guide.

    `room` is how many bytes of scaled inputs and activations are kept.
    """
    seen = width + units
    scaled = 1 if 8 * n_rows * width <= room else 5
    made = 1 if 8 * n_rows * (width + units) <= room else 2
    kept = (scaled == 1) * width + (made == 1) * units
    grams = (width**2 + seen**2) / known["Gram flops/s"]
    products = 2 * (1 + made) * width * units / known["product flops/s"]
    curves = (1 + made) * units / known["tanh/s"]
    new = ((2 + scaled) * width + 6 * units + 4 * seen) / known["new numbers/s"]
    new += kept / known["kept numbers/s"]
    others = ((8 + scaled) * width + (11 + 3 * made) * units + 2 * seen) / known["numbers/s"]
    each = grams + products + curves + new + others
    return n_rows / n_threads * each + 25 * known.get("s of a pass", 0.0)


def equality(n_rows=6000):
    """Largest relative differences of predictions and weights, 4 chunkings and 3 numbers."""
    import dask.array as da

    from sklearn_zorb import ZORBRegressor
    from sklearn_zorb.dask import DaskZORBRegressor

    X = np.random.default_rng(0).normal(size=(n_rows, 20))
    y = np.sin(X[:, 0]) * X[:, 1] + X[:, 2]
    layers = "Dense[60] Tanh Dense[40] ReLU"
    expected = ZORBRegressor(layers, random_state=0).fit(X, y)
    chunkings = [n_rows, 2000, 777, (1, 4000, 1999)]
    found = []
    for n_workers in (1, 2, 4):
        with cluster(n_workers, processes=False):
            for chunks in chunkings:
                note(f"{n_workers} workers, chunks {chunks}")
                model = DaskZORBRegressor(layers, random_state=0).fit(
                    da.from_array(X, chunks=(chunks, -1)), da.from_array(y, chunks=(chunks,))
                )
                weights = max(
                    relative(params[name], other[name])
                    for params, other in zip(model.params_, expected.params_, strict=True)
                    for name in params
                    if name in ("weights", "intercept")
                )
                found.append((relative(model.predict(X), expected.predict(X)), weights))
    predictions, weights = map(max, zip(*found, strict=True))
    return [{"largest difference of predictions": predictions, "of weights": weights}]


def relative(found, expected):
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def killed(n_rows=20_000):
    """A worker killed in the middle of a fit; the model beside one without that."""
    from distributed import wait

    from sklearn_zorb.dask import DaskZORBRegressor

    found: list = []
    for kill in (False, True):
        with cluster(2) as client:
            X, y = client.persist(rows(n_rows))
            wait([X, y])
            pids = sorted(client.run(os.getpid).values())
            if kill:
                note(f"process {pids[0]} of {pids} dies")
                threading.Timer(found[0][1] / 3, os.kill, (pids[0], signal.SIGKILL)).start()
            model = DaskZORBRegressor("Dense[64] Tanh Dense[64] Tanh", random_state=0)
            seconds = timed(lambda model=model, X=X, y=y: model.fit(X, y))[1]
            found.append((model, seconds, pids[0] not in client.run(os.getpid).values()))
    (plain, seconds, _), (other, longer, gone) = found
    X = made(99, 1000)
    moved = relative(other.predict(X), plain.predict(X))
    return [{"fit s": seconds, "with a worker killed s": longer, "its process is gone": gone,
             "difference of predictions": moved}]  # fmt: skip


CHUNKED = """
import sys, threading
from time import perf_counter
import numpy as np
from sklearn_zorb import ZORBRegressor
n_chunks, limit = int(sys.argv[1]), sys.argv[2]
base = np.random.default_rng(0).normal(size=(100_000, 100))
def chunks(count=n_chunks):
    for seed in range(count):
        X = base * (1 + seed % 7)
        yield X, np.sin(X[:, 0]) + X[:, 1]
model = ZORBRegressor("Dense[32] Tanh", random_state=0, memory_limit=limit)
model.fit(base[:2000], base[:2000, 0])
anonymous = lambda: next(
    int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("RssAnon")
)
peak, done = [anonymous()], threading.Event()
before = peak[0]
def watch():
    while not done.wait(0.05):
        peak[0] = max(peak[0], anonymous())
threading.Thread(target=watch, daemon=True).start()
started = perf_counter()
model.fit_chunks(chunks)
print(perf_counter() - started, peak[0] - before, model.loo_score_)
"""


def chunks():
    """Rows that are made when they are read: memory that `fit_chunks` adds."""
    count, limit = round(N_GIGABYTES / 0.08), "1GB"
    command = [sys.executable, "-c", CHUNKED, str(count), limit]
    done = subprocess.run(command, check=True, capture_output=True)
    seconds, added, score = map(float, done.stdout.split())
    model = modelled(rates(), count * 100_000, 1, 0.5e9, units=32)
    return [{"GB": N_GIGABYTES, "memory_limit": limit, "s": seconds, "model s": model,
             "added GB": added / 1e9, "loo R2": score}]  # fmt: skip


def defaults():
    """The default list in four partitions beside the local one, on two large tables."""
    with cluster(2, processes=False):
        return [default_on(name) for name in ("adult", "diamonds")]


def default_on(name):
    """Scores and seconds of both on one table."""
    import dask.dataframe as dd
    from sklearn.model_selection import train_test_split

    import sklearn_zorb
    from sklearn_zorb import dask
    from sklearn_zorb.layers.gathered import solve_on_sample

    table = load(name)
    kind = "ZORBClassifier" if table.task == "classification" else "ZORBRegressor"
    X, X_test, y, y_test = train_test_split(table.X, table.y, test_size=0.25, random_state=0)
    note(f"{name}: one place")
    local = getattr(sklearn_zorb, kind)(random_state=0)
    local, seconds = timed(lambda: local.fit(X, y))
    frame = dd.from_pandas(X.reset_index(drop=True).assign(target_=np.asarray(y)), 4)
    note(f"{name}: four partitions")
    spread = getattr(dask, f"Dask{kind}")(random_state=0)
    spread, longer = timed(lambda: spread.fit(frame[list(X)], frame["target_"]))
    note(f"{name}: four partitions, a sample of {FEW} rows")
    with mock.patch(
        "sklearn_zorb.layers.sweep.solve_on_sample", partial(solve_on_sample, most=FEW)
    ):
        few = getattr(dask, f"Dask{kind}")(random_state=0).fit(frame[list(X)], frame["target_"])
    one, four, fewer = (
        model.score(X_test, y_test) for model in (local, spread.to_local(), few.to_local())
    )
    return {"data": name, "rows": len(X), "one place": one, "four partitions": four,
            "difference": four - one, f"of {FEW} rows": fewer - one,
            "s": seconds, "in four s": longer}  # fmt: skip


PARTS = {part.__name__: part for part in (scaling, sizes, equality, killed, chunks, defaults)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    # of this process's children; the local estimator is given two
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    for name in parser.parse_args().parts:
        found = PARTS[name]()
        save(f"dask_{name}", found)
        show(found)


if __name__ == "__main__":
    main()
