"""The default beside xRFM and RealMLP as rows grow: scores, and the growth of times."""

import contextlib
import io

import numpy as np

from .common import quiet, save, show
from .many_rows import on_splits
from .tabular.models import OURS
from .tabular.run import warm_up
from .tabular.tables import load

TABLES = ("adult", "diamonds")
PEERS = ("RealMLP", "xRFM")
# training rows, and splits: a fit of the most takes minutes
SIZES = {1000: 5, 4000: 2, 20_000: 1}


def main():
    quiet()
    try:
        rows = [row for name in TABLES for n_rows in SIZES for row in compare(load(name), n_rows)]
    except ImportError as error:
        print(f"{error}: the benchmark takes pytabkit with its extra for xRFM.")
        return
    save("slow_peers", rows)
    show(rows)


def compare(table, n_rows):
    """One row for each peer: means over splits, all other rows for the test, two threads."""
    models = (OURS, *PEERS)
    # the networks print what they do
    with contextlib.redirect_stdout(io.StringIO()):
        for model in models:
            warm_up(model, table.task, 2)
        found = on_splits(table, n_rows, SIZES[n_rows], models)
    means = {model: np.mean(scores, axis=0) for model, scores in found.items()}
    score, seconds = means[OURS]
    return [
        {"table": table.name, "rows": n_rows, "splits": SIZES[n_rows], "peer": peer,
         "ours": score, "peer's": means[peer][0], "ours s": seconds, "peer s": means[peer][1],
         "ours / peer": seconds / means[peer][1]}
        for peer in PEERS
    ]  # fmt: skip


if __name__ == "__main__":
    main()
