"""Forward gradients beside backpropagation: penguins, and 500 Kuzushiji characters.

Penguins: four measurements scaled to [0, 1], a quarter held out, stratified; logistic
regression passes a cross-entropy of .3, where the published one stops, and a network of 64 and
8 ReLU units .2; "s to it" is the time until then. Training goes on to .1, which had the best
accuracy on a quarter of the training rows of six splits among .3, .2 and .1, for both. Means
over splits; the first fit has the compilation in it. The
characters: a small convolutional network on 500 images, tested on 2000 others. Learning rates
were chosen on a quarter of the training rows as well. ``--quick`` takes fewer splits and
fewer epochs of the convolutional network.
"""

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.datasets import load_kmnist, load_table
from sklearn_zorb.trainers import Backprop, ForwardGradient

from .common import note, save, show, size_parser, timed

DOC = Path(__file__).parent.parent / "doc"
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
STOP = 0.1
# layers, learning rate, loss of the published stop, published seconds and test accuracy
NETS = {
    "logistic": ([], 0.5, 0.3, 79.41, 0.964),
    "64-8 ReLU": ("Dense[64] ReLU Dense[8] ReLU", 0.1, 0.2, 52.87, 0.952),
}
CNN = (
    "Conv2D[2, 3, padding=same] ReLU Conv2D[4, 3, padding=same] ReLU MaxPool2D[2] Flatten "
    "Dense[64] ReLU"
)


def penguins():
    """Four measurements in [0, 1] and the species, rows with gaps left out."""
    bunch = load_table("penguins")
    columns = [list(bunch.feature_names).index(name) for name in MEASUREMENTS]
    rows = np.asarray(bunch.data)[:, columns].astype(float)
    whole = np.isfinite(rows).all(axis=1)
    rows = rows[whole]
    low, high = rows.min(axis=0), rows.max(axis=0)
    return (rows - low) / (high - low), np.asarray(bunch.target)[whole]


def characters():
    """500 images of KMNIST to train on and 2000 to test on, in [0, 1]."""
    bunch = load_kmnist()
    order = np.random.default_rng(0).permutation(len(bunch.data))[:2500]
    X, y = bunch.data[order], bunch.target[order]
    return X[:500], X[500:], y[:500], y[500:]


def on_penguins(n_splits):
    X, y = penguins()
    rows = []
    for name, (layers, rate, goal, seconds, accuracy) in NETS.items():
        for rule, make in (("forward", ForwardGradient), ("backprop", Backprop)):
            note(f"{name} {rule}")
            settings = {"optimizer": "sgd", "learning_rate": rate, "tol": None, "tol_loss": STOP,
                   "max_epochs": 6000}  # fmt: skip
            tests, spent, epochs, until = [], [], [], []
            for seed in range(n_splits):
                train, test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
                model = NetworkClassifier(
                    layers, trainer=make(**settings), standardize=False, random_state=seed
                )
                _, took = timed(lambda m=model, t=train, v=y_train: m.fit(t, v))
                tests.append(model.score(test, y_test))
                spent.append(took)
                epochs.append(model.n_iter_)
                until.append(seconds_to(goal, model.history_))
            rows.append({
                "data": "penguins", "net": name, "rule": rule, "test": float(np.mean(tests)),
                "published test": accuracy if rule == "forward" else "",
                "passed": goal, "s to it": float(np.median(until)),
                "epochs": float(np.mean(epochs)),
                "first fit s": spent[0], "later fits s": float(np.median(spent[1:])),
                "published s": seconds if rule == "forward" else "",
            })  # fmt: skip
    return rows


def seconds_to(goal, history):
    """Seconds until an epoch of this loss; infinite where there is none."""
    seconds = np.cumsum([entry["seconds"] for entry in history])
    passed = [entry["loss"] <= goal for entry in history]
    return float(seconds[passed.index(True)]) if True in passed else float("inf")


def on_characters(max_epochs):
    """The convolutional network, and the learning curve of each rule."""
    X, X_test, y, y_test = characters()
    rules = {
        "forward": ForwardGradient(
            distribution="rademacher", optimizer="adam", learning_rate=3e-3,
            batch_size=25, max_epochs=max_epochs,
        ),
        "backprop": Backprop(learning_rate=1e-3, batch_size=500, max_epochs=100, tol=None),
    }  # fmt: skip
    rows, curves = [], {}
    for name, rule in rules.items():
        note(f"cnn {name}")
        model = NetworkClassifier(
            CNN, trainer=rule, standardize=False, input_shape=(28, 28, 1), random_state=0
        )
        _, seconds = timed(lambda m=model: m.fit(X, y))
        last = model.history_[-1]
        rows.append({
            "data": "KMNIST-500", "net": "CNN", "rule": name, "test": model.score(X_test, y_test),
            "published test": 0.06 if name == "forward" else 0.66, "cross-entropy": last["loss"],
            "epochs": model.n_iter_, "first fit s": seconds,
            "published s": 98.34 if name == "forward" else 172.58,
        })  # fmt: skip
        curves[name] = {
            key: [entry[key] for entry in model.history_] for key in ("loss", "score", "seconds")
        }
    return rows, curves


def plot(curves):
    """Loss and training accuracy of the convolutional network against time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, curve in curves.items():
        seconds = np.cumsum(curve["seconds"])
        left.plot(seconds, curve["loss"], label=name)
        right.plot(seconds, curve["score"], label=name)
    left.set(xscale="log", xlabel="seconds", ylabel="cross-entropy", title="CNN, 500 images")
    right.set(xscale="log", xlabel="seconds", ylabel="training accuracy", ylim=(0, 1))
    right.legend(frameon=False)
    (DOC / "images").mkdir(exist_ok=True)
    figure.savefig(DOC / "images" / "forward_gradient.png", dpi=120)


def main(arguments=None):
    size = size_parser(__doc__).parse_args(arguments or []).size
    quick = size == "quick"
    rows = on_penguins(3 if quick else 20)
    show(rows)
    more, curves = on_characters(100 if quick else 1000)
    rows += more
    save("forward_gradient", rows, curves=curves, size=size)
    plot(curves)
    show(rows)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
