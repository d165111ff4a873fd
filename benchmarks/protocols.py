"""The published tasks: ours beside the published rule on the same splits.

Means over seeds 0 to 10. Splits are the published ones: XOR 1000 / 1000 points on a grid
of integers, two spirals 280 / 120 stratified, sinc trained on [-10, 10] and tested on
[-30, 30], Boston 5 shuffled folds for each seed. Iris is cut 105 / 45, stratified, by the
eleven seeds that the published runs were started with; its initialiser, relaxation and penalty
are the best of 128 combinations on 30 other splits.
"""

from functools import partial

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.preprocessing import minmax_scale

from sklearn_zorb import ZORBClassifier, ZORBRegressor, format_layers
from sklearn_zorb.datasets import make_sinc, make_two_spirals, make_xor
from sklearn_zorb.layers import Dense, ReLU

from .common import images, note, save, show, table, timed

SEEDS = range(11)
# of the published runs on iris: NumPy's legacy stream, from which the split is drawn first
IRIS_SEEDS = (3648188875, 3851304132, 2358985917, 585129554, 2789865745, 2574533073,
              1827168387, 2304501536, 2037984307, 150673437, 3682365662)  # fmt: skip
PUBLISHED = {"relaxation": 1, "alpha": 0, "rcond": 1e-15, "readout": "last", "standardize": False}


def xor(seed):
    X, y = make_xor(n_samples=2000, random_state=seed)
    return X[:1000], X[1000:], y[:1000], y[1000:]


def spirals(seed):
    X, y = make_two_spirals(n_samples=400, random_state=seed)
    return tuple(train_test_split(X, y, test_size=120, stratify=y, random_state=seed))


def iris(seed):
    X, y = load_iris(return_X_y=True)
    X = minmax_scale(X)
    # rows are drawn class by class, and the published one-hot rows sort virginica second
    classes = np.array([0, 2, 1])[y]
    random_state = np.random.RandomState(IRIS_SEEDS[seed])
    return tuple(train_test_split(X, y, test_size=45, stratify=classes, random_state=random_state))


def sinc(seed):
    inside, outside = (make_sinc(low=-end, high=end) for end in (10, 30))
    return inside[0], outside[0], inside[1], outside[1]


def boston(seed):
    X, y = table("boston")
    return [(X[a], X[b], y[a], y[b]) for a, b in KFold(5, shuffle=True, random_state=seed).split(X)]


def mean_score(split, make, score):
    """Mean score on the test rows, and median seconds of a fit, over all seeds."""
    scores, seconds = [], []
    for seed in SEEDS:
        parts = split(seed)
        for X, X_test, y, y_test in parts if isinstance(parts, list) else [parts]:
            model, spent = timed(lambda X=X, y=y, seed=seed: make(random_state=seed).fit(X, y))
            scores.append(score(y_test, model.predict(X_test)))
            seconds.append(spent)
    return float(np.mean(scores)), float(np.median(seconds))


TASKS = {
    "xor": (xor, ZORBClassifier, "Dense[16] Tanh Dense[8] ReLU",
            "Dense[16, initializer=he] Tanh Dense[8, initializer=he] ReLU",
            {"relaxation": 0.1, "n_sweeps": 150}, 0.975, 0.960),
    "two spirals": (spirals, ZORBClassifier,
                    "Dense[32] Tanh Dense[16] ReLU Dense[8] Tanh Dense[4] ReLU",
                    "Dense[32, initializer=he] Tanh Dense[16, initializer=he] ReLU "
                    "Dense[8, initializer=he] Tanh Dense[4, initializer=he] ReLU", {}, 0.90, 0.832),
    "two spirals, free": (spirals, ZORBClassifier, None, "Dense[300, initializer=he] Tanh",
                          {"relaxation": 0.0}, 0.98, None),
    "sinc": (sinc, ZORBRegressor, "Dense[200] Sigmoid Dense[200] Sigmoid",
             "Dense[200, initializer=data_pairs] Sigmoid "
             "Dense[200, initializer=data_pairs] Sigmoid",
             {"relaxation": 0.0, "readout": "last"}, 0.08, 0.127),
    "iris": (iris, ZORBClassifier, "Dense[8] Sigmoid Dense Softmax",
             "Dense[8, initializer=orthogonal] Sigmoid", {"relaxation": 0.6, "alpha": 0.1},
             0.98, 0.980),
    "boston": (boston, ZORBRegressor, "Dense[32] Sigmoid",
               "Dense[32, initializer=data_pairs] Sigmoid", {"relaxation": 0.8}, 2.9, 3.56),
}  # fmt: skip


