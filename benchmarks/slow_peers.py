"""The default beside xRFM and RealMLP as rows grow: scores, and the growth of times."""

import contextlib
import io

import numpy as np
from sklearn.model_selection import train_test_split

from .common import note, quiet, save, show, timed
from .tabular.models import OURS, SLOW, make
from .tabular.run import warm_up
from .tabular.tables import load

TABLES = ("adult", "diamonds")
# training rows, and splits: a fit of the most takes minutes
SIZES = {1000: 5, 4000: 2, 20_000: 1}


def main():
    quiet()
    jobs = [(name, n_rows) for name in TABLES for n_rows in SIZES]
    rows = []
    for done, (name, n_rows) in enumerate(jobs):
        note(f"[{'#' * (30 * done // len(jobs)):<30}] {name}, {n_rows} rows")
        try:
            rows += compare(load(name), n_rows)
        except ImportError as error:
            print(f"{error}: the benchmark takes pytabkit with its extra for xRFM.")
            return
    save("slow_peers", rows)
    show(rows)


def compare(table, n_rows):
    """One row for each peer: means over splits, all other rows for the test, two threads."""
    found: dict = {model: [] for model in (OURS, *SLOW)}
    classes = table.y if table.task == "classification" else None
    for seed in range(SIZES[n_rows]):
        X, X_test, y, y_test = train_test_split(
            table.X, table.y, train_size=n_rows, stratify=classes, random_state=seed
        )
        for model, scores in found.items():
            # the networks print what they do
            with contextlib.redirect_stdout(io.StringIO()):
                if seed == 0:
                    warm_up(model, table.task, 2)
                pipeline = make(model, table.task, seed, 2)
                fitted, seconds = timed(lambda p=pipeline, X=X, y=y: p.fit(X, y))
                scores.append((fitted.score(X_test, y_test), seconds))
    means = {model: np.mean(scores, axis=0) for model, scores in found.items()}
    score, seconds = means[OURS]
    return [
        {"table": table.name, "rows": n_rows, "splits": SIZES[n_rows], "peer": peer,
         "ours": score, "peer's": means[peer][0], "ours s": seconds, "peer s": means[peer][1],
         "ours / peer": seconds / means[peer][1]}
        for peer in SLOW
    ]  # fmt: skip


if __name__ == "__main__":
    main()
