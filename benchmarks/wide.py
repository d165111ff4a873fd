"""More columns than rows: the default beside a linear model and a forest, and its own judgement.

Targets are sums of a few columns, or of many, and noise of the same size; classes are their
signs. What the default says of rows left out (``loo``) stands beside its score on 2000 other
rows: feature scales of the kernel are learned from the rows that it is judged on.
"""

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import ZORBClassifier, ZORBRegressor

from .common import note, quiet, save, show

TEST_ROWS, SEEDS = 2000, 5
# name, rows, columns, columns that count
SUMS = [("few columns", 100, 200, 5), ("few columns", 300, 200, 5), ("many columns", 200, 500, 50),
        ("noise only", 30, 2000, 0)]  # fmt: skip


def tables(seed):
    """(name, rows, X, y) of every table."""
    rng = np.random.default_rng(seed)
    for name, n_rows, n_columns, n_used in SUMS:
        X = rng.normal(size=(n_rows + TEST_ROWS, n_columns))
        signal = X[:, :n_used].sum(axis=1) / max(n_used, 1) ** 0.5
        yield name, n_rows, X, signal + rng.normal(size=len(X))
    X, y = make_friedman1(200 + TEST_ROWS, n_features=50, noise=1.0, random_state=seed)
    yield "Friedman 1", 200, X, y


def scores(models, X, y, n_rows, classes):
    """Test score and log-loss of each model, and what ours says of rows left out."""
    row = {}
    for name, model in models.items():
        model.fit(X[:n_rows], y[:n_rows])
        judge = accuracy_score if classes else r2_score
        row[name] = judge(y[n_rows:], model.predict(X[n_rows:]))
        if classes:
            row[f"{name} log-loss"] = log_loss(y[n_rows:], model.predict_proba(X[n_rows:]))
        if name == "ZORB":
            row["loo"] = model.loo_score_
    return row


def models_of(classes, seed):
    alphas = np.logspace(-2, 5, 15)
    if classes:
        linear = LogisticRegressionCV(
            Cs=8, l1_ratios=(0,), scoring="neg_log_loss", use_legacy_attributes=False
        )
        forest, ours = RandomForestClassifier, ZORBClassifier
    else:
        linear, forest, ours = RidgeCV(alphas), RandomForestRegressor, ZORBRegressor
    return {
        "ZORB": ours(random_state=seed),
        "linear": make_pipeline(StandardScaler(), linear),
        "forest": forest(200, random_state=seed),
    }


def main():
    quiet()
    found: dict = {}
    for seed in range(SEEDS):
        for name, n_rows, X, y in tables(seed):
            for classes in (True, False):
                note(f"seed {seed}: {name}, {n_rows} rows")
                targets = (y > np.median(y)).astype(int) if classes else y
                row = scores(models_of(classes, seed), X, targets, n_rows, classes)
                key = (name, "accuracy" if classes else "R2", n_rows, X.shape[1])
                found.setdefault(key, []).append(row)
    rows = [
        {"data": name, "score": score, "rows": n_rows, "columns": n_columns}
        | {column: float(np.mean([one[column] for one in runs])) for column in runs[0]}
        for (name, score, n_rows, n_columns), runs in found.items()
    ]
    save("wide", rows, seeds=SEEDS)
    show(rows)


if __name__ == "__main__":
    main()
