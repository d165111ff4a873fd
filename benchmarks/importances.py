"""Importances of columns beside permutation importance: rank correlations on real tables.

Each table of the data directory, of at most 1500 rows; a third of the rows are for testing. Text
and categories become codes and gaps medians. Permutation importance is the loss of log-loss or R²
by five shuffles of a column:

- `halves`: how far two runs agree, one on each half of the test rows, and how far the importances
  agree with these two, as a mean;
- `seeds`: the same for two runs with other shuffles of the same test rows, which share the chance
  in their targets;
- `training`: how far a run on training rows agrees with these, whose rows it has not seen either.
"""

from time import perf_counter

import numpy as np
from scipy.stats import spearmanr
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.datasets.tables import table_names

from .common import note, quiet, save, show
from .tabular.tables import load

MOST_ROWS, TRAINING_ROWS = 1500, 500


def numeric(X):
    """A frame as numbers: codes of categories, medians for gaps."""
    codes = X.apply(lambda column: column.cat.codes if column.dtype == "category" else column)
    return codes.astype(float).fillna(codes.median()).to_numpy()


def agreement(one, *others):
    """Mean rank correlation of importances with others."""
    return float(np.mean([spearmanr(one, other)[0] for other in others]))


def measure(name):
    table = load(name, max_rows=MOST_ROWS)
    classes = table.task == "classification"
    X, X_test, y, y_test = train_test_split(
        numeric(table.X), table.y, test_size=1 / 3, random_state=0,
        stratify=table.y if classes else None,
    )  # fmt: skip
    model = (ZORBClassifier if classes else ZORBRegressor)(random_state=0).fit(X, y)
    started = perf_counter()
    importances = model.feature_importances_
    seconds = perf_counter() - started

    def permuted(X, y, seed):
        scoring = "neg_log_loss" if classes else "r2"
        run = permutation_importance(model, X, y, scoring=scoring, random_state=seed)
        return run.importances_mean

    started = perf_counter()
    seeds = [permuted(X_test, y_test, seed) for seed in (0, 1)]
    slower = (perf_counter() - started) / 2
    halves = [permuted(X_test[half::2], y_test[half::2], half) for half in (0, 1)]
    training = permuted(X[:TRAINING_ROWS], y[:TRAINING_ROWS], 2)
    return {
        "table": name,
        "columns": X.shape[1],
        "halves": agreement(*halves),
        "importances, halves": agreement(importances, *halves),
        "seeds": agreement(*seeds),
        "importances, seeds": agreement(importances, *seeds),
        "training, seeds": agreement(training, *seeds),
        "seconds": seconds,
        "permutation / importances, time": slower / seconds,
    }


def main():
    quiet()
    rows = []
    for name in table_names():
        note(name)
        rows.append(measure(name))
    columns = list(rows[0])[1:]
    middle = {column: float(np.median([row[column] for row in rows])) for column in columns}
    rows.append({"table": "median", **middle})
    show(rows)
    save("importances", rows, max_rows=MOST_ROWS)


if __name__ == "__main__":
    main()
