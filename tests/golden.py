"""Models of which files are kept: later versions have to read them, and fits to come out the same.

``python tests/golden.py FOLDER`` writes them, for a new format; the old files stay.
"""

import sys
from pathlib import Path

import numpy as np

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor, save
from sklearn_zorb.layers import Dense, Kernel, Stack, Tanh, Trees
from sklearn_zorb.trainers import Backprop

DATA = Path(__file__).parent / "data"


def table(n_rows=60):
    """Rows without any generator of random numbers, which could change."""
    i = np.arange(n_rows)[:, None]
    return np.sin(i * [1.0, 2.3, 3.7]) + [0.0, 1.0, -2.0]


X = table()
Y = X[:, 0] * X[:, 1] + X[:, 2]
CLASSES = np.array(["high", "low", "middle"])[(Y > -2).astype(int) + (Y > -1.5)]
# categories, a gap in every seventh row, and numbers
TYPED = np.column_stack([np.arange(60) % 4, np.where(np.arange(60) % 7, X[:, 0], np.nan), X[:, 1]])


def network():
    return ZORBRegressor("Dense[6] Tanh Dense[4] Sigmoid", random_state=0).fit(X, Y)


def kernel():
    blocks = Stack([[Kernel(12)], [Dense(5), Tanh()]])
    return ZORBClassifier([blocks], random_state=0).fit(X, CLASSES)


def batches():
    model = ZORBClassifier("Dense[6] ReLU", random_state=0)
    return model.partial_fit(X[:30], CLASSES[:30], classes=np.unique(CLASSES))


def typed():
    blocks = Stack([[Trees(3, max_depth=3)], [Trees(3, kind="boosting", cv=2)]])
    model = ZORBRegressor([blocks], categorical_features=[0], random_state=0)
    return model.fit(TYPED, Y)


def image():
    layers = "Conv2D[2, 2] ReLU MaxPool2D[1] Flatten Dense[4] Tanh"
    pixels = table(60 * 3).reshape(60, 9)
    return ZORBClassifier(layers, input_shape=(3, 3, 1), random_state=0).fit(pixels, Y > -1.5)


def backprop():
    rule = Backprop(max_epochs=5)
    return NetworkClassifier("Dense[4] Tanh", trainer=rule, random_state=0).fit(X, CLASSES)


MODELS = (network, kernel, batches, typed, image, backprop)
# of closed form and without trees: a fit gives the same numbers everywhere
REFITTED = (network, kernel, batches, image)
ROWS = {typed: TYPED, image: table(60 * 3).reshape(60, 9)}


def outputs(make, model):
    """What the model predicts for its rows, as numbers."""
    rows = ROWS.get(make, X)
    return model.predict_proba(rows) if hasattr(model, "classes_") else model.predict(rows)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    expected = {}
    for make in MODELS:
        model = make()
        save(model, folder / f"{make.__name__}.zorb")
        expected[make.__name__] = outputs(make, model)
    np.savez(folder / "expected.npz", **expected)
