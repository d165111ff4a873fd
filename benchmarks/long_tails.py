"""Columns with long tails: the default, the default without `NormalScores`, boosting, a forest.

Eight columns are functions of normal ones, on which the target depends smoothly: log-normal ones
of several deviations, the same with zeros for two values in three, and cubes. Classes are the
target above or below its median. Means over seeds, on 2000 rows held out.

Tried in place of the scores, and less accurate: the inverse hyperbolic sine of the distance to the
median, robust scales for all columns, and scores from two or three robust deviations on, which
gain on such columns and lose on ordinary tables; scores of columns that are zero in most rows,
which lose on images.
"""

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.metrics import log_loss

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers
from sklearn_zorb.layers import NormalScores, Stack

from .common import note, quiet, save, show

ROWS, TEST_ROWS, SEEDS = 1000, 2000, 5
COLUMNS = {
    "normal": lambda z: z,
    "log-normal, 1": np.exp,
    "log-normal, 2": lambda z: np.exp(2 * z),
    "log-normal, 3": lambda z: np.exp(3 * z),
    "log-normal, 2, and zeros": lambda z: np.where(z > 0.4, np.exp(2 * z), 0),
    "cubes": lambda z: z**3,
}


def draw(columns, seed):
    """Rows and target, of which the first `ROWS` are to be learned from."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(ROWS + TEST_ROWS, 8))
    y = Z[:, 0] * Z[:, 1] + np.sin(2 * Z[:, 2]) + Z[:, 3] + 0.5 * Z[:, 4] ** 2
    return columns(Z), y + 0.3 * rng.normal(size=len(y))


def without_scores(layers):
    (stack,) = layers
    blocks = [[layer for layer in b if not isinstance(layer, NormalScores)] for b in stack.blocks]
    return [Stack(blocks)]


def models_of(classes, seed):
    ours = ZORBClassifier if classes else ZORBRegressor
    boosting = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    forest = RandomForestClassifier if classes else RandomForestRegressor
    layers = auto_layers((ROWS, 8), n_outputs=2 if classes else 1)
    return {
        "ZORB": ours(random_state=seed),
        "without": ours(without_scores(layers), random_state=seed),
        "HistGradientBoosting": boosting(random_state=seed),
        "forest": forest(200, random_state=seed, n_jobs=2),
    }


def scores(X, y, classes, seed):
    """Test score of each model, and of classes the log-loss."""
    found = {}
    for name, model in models_of(classes, seed).items():
        model.fit(X[:ROWS], y[:ROWS])
        found[name] = model.score(X[ROWS:], y[ROWS:])
        if classes:
            found[f"{name} log-loss"] = log_loss(y[ROWS:], model.predict_proba(X[ROWS:]))
    return found


def main():
    quiet()
    rows = []
    for name, columns in COLUMNS.items():
        for classes in (False, True):
            note(f"{name}, {'classes' if classes else 'numbers'}")
            found = []
            for seed in range(SEEDS):
                X, y = draw(columns, seed)
                y = (y > np.median(y)).astype(int) if classes else y
                found.append(scores(X, y, classes, seed))
            means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
            rows.append({"columns": name, "score": "accuracy" if classes else "R²", **means})
            save("long_tails", rows, seeds=SEEDS, train_rows=ROWS)
    show(rows)


if __name__ == "__main__":
    main()
