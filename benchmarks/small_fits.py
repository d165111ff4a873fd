"""Small fits feel instant: warm fits, fresh processes, imports, prediction."""

import subprocess
import sys

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from sklearn_zorb import ZORBClassifier

from .common import note, paired, quiet, save, show

LAYERS = "Dense[64] Tanh"
CROSS_VALIDATION = """
import warnings
warnings.simplefilter("ignore")
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import cross_val_score
{imports}
for load in (load_iris, load_wine, load_breast_cancer):
    cross_val_score({model}, *load(return_X_y=True), cv=5)
"""


def script(text):
    """A function that runs `text` in a fresh process."""
    return lambda: subprocess.run([sys.executable, "-c", text], check=True)


def warm_fits():
    """Fits in turn with those of a peer, and as many of each one after another.

    In turn, what the processor holds of ours has gone by the next one: a few milliseconds of
    anything else do that.
    """
    quiet()
    X, y = load_iris(return_X_y=True)
    rows = []
    for peer, target in ((MLPClassifier(), 0.05), (LogisticRegression(), 3.0)):
        for count, repeats, how in ((1, 15, "in turn"), (20, 5, "20 at a time")):
            ours, theirs, ratio = paired(
                times(count, lambda: ZORBClassifier(LAYERS, random_state=0).fit(X, y)),
                times(count, lambda p=peer: p.fit(X, y)),
                repeats=repeats,
            )
            rows.append({"claim": f"warm fit on iris, {how} / {type(peer).__name__}",
                         "ours s": ours / count, "peer s": theirs / count, "ratio": ratio,
                         "to reach": target})  # fmt: skip
    return rows


def times(count, function):
    """A function that calls `function` so often."""

    def repeated():
        for _ in range(count):
            function()

    return repeated


def fresh_processes():
    ours = CROSS_VALIDATION.format(
        imports="from sklearn_zorb import ZORBClassifier", model=f"ZORBClassifier({LAYERS!r})"
    )
    mlp = CROSS_VALIDATION.format(
        imports="from sklearn.neural_network import MLPClassifier", model="MLPClassifier()"
    )
    pairs = (
        ("fresh process, 5-fold on three sets / MLPClassifier", ours, mlp, 0.7),
        ("import / import sklearn.ensemble", "import sklearn_zorb", "import sklearn.ensemble", 1.3),
    )
    rows = []
    for claim, first, second, target in pairs:
        note(claim)
        a, b, ratio = paired(script(first), script(second), repeats=5)
        rows.append({"claim": claim, "ours s": a, "peer s": b, "ratio": ratio,
                     "to reach": target})  # fmt: skip
    return rows


def prediction():
    """Prediction beside the bare matrix products, of the same precision and rows."""
    rng = np.random.default_rng(0)
    X = rng.random((60000, 784))
    y = rng.integers(10, size=2000)
    model = ZORBClassifier(
        "Dense[1000] ReLU Dense[1000] ReLU", standardize=False, alpha=1.0, random_state=0
    ).fit(X[:2000], y)
    first, second, last = (model.params_[i]["weights"] for i in (0, 2, 4))

    def bare():
        hidden = X @ first
        deeper = hidden @ second
        return X @ last[:784] + hidden @ last[784:1784] + deeper @ last[1784:]

    ours, theirs, ratio = paired(lambda: model.predict(X), bare, repeats=5)
    return [{"claim": "predict 60 000 x 784, two layers of 1000 / bare products", "ours s": ours,
             "peer s": theirs, "ratio": ratio, "to reach": 1.6}]  # fmt: skip


def main():
    rows = warm_fits() + prediction() + fresh_processes()
    save("small_fits", rows)
    show(rows)


if __name__ == "__main__":
    main()
