"""ZORB beside Adam and the multi-layer extreme learning machine, same layers, same rows.

Splits are those of ``benchmarks/protocols.py``; the layers those of the published experiments.
Accuracy, or mean absolute error for sinc and Boston, as a mean over seeds; the time is that of
a fit, with nothing monitored inside: a median, so that of the small sets only the first fit
compiles Adam's step. MNIST and CIFAR-10 take one seed, and Adam's time there includes the
compilation. ``--quick`` takes two seeds of the small sets, and 10 000 rows of MNIST. Each row is
on disk as soon as it is measured; ``--resume`` measures those that are not there yet.
"""

from functools import partial

import numpy as np
from sklearn.metrics import accuracy_score, mean_absolute_error

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBClassifier, ZORBRegressor
from sklearn_zorb.trainers import MLELM, Backprop

from .common import images, note, save, saved, show, size_parser, timed
from .protocols import boston, iris, sinc, spirals, xor
from .random_bases import data_of

SMALL = {
    "XOR": (xor, "Dense[16] Tanh Dense[8] ReLU", True),
    "two spirals": (spirals, "Dense[32] Tanh Dense[16] ReLU Dense[8] Tanh Dense[4] ReLU", True),
    "sinc": (sinc, "Dense[200] Sigmoid Dense[200] Sigmoid", False),
    "iris": (iris, "Dense[8] Sigmoid", True),
    "Boston": (boston, "Dense[32] Sigmoid", False),
}
MNIST = {
    "6-layer": range(1000, 0, -200),
    "8-layer": (1000, 850, 700, 550, 400, 250, 100),
    "11-layer": range(1000, 0, -100),
}
FILTERS = {"Conv1": (32,), "Conv2": (32, 64), "Conv3": (32, 64, 128)}


def rules(layers, classes, epochs, **options):
    """Functions of a seed that make each rule's estimator for a list of layers."""
    zorb, network = (
        (ZORBClassifier, NetworkClassifier) if classes else (ZORBRegressor, NetworkRegressor)
    )
    adam = Backprop(max_epochs=epochs)
    return {
        "ZORB": lambda seed: zorb(layers, random_state=seed, **options),
        "Adam": lambda seed: network(layers, trainer=adam, random_state=seed, **options),
        "MLELM": lambda seed: network(layers, trainer=MLELM(), random_state=seed, **options),
    }


def measured(make, parts, seed, score):
    """Score and seconds of one fit."""
    X, X_test, y, y_test = parts
    model, seconds = timed(lambda: make(seed).fit(X, y))
    return score(y_test, model.predict(X_test)), seconds


def small(name, seeds):
    """One row of a small set: means over seeds, and medians of seconds."""
    split, layers, classes = SMALL[name]
    score = accuracy_score if classes else mean_absolute_error
    row = {"task": name, "score": "accuracy" if classes else "error"}
    for rule, make in rules(layers, classes, 500).items():
        note(f"{name} {rule}")
        found = []
        for seed in seeds:
            parts = split(seed)
            parts = parts if isinstance(parts, list) else [parts]
            found += [measured(make, part, seed, score) for part in parts]
        row[rule] = float(np.mean([value for value, _ in found]))
        row[f"{rule} s"] = float(np.median([seconds for _, seconds in found]))
    return {**row, "layers": layers}


def large(name, layers, data, epochs, leave_out=(), **options):
    """One row of a set of images."""
    X, y, X_test, y_test = data
    row = {"task": name, "score": "accuracy"}
    options = {"standardize": False, "dtype": "float32", **options}
    for rule, make in rules(layers, True, epochs, **options).items():
        if rule in leave_out:
            continue
        note(f"{name} {rule}")
        parts = (X, X_test, y, y_test)
        row[rule], row[f"{rule} s"] = measured(make, parts, 0, accuracy_score)
    return {**row, "layers": layers}


def tasks(quick):
    """Functions without arguments, each of which measures the row of one task, by its name."""
    found = {}
    for name in SMALL:
        found[name] = partial(small, name, range(2 if quick else 10))
    X, y, X_test, y_test = images("mnist")
    count = 10000 if quick else len(X)
    for net, widths in MNIST.items():
        name, layers = f"MNIST {net}", " ".join(f"Dense[{width}] Tanh" for width in widths)
        found[name] = partial(large, name, layers, (X[:count], y[:count], X_test, y_test), 10)
    X, y, X_test, y_test = data_of("cifar10")
    for net, filters in FILTERS.items():
        layers = " ".join(f"Conv2D[{n}, 3] Sigmoid" for n in filters) + " Flatten"
        for n_rows in (160,) if quick else (40, 160, 640, 1280):
            name, data = f"CIFAR-10 {net}, {n_rows} rows", (X[:n_rows], y[:n_rows], X_test, y_test)
            # filters of an autoencoder are for flat rows: MLELM solves Dense layers only
            found[name] = partial(
                large, name, layers, data, 50, leave_out=("MLELM",), input_shape=(32, 32, 3)
            )
    return found


def main(arguments=None):
    parser = size_parser(__doc__)
    parser.add_argument("--resume", action="store_true", help="keep the rows on disk")
    chosen = parser.parse_args(arguments or [])
    known = saved("paper", "task") if chosen.resume else {}
    rows = []
    for name, measure in tasks(chosen.size == "quick").items():
        rows.append(known.get((name,)) or measure())
        save("paper", rows, size=chosen.size)
    show(rows)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
