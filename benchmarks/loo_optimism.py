"""How far ``loo_score_`` of the defaults is from the truth, on each table of the suite.

"minus cv" is the `loo_score_` of a fit to all rows (those of the suite) minus the mean score of
repeated cross-validation, which fits to four fifths of them. "same fits" is the mean over the
folds of what one and the same model said of itself minus its score on the rows held out.
"""

import numpy as np
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

from sklearn_zorb import ZORBClassifier, ZORBRegressor

from .common import note, quiet, save, show
from .tabular.models import one_hot
from .tabular.tables import load, table_names

MAX_ROWS = 1500
REPEATS = 2


def optimism(name):
    table = load(name, max_rows=MAX_ROWS)
    regression = table.task == "regression"
    Folds = RepeatedKFold if regression else RepeatedStratifiedKFold
    estimator = ZORBRegressor if regression else ZORBClassifier
    model = one_hot(estimator(random_state=0))
    claimed, measured = [], []
    for train, test in Folds(n_splits=5, n_repeats=REPEATS, random_state=0).split(table.X, table.y):
        model.fit(table.X.iloc[train], table.y[train])
        claimed.append(model[-1].loo_score_)
        measured.append(model.score(table.X.iloc[test], table.y[test]))
    everything = model.fit(table.X, table.y)[-1].loo_score_
    return {
        "table": name,
        "task": table.task,
        "rows": len(table.y),
        "loo score": everything,
        "cv score": np.mean(measured),
        "minus cv": everything - np.mean(measured),
        "same fits": np.mean(claimed) - np.mean(measured),
    }


def main():
    quiet()
    rows = []
    for name in table_names():
        note(name)
        rows.append(optimism(name))
        show(rows[-1:])
    medians = []
    for task in ("classification", "regression", "all"):
        some = [row for row in rows if task in (row["task"], "all")]
        medians.append({"task": task, "tables": len(some), "to reach": 0.01} | {
            f"median {name}": np.median([row[name] for row in some])
            for name in ("minus cv", "same fits")
        })  # fmt: skip
    save("loo_optimism", rows, medians=medians, max_rows=MAX_ROWS, repeats=REPEATS)
    show(rows)
    show(medians)


if __name__ == "__main__":
    main()
