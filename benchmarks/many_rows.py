"""The default where rows are many: tables of 20 000 beside LightGBM, and raw pixels."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split

from sklearn_zorb import ZORBClassifier

from .common import images, note, save, show, timed
from .tabular.models import make
from .tabular.tables import load

TRAIN_ROWS, SPLITS = 20_000, 10


def tables():
    """Means over splits; both with two jobs, every model on its own preparation of columns.

    All other rows are for the test: between two models that differ by a thousandth, a few
    thousand rows on a few splits do not decide.
    """
    rows = []
    for name in ("adult", "diamonds"):
        found = on_splits(load(name), TRAIN_ROWS, SPLITS, ("ZORB", "LightGBM"))
        (ours, seconds), (theirs, their_seconds) = (np.mean(s, axis=0) for s in found.values())
        gains = [a - b for (a, _), (b, _) in zip(*found.values(), strict=True)]
        rows.append({"data": f"{name}, {TRAIN_ROWS} rows", "fit s": seconds, "score": ours,
                     "LightGBM": theirs, "LightGBM fit s": their_seconds,
                     "standard error": float(np.std(gains, ddof=1) / SPLITS**0.5),
                     "ahead on splits": f"{sum(g > 0 for g in gains)} of {SPLITS}"})  # fmt: skip
    return rows


def on_splits(table, n_rows, n_splits, models):
    """For each model a list of (score on all other rows, seconds of a fit), one for each split."""
    found: dict = {model: [] for model in models}
    classes = table.y if table.task == "classification" else None
    for seed in range(n_splits):
        X, X_test, y, y_test = train_test_split(
            table.X, table.y, train_size=n_rows, stratify=classes, random_state=seed
        )
        for model, scores in found.items():
            note(f"{table.name}, {n_rows} rows, split {seed}: {model}")
            pipeline = make(model, table.task, seed, 2)
            fitted, seconds = timed(lambda p=pipeline, X=X, y=y: p.fit(X, y))
            scores.append((fitted.score(X_test, y_test), seconds))
    return found


def pixels():
    """Raw pixels, nothing set: digits by 5 folds, and 10 000 rows of MNIST."""
    note("digits")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = ZORBClassifier(random_state=0, n_jobs=2)
    scores, seconds = timed(lambda: cross_val_score(model, *load_digits(return_X_y=True), cv=folds))
    rows = [{"data": "digits, 5 folds", "fit s": seconds / 5, "score": float(scores.mean())}]
    note("mnist")
    X, y, X_test, y_test = images("mnist")
    fitted, seconds = timed(lambda: model.fit(X[:10_000], y[:10_000]))
    score = fitted.score(X_test, y_test)
    return [*rows, {"data": "mnist, 10000 rows", "fit s": seconds, "score": score}]


def main():
    rows = tables() + pixels()
    save("many_rows", rows)
    show(rows)


if __name__ == "__main__":
    main()
