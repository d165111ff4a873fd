"""What was tried in the default stack: each variant beside it, on the same splits.

Blocks of a stack do not see each other, so each is fitted once for a split, and a variant
combines left-out outputs as `Stack` does. What is measured goes to ``results/blocks.tmp``; a
run that was broken off goes on from there, so delete that file to measure afresh.
"""

import json
from functools import partial
from time import perf_counter

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, r2_score
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    PolynomialFeatures,
    QuantileTransformer,
    SplineTransformer,
    TargetEncoder,
)

from sklearn_zorb import ZORBRegressor, auto_layers, parse_layers
from sklearn_zorb.datasets import load_table
from sklearn_zorb.decoders import Classes, LinearDiscriminant, Numbers, PowerCalibration
from sklearn_zorb.layers import Context, EstimatorLayer, Kernel, Stack, Standardize
from sklearn_zorb.layers.block_weights import stack_weights
from sklearn_zorb.memory import Memory
from sklearn_zorb.network import Network
from sklearn_zorb.rows import merge_copies
from sklearn_zorb.rows.constant import ConstantColumns
from sklearn_zorb.trainers import ZORB

from .common import RESULTS, note, quiet, save, show
from .tabular.models import one_hot
from .tabular.tables import load, table_names

TRAIN_ROWS, TEST_ROWS, SPLITS = 700, 1500, 5
# columns beyond which there are too many products
PRODUCT_COLUMNS = 40
# classes with categories, and more than two of them: other columns of the same tables
DERIVED = [
    ("adult", "relationship"),
    ("adult", "occupation"),
    ("adult", "workclass"),
    ("diamonds", "cut"),
    ("diamonds", "color"),
    ("diamonds", "clarity"),
]
SCALED = "Standardize[clip=3.0] Standardize"


class ForestOfResiduals(RegressorMixin, BaseEstimator):
    """A forest fitted to what a ridge regression leaves."""

    def fit(self, X, y):
        self.line_ = RidgeCV(np.logspace(-2, 4, 13)).fit(X, y)
        self.forest_ = RandomForestRegressor(50, max_features=0.5, random_state=0)
        self.forest_.fit(X, y - self.line_.predict(X))
        return self

    def predict(self, X):
        return self.line_.predict(X) + self.forest_.predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def layer_text(text, X, n_outputs=1):
    return parse_layers(text.format(n=min(len(X), 1500), few=min(len(X), 500)))


def on(transformer, tail, X, n_outputs=1):
    """A transformer, then layers as text."""
    return [EstimatorLayer(transformer), *(layer_text(tail, X) if tail else [])]


def products(X, n_outputs):
    if X.shape[1] > PRODUCT_COLUMNS:
        return layer_text(SCALED, X)
    made = PolynomialFeatures(2, include_bias=False)
    return [*layer_text(SCALED, X), EstimatorLayer(made), Standardize(clip=3.0)]


def bent(X, n_outputs):
    kernel = ZORBRegressor([Kernel(len(X))], readout="last", clip=False)
    return on(TransformedTargetRegressor(kernel, func=np.arcsinh, inverse_func=np.sinh), "", X)


def statistics(X, n_outputs):
    bins = KBinsDiscretizer(16, encode="ordinal", quantile_method="averaged_inverted_cdf")
    encoder = make_pipeline(bins, TargetEncoder(random_state=0))
    return [EstimatorLayer(encoder, X.shape[1] * n_outputs), Standardize()]


def text(layers):
    return partial(layer_text, layers)


def ramps(n_bins):
    return text(f"Parallel(Identity | PiecewiseLinear[{n_bins}]) Standardize[clip=3.0]")


