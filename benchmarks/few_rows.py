"""Few rows: the default stack with its forest and without, fitted to the same 10 to 200 rows.

From every table of the suite rows are drawn at random (at least two of each class) and the
others, 1000 at most, are predicted. Gains are differences in accuracy or R² (floored at -1),
and in log-loss, paired by draw and averaged by table; the error is that of their mean over
tables.
"""

import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers
from sklearn_zorb.layers import Stack, Trees

from .common import note, quiet, save, show
from .tabular.models import one_hot
from .tabular.tables import load, table_names

SIZES = (10, 20, 30, 40, 50, 100, 200)
REPEATS = 10
N_TEST = 1000


def stacks(n_rows):
    """What the default builds from this many rows, without the forest and with it."""
    (stack,) = auto_layers((n_rows, 1))
    plain = [block for block in stack.blocks if not isinstance(block[-1], Trees)]
    return [Stack(plain)], [Stack([*plain, [Trees()]])]


def draw(table, n_rows, seed):
    """Training and test rows, or None where the table has too few."""
    if len(table.y) < n_rows + 50:
        return None
    classes = None
    if table.task == "classification":
        classes = table.y
        if 2 * len(np.unique(classes)) > n_rows or np.bincount(classes).min() < 4:
            return None
    X, X_test, y, y_test = train_test_split(
        table.X, table.y, train_size=n_rows, stratify=classes, random_state=seed
    )
    if classes is not None and np.bincount(y, minlength=classes.max() + 1).min() < 2:
        return None
    return X, X_test[:N_TEST], y, y_test[:N_TEST]


def judge(layers, task, parts, seed):
    """Score and log-loss (zero for numbers) on the test rows."""
    X, X_test, y, y_test = parts
    estimator = ZORBRegressor if task == "regression" else ZORBClassifier
    model = one_hot(estimator(layers, random_state=seed)).fit(X, y)
    if task == "regression":
        return max(model.score(X_test, y_test), -1.0), 0.0
    shares = model.predict_proba(X_test)
    return model.score(X_test, y_test), log_loss(y_test, shares, labels=model.classes_)


def gains(name, n_rows):
    """Task, and mean gains of the forest in score and in log-loss, or None."""
    differences = []
    for seed in range(REPEATS):
        table = load(name, seed)
        parts = draw(table, n_rows, seed)
        if parts is None:
            return None
        plain, forest = (judge(layers, table.task, parts, seed) for layers in stacks(n_rows))
        differences.append((forest[0] - plain[0], plain[1] - forest[1]))
    return table.task, np.mean(differences, axis=0)


def summary(n_rows, task, differences):
    """One line: the mean over tables, its standard error, and how many tables gain."""
    differences = np.array(differences)
    error = differences.std(axis=0, ddof=1) / np.sqrt(len(differences))
    row = {"rows": n_rows, "task": task, "tables": len(differences)}
    for k, name in enumerate(("score", "log-loss")[: 1 + (task == "classification")]):
        row[f"{name} gain"], row[f"{name} error"] = differences[:, k].mean(), error[k]
        row[f"{name} better on"] = int((differences[:, k] > 0).sum())
    return row


def main():
    quiet()
    rows, tables = [], []
    names = table_names()
    for n_rows in SIZES:
        found = {"classification": [], "regression": []}
        for number, name in enumerate(names, start=1):
            note(f"{n_rows} rows, {number}/{len(names)} {name}")
            result = gains(name, n_rows)
            if result is not None:
                task, gain = result
                found[task].append(gain)
                tables.append({"table": name, "rows": n_rows, "score gain": gain[0],
                               "log-loss gain": gain[1]})  # fmt: skip
        rows += [summary(n_rows, task, values) for task, values in found.items()]
        show(rows[-2:])
    save("few_rows", rows, repeats=REPEATS, tables=tables)
    show(rows)


if __name__ == "__main__":
    main()
