"""A few thousand rows: the exact kernel of the default beside one of 1500 landmarks.

All rows of the default's first kernel are landmarks up to 3000 distinct rows. Here other stacks
have the same blocks but for 1500 landmarks in it. Generated tables, and phoneme; the models predict
all other rows, 4000 at most. Means over splits. The limit of 3000 was chosen by looking at other
splits of tables such as the first two; the friedman tables had no part in that.
"""

import numpy as np
from sklearn.datasets import make_classification, make_friedman1, make_friedman2
from sklearn.metrics import log_loss

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers
from sklearn_zorb.layers import Kernel

from .common import note, quiet, save, show, table, timed

SIZES = (1700, 2500, 3000)
LANDMARKS = 1500
N_TEST = 4000
SEEDS = 3


def tables():
    """Name, whether y holds classes, X and y."""
    yield (
        "4 classes",
        True,
        *make_classification(10_000, 20, n_informative=10, n_classes=4, random_state=0),
    )
    yield "phoneme", True, *table("phoneme")
    yield "friedman1", False, *make_friedman1(10_000, 10, noise=1.0, random_state=0)
    yield "friedman2", False, *make_friedman2(10_000, noise=100.0, random_state=0)


def fitted(classes, X, y, exact, seed):
    """The default, or what it would be with fewer landmarks; and its fit time."""
    layers = auto_layers(X, y, n_outputs=len(np.unique(y)) if classes else 1)
    if not exact:
        kernels = [block[-1] for block in layers[0].blocks if isinstance(block[-1], Kernel)]
        kernels[0].units = LANDMARKS
    estimator = ZORBClassifier if classes else ZORBRegressor
    return timed(lambda: estimator(layers, random_state=seed, n_jobs=2).fit(X, y))


def judged(classes, parts, exact, seed):
    """Fit time, score, and of classes the log-loss."""
    X, y, X_test, y_test = parts
    model, seconds = fitted(classes, X, y, exact, seed)
    found = {"fit s": seconds, "score": model.score(X_test, y_test)}
    if classes:
        shares = model.predict_proba(X_test)
        found["log-loss"] = log_loss(y_test, shares, labels=model.classes_)
    return found


def main():
    quiet()
    rows = []
    for name, classes, X, y in tables():
        for n_rows in SIZES:
            note(f"{name}, {n_rows} rows")
            found = {"exact": [], str(LANDMARKS): []}
            for seed in range(SEEDS):
                order = np.random.default_rng(seed).permutation(len(y))
                first, others = order[:n_rows], order[n_rows : n_rows + N_TEST]
                parts = X[first], y[first], X[others], y[others]
                for kind, scores in found.items():
                    scores.append(judged(classes, parts, kind == "exact", seed))
            means = {
                f"{measure}, {kind}": float(np.mean([one[measure] for one in scores]))
                for measure in found["exact"][0] for kind, scores in found.items()
            }  # fmt: skip
            times = means["fit s, exact"] / means[f"fit s, {LANDMARKS}"]
            rows.append({"table": name, "rows": n_rows, **means, "time ratio": times})
            save("landmarks", rows, seeds=SEEDS)
    show(rows)


if __name__ == "__main__":
    main()