BLOCKS = {
    "ridge": lambda X, n_outputs: auto_layers(X)[0].blocks[0],
    "straight": text("Standardize[clip=3.0]"),
    "few bins": ramps(4),
    "many bins": ramps(16),
    "kernel": text(f"{SCALED} Kernel[{{n}}]"),
    "smooth": text(f"{SCALED} Kernel[{{few}}, kind=gaussian]"),
    "forest": text("Trees"),
    "laplace": text(f"{SCALED} Kernel[{{n}}, kind=laplace]"),
    "no reweighting": text(f"{SCALED} Kernel[{{n}}, reweight=0]"),
    "fewer landmarks": text(f"{SCALED} Kernel[{{few}}]"),
    "uniform": partial(on, QuantileTransformer(n_quantiles=200), "Standardize Kernel[{n}]"),
    "relu": text(f"{SCALED} Dense[512] ReLU"),
    "deep": text(f"{SCALED} Dense[512] ReLU Dense[512] ReLU"),
    "cos": text(f"{SCALED} Dense[512] Cos"),
    "splines": lambda X, n_outputs: [
        Standardize(clip=3.0),
        *on(SplineTransformer(8, degree=3, knots="quantile"), "Standardize", X),
    ],
    "products": products,
    "extra": text("Trees[kind=extra]"),
    "many trees": text("Trees[200]"),
    "half features": text("Trees[max_features=0.5]"),
    "residuals": partial(on, ForestOfResiduals(), ""),
    "statistics": statistics,
}
OF_CLASSES = {
    "forest of labels": partial(on, RandomForestClassifier(100), ""),
    "logistic": partial(on, LogisticRegression(max_iter=300), ""),
    "discriminant": partial(on, LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1), ""),
}
OF_NUMBERS = {"asinh": bent}

DEFAULT = ("ridge", "kernel", "forest")


# description, blocks
VARIANTS = {
    "default": ("", DEFAULT),
    "outputs only": ("the largest output is the class", DEFAULT),
    "discriminant always": ("classes by a discriminant of the outputs", DEFAULT),
    "Laplace kernel": ("Euclidean distance, nothing chosen", ("ridge", "laplace", "forest")),
    "second kernel": ("Gaussian, 500 landmarks", (*DEFAULT, "smooth")),
    "without ridge": ("no linear block", DEFAULT[1:]),
    "without forest": ("no trees", DEFAULT[:2]),
    "without kernel": ("ridge and forest", ("ridge", "forest")),
    "kernel not reweighted": ("features of equal scale", ("ridge", "no reweighting", "forest")),
    "fewer landmarks": ("500", ("ridge", "fewer landmarks", "forest")),
    "without ramps": ("ridge of the columns only", ("straight", *DEFAULT[1:])),
    "4 bins": ("ramps between quartiles", ("few bins", *DEFAULT[1:])),
    "16 bins": ("of ramps", ("many bins", *DEFAULT[1:])),
    "two linear blocks": ("ridges with and without ramps", (*DEFAULT, "straight")),
    "cubic splines": ("8 knots a column", (*DEFAULT, "splines")),
    "products": ("ridge of all pairwise products", (*DEFAULT, "products")),
    "kernel of ranks": ("columns made uniform first", (*DEFAULT, "uniform")),
    "random features": ("ridge of 512 cosines", (*DEFAULT, "cos")),
    "relaxed layer": ("512 ReLU units, relaxation .3", (*DEFAULT, "relu")),
    "two relaxed layers": ("512 ReLU units each", (*DEFAULT, "deep")),
    "200 trees": ("in place of 100", (*DEFAULT[:2], "many trees")),
    "extra trees": ("100 extremely randomised trees more", (*DEFAULT, "extra")),
    "wide forest": ("100 trees on half of the columns more", (*DEFAULT, "half features")),
    "trees on residuals": ("of a ridge, 5 folds", (*DEFAULT, "residuals")),
    "target statistics": ("ridge of cross-fitted means of y", (*DEFAULT, "statistics")),
    "forest of labels": ("in place of codes, 5 folds", (*DEFAULT[:2], "forest of labels")),
    "logistic": ("logistic regression, 5 folds", (*DEFAULT, "logistic")),
    "linear discriminant": ("of the columns, 5 folds", (*DEFAULT, "discriminant")),
    "asinh of the target": ("kernel of the bent target, 5 folds", (*DEFAULT, "asinh")),
}