def small_tasks():
    """XOR, spirals, sinc, iris and Boston."""
    rows = []
    for name, (split, Estimator, plain, layers, options, target, published) in TASKS.items():
        note(name)
        score = accuracy_score if Estimator is ZORBClassifier else mean_absolute_error
        ours, seconds = mean_score(split, partial(Estimator, layers, **options), score)
        row = {"task": name, "ours": ours, "to reach": target, "fit s": seconds}
        if plain is not None:
            rule = partial(Estimator, plain, **PUBLISHED)
            row["published rule, same splits"] = mean_score(split, rule, score)[0]
            row["published"] = published
        if name == "iris":
            for peer in (LinearDiscriminantAnalysis(), LogisticRegression(max_iter=1000)):
                row[type(peer).__name__] = mean_score(
                    split, lambda random_state, peer=peer: peer, score
                )[0]
        rows.append({**row, "layers": layers, **options})
    return rows


def digits():
    """Stratified shuffled 5-fold cross-validation, seed 0."""
    X, y = load_digits(return_X_y=True)
    rows = []
    for layers, options, target in (
        ("Dense[2000] Cos", {"relaxation": 0.0}, 0.987),
        ("Dense[1000] ReLU", {}, 0.987),
    ):
        note(f"digits {layers}")
        model = ZORBClassifier(layers, standardize=False, random_state=0, **options)
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        score, seconds = timed(lambda m=model, f=folds: cross_val_score(m, X, y, cv=f).mean())
        rows.append({"task": "digits", "ours": float(score), "to reach": target,
                     "fit s": seconds / 5, "layers": layers})  # fmt: skip
    return rows


def mnist():
    """All 60 000 rows, the hidden widths of the published networks."""
    X, y, X_test, y_test = images("mnist")
    rows = []
    six, eleven = range(1000, 0, -200), range(1000, 0, -100)
    fields = {"initializer": "receptive_fields", "relaxation": 0}
    # relaxation by loo_score_: .9672 at .15 and .9622 at .4 for the deeper one
    for name, widths, first, relaxation, target, limit, published in (
        ("mnist, 6-layer widths", six, {}, 0.3, 0.960, 30, 0.922),
        ("mnist, 11-layer widths", eleven, {}, 0.15, 0.963, 60, 0.924),
        ("mnist, 6-layer widths, receptive fields", six, fields, 0.3, 0.960, 30, 0.922),
        ("mnist, 11-layer widths, receptive fields", eleven, fields, 0.15, 0.963, 60, 0.924),
    ):
        note(name)
        layers = [Dense(widths[0], **first), ReLU()]
        layers += [layer for width in widths[1:] for layer in (Dense(width), ReLU())]
        model = ZORBClassifier(
            layers, relaxation=relaxation, standardize=False, dtype="float32", random_state=0
        )
        model, seconds = timed(lambda m=model: m.fit(X, y))
        rows.append({"task": name, "ours": model.score(X_test, y_test), "to reach": target,
                     "fit s": seconds, "fit s to reach": limit, "published": published,
                     "layers": format_layers(layers)})  # fmt: skip
    return rows


def main():
    rows = small_tasks() + digits() + mnist()
    save("protocols", rows)
    show(rows)


if __name__ == "__main__":
    main()
