"""Intervals and quantiles: coverage by thirds of the predictions, and pinball losses.

Regression tables, with up to 3000 training rows drawn by the seed and up to 4000 others for the
test. Beside ours stand one width for all rows, from the left-out errors of the same model, and
quantile regressions by boosting, one model for each quantile, with defaults. The pinball loss is
summed over seven quantiles, and relative to that of the quantiles of the training targets.

Tried in place of what is there, on four splits: widths from a forest or a kernel of the columns,
or from how far the blocks of the stack disagree, alone or beside the columns; more and fewer
knots and bends of the columns. The mean loss of none was lower by more than a hundredth.
Levels calibrated within halves, thirds or fifths of the predictions, with or without a share of
the others, move coverage in thirds by up to 1.6 points, in either direction, and the loss rises.
With the prediction as one more column of the model of sizes, on all splits below, the loss falls by
a two-hundredth; coverage at 50 % of the lowest third moves away by .6 points, and at 80 % of the
highest third comes nearer by .7.
Part of what is off is chance: with 15 splits of the short tables and 4 of the others, coverage of
the lowest and highest third is off by 2.7 and -1.0 points at 50 % and by 1.9 and -1.7 at 80 %, each
with a standard error of about 1. `wine_red`, whose targets are six numbers, is off by up to 16
points in a third: half of the cases often fill an interval that holds none of the numbers, or one.

``python -m benchmarks.intervals boston servo`` runs some tables only; what is on record is kept.
"""

import sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_pinball_loss

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.datasets.tables import table_names
from sklearn_zorb.decoders import LeftOutErrors

from .common import note, on_record, quiet, save, show
from .tabular.models import native, one_hot
from .tabular.tables import load

TRAIN_ROWS, TEST_ROWS = 3000, 4000
# splits of tables of up to so many training rows, and of longer ones
FEW_ROWS, SPLITS, SPLITS_OF_LONG = 500, 5, 2
COVERAGES = (0.5, 0.8, 0.9, 0.95)
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
LEVELS = (0.025, *QUANTILES, 0.975)
THIRDS = ("all", "lowest", "middle", "highest")


class Recorded(ZORBRegressor):
    """The default, which also keeps how it would tell quantiles by one width for all rows."""

    def _attributes(self, fit, data, call):
        errors = fit.model.decoder.learn(fit.left_out, data.y, data.weights).errors
        one_width = LeftOutErrors.of_others(errors.residuals, errors.weights)
        return {**super()._attributes(fit, data, call), "one_width_": one_width}


def ours(X, y, X_test, seed):
    """Predictions, and quantiles of the default and by one width for all rows."""
    pipeline = one_hot(Recorded(random_state=seed)).fit(X, y)
    rows, model = pipeline[:-1].transform(X_test), pipeline[-1]
    predicted = model.predict(rows)
    errors = model.one_width_.quantiles(np.zeros((len(rows), 1)), np.array(LEVELS))[:, 0]
    one_width = np.clip(predicted[:, None] + errors, y.min(), y.max())
    return predicted, {"ZORB": model.predict_quantiles(rows, LEVELS), "one width": one_width}


def boosting(X, y, X_test, seed):
    """Quantiles by one model for each."""
    import lightgbm

    def histogram(level):
        return HistGradientBoostingRegressor(loss="quantile", quantile=level, random_state=seed)

    def light(level):
        return lightgbm.LGBMRegressor(
            objective="quantile", alpha=level, random_state=seed, n_jobs=1, verbosity=-1
        )

    return {
        name: np.stack([native(make(p)).fit(X, y).predict(X_test) for p in LEVELS], axis=1)
        for name, make in (("HistGradientBoosting", histogram), ("LightGBM", light))
    }


def measured(found, y_train, y, thirds):
    """Relative pinball loss of quantiles, and what their intervals cover of each third."""
    pairs = [(found[:, LEVELS.index(p)], np.quantile(y_train, p), p) for p in QUANTILES]
    losses = [
        (mean_pinball_loss(y, ours, alpha=p), mean_pinball_loss(y, [one] * len(y), alpha=p))
        for ours, one, p in pairs
    ]
    ours, constant = np.sum(losses, axis=0)
    row = {"pinball": ours / constant}
    for coverage in COVERAGES:
        low, high = (LEVELS.index(round(0.5 + side * coverage / 2, 3)) for side in (-1, 1))
        inside = (found[:, low] <= y) & (y <= found[:, high])
        parts = (slice(None), *thirds)
        row |= {
            f"{coverage} {name}": inside[part].mean()
            for name, part in zip(THIRDS, parts, strict=True)
        }
    return row


def split(name, seed):
    """What each model gives for one table and seed."""
    table = load(name)
    order = np.random.default_rng(seed).permutation(len(table.y))
    count = min(TRAIN_ROWS, int(0.7 * len(order)))
    train, test = order[:count], order[count : count + TEST_ROWS]
    X, y, X_test, y_test = table.X.iloc[train], table.y[train], table.X.iloc[test], table.y[test]
    predicted, found = ours(X, y, X_test, seed)
    found |= boosting(X, y, X_test, seed)
    thirds = np.array_split(np.argsort(predicted, kind="stable"), 3)
    return [
        {"table": name, "seed": seed, "model": model, **measured(quantiles, y, y_test, thirds)}
        for model, quantiles in found.items()
    ]


def means(rows):
    """Means over tables of means over splits, one row for each model."""
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of_model = [row for row in rows if row["model"] == model]
        tables = [
            [r for r in of_model if r["table"] == name] for name in {r["table"] for r in of_model}
        ]
        names = [name for name in of_model[0] if name not in ("table", "seed", "model")]
        found.append(
            {"model": model}
            | {
                name: float(np.mean([np.mean([row[name] for row in some]) for some in tables]))
                for name in names
            }
        )
    return found


def main(names=()):
    quiet()
    rows = on_record("intervals").get("splits", [])
    done = {(row["table"], row["seed"]) for row in rows}
    for name in names or table_names():
        table = load(name)
        if table.task != "regression":
            continue
        for seed in range(SPLITS if 0.7 * len(table.y) <= FEW_ROWS else SPLITS_OF_LONG):
            if (name, seed) not in done:
                note(f"{name}, split {seed}")
                rows += split(name, seed)
                save("intervals", means(rows), splits=rows)
    show(means(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