def tables():
    """(name, task, X, y) of each table."""
    for name in table_names():
        made = load(name, 0, TRAIN_ROWS + TEST_ROWS)
        yield name, made.task, made.X, made.y
    for name, column in DERIVED:
        X, y = load_table(name, return_X_y=True)
        rows = X[column].notna().to_numpy()
        X, classes = X[rows].assign(target=np.asarray(y)[rows]), X[column][rows]
        X = X.drop(columns=column)
        if X["target"].dtype.kind not in "iuf":
            X["target"] = X["target"].astype("category")
        sizes = classes.value_counts()
        common = classes.isin(sizes.index[sizes > 100]).to_numpy()
        y = classes[common].astype(str).to_numpy()
        yield f"{name} {column}", "classification", X[common], y


def split(task, X, y, seed):
    """Prepared training and test rows."""
    test = min(TEST_ROWS, int(0.3 * len(y)))
    train = min(TRAIN_ROWS, len(y) - test)
    rule = StratifiedShuffleSplit if task == "classification" else ShuffleSplit
    folds = rule(1, train_size=train, test_size=test, random_state=seed)
    a, b = next(folds.split(X, y))
    prepare = one_hot("passthrough")
    # equal rows count once, in the order in which the estimators take them
    train, y_train, _ = merge_copies(prepare.fit_transform(X.iloc[a]), y[a], None, Memory())
    test, constant = prepare.transform(X.iloc[b]), ConstantColumns.of(train)
    return train, test if constant is None else constant.restore(test), y_train, y[b]


def decoder_of(task, y):
    """What turns y into targets, and outputs into predictions, as the estimators have it."""
    return Classes(np.unique(y)) if task == "classification" else Numbers(y, None, True, clip=True)


def fit_blocks(task, X, y, X_test, seed):
    """Left-out outputs of one-block networks, their test outputs and their seconds, by name."""
    decoder, fitted = decoder_of(task, y), {}
    blocks = {**BLOCKS, **(OF_CLASSES if task == "classification" else OF_NUMBERS)}
    for name, make in blocks.items():
        layers = [Standardize(), Stack([make(X, decoder.n_outputs)])]
        context = Context(
            task=decoder.task, y=decoder.codes(y), relaxation=0.3, rng=np.random.default_rng(seed)
        )
        started = perf_counter()
        result = ZORB().fit(layers, None, X, decoder.targets(y), context)
        network = Network.of(layers, X.shape[1:], decoder.n_outputs)
        outputs = network.outputs(result.params, X_test)
        fitted[name] = result.left_out, outputs, perf_counter() - started
    return fitted


def learned(variant, decoder, left_out, y):
    """The decoder of a variant: it may have a discriminant of the outputs always, or never."""
    found = decoder.learn(left_out, y, None, final=variant != "outputs only")
    if variant == "discriminant always" and decoder.task == "multiclass":
        found.discriminant = LinearDiscriminant().fit(left_out, decoder.codes(y))
        scores = found.discriminant.left_out
        found.calibration = PowerCalibration().fit(scores, decoder.codes(y))
    return found


def scores(task, fitted, variant, y, y_test):
    """Scores of a variant, and its seconds; None where a block is for the other task."""
    _, blocks = VARIANTS[variant]
    if not all(name in fitted for name in blocks):
        return None
    left_out, outputs, seconds = zip(*(fitted[name] for name in blocks), strict=True)
    decoder = decoder_of(task, y)
    weights = stack_weights(left_out, decoder.targets(y)[:])
    left_out, outputs = (
        sum(w * part for w, part in zip(weights, parts, strict=True))
        for parts in (left_out, outputs)
    )
    decoder = learned(variant, decoder, left_out, y)
    row, predicted = {"seconds": sum(seconds)}, decoder.predict(outputs)
    if task == "regression":
        return {"R2": r2_score(y_test, predicted), **row}
    shares = decoder.probabilities(outputs)
    return {
        "accuracy": accuracy_score(y_test, predicted),
        "balanced accuracy": balanced_accuracy_score(y_test, predicted),
        "log-loss": log_loss(y_test, shares, labels=decoder.classes),
        **row,
    }


PAGE = """\
.. Written by python -m benchmarks.report; change that, not this.

What was tried in the default
=============================

``python -m benchmarks.run blocks`` fits ``layers="auto"`` and changed forms of it to the same
rows: {splits} splits of {classification} tables of classes and {regression} tables of numbers
into at most {train_rows} rows to learn from and the rest to predict. Medians, categories and
scales are found on the training rows.

Each cell is the mean over tables of the difference to the default, the standard error of that
mean, and on how many tables the change won and lost by more than .0005. Less is better in
log-loss. *time* is seconds of fitting relative to the default's. What is *more* joins the
blocks that are there already. A table weighs the same whatever its size, and some are other
columns of one file, so that the errors are rather too small.

"""
METRICS = ("accuracy", "balanced accuracy", "log-loss", "R2")
UNCHANGED = "0.0000 ± 0.0000 (0:0)"


def summary(records):
    """One row for each variant: mean difference to the default over tables, and its error.

    `records` are (table, split, variant, scores); splits of a table are averaged first.
    """
    found = {}
    for name, _, variant, values in records:
        found.setdefault((name, variant), []).append(values)
    rows = []
    for variant, (text, _) in list(VARIANTS.items())[1:]:
        row = {"variant": variant, "what": text}
        pairs = [
            (found[name, "default"], values)
            for (name, other), values in found.items()
            if other == variant
        ]
        for metric in METRICS:
            sign = -1 if metric == "log-loss" else 1
            gains = np.array(
                [
                    np.mean([a[metric] for a in ours]) - np.mean([b[metric] for b in default])
                    for default, ours in pairs
                    if metric in default[0]
                ]
            )
            if len(gains) < 2:
                continue
            error = gains.std(ddof=1) / np.sqrt(len(gains))
            wins, losses = (int((s * sign * gains > 5e-4).sum()) for s in (1, -1))
            row[metric] = f"{gains.mean():+.4f} ± {error:.4f} ({wins}:{losses})"
        ratios = [
            sum(a["seconds"] for a in ours) / sum(b["seconds"] for b in default)
            for default, ours in pairs
        ]
        rows.append({**row, "time": float(np.mean(ratios)), "tables": len(pairs)})
    return rows


def page(doc, list_table):
    """Write ``blocks.rst`` into the folder `doc`; nothing without results."""
    path = RESULTS / "blocks.json"
    if not path.exists():
        return
    record = json.loads(path.read_text())
    tasks = list(record["tables"].values())
    counts = {task: tasks.count(task) for task in ("classification", "regression")}
    figures = {"splits": record["splits"], "train_rows": record["train_rows"], **counts}
    rows = [
        {k: None if UNCHANGED in str(v) else v for k, v in row.items()} for row in record["rows"]
    ]
    table = list_table(rows, "the change does not concern tables of this kind")
    (doc / "blocks.rst").write_text(PAGE.format(**figures) + table + "\n")


def measure(name, task, X, y, seed):
    """Records of all variants on one split of a table."""
    train, test, y_train, y_test = split(task, X, y, seed)
    fitted = fit_blocks(task, train, y_train, test, seed)
    found = {variant: scores(task, fitted, variant, y_train, y_test) for variant in VARIANTS}
    return [(name, seed, variant, found[variant]) for variant in found if found[variant]]


def main(seeds=range(SPLITS), path=RESULTS / "blocks.tmp"):
    quiet()
    lines = path.read_text().splitlines() if path.exists() else []
    records, everything = [json.loads(line) for line in lines], list(tables())
    done = {(name, seed) for name, seed, _, _ in records}
    for seed in seeds:
        for name, task, X, y in everything:
            if (name, seed) in done:
                continue
            note(f"split {seed + 1} of {SPLITS}: {name}")
            found = measure(name, task, X, y, seed)
            records += found
            with path.open("a") as file:
                file.writelines(json.dumps(record) + "\n" for record in found)
    rows = summary(records)
    save("blocks", rows, splits=len({seed for _, seed, _, _ in records}), train_rows=TRAIN_ROWS,
         tables={name: task for name, task, _, _ in everything})  # fmt: skip
    show(rows)


if __name__ == "__main__":
    main()
