"""
Every rule, the same layers
===========================

One list of layers, trained by each rule that the package has.

The closed forms solve every layer once. All others go epoch by epoch, so that a curve of accuracy
against time can be drawn for them: the accuracy is that on rows held out, looked at after every
epoch, and the clock stops meanwhile.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.trainers import (
    MLELM,
    Backprop,
    DirectFeedbackAlignment,
    FeedbackAlignment,
    ForwardGradient,
    RandomBases,
    TargetPropagation,
)

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
layers = "Dense[64] Tanh Dense[32] Tanh"
rules = {
    "Backprop": Backprop(),
    "FeedbackAlignment": FeedbackAlignment(),
    "DirectFeedbackAlignment": DirectFeedbackAlignment(),
    "TargetPropagation": TargetPropagation(),
    "ForwardGradient": ForwardGradient(n_directions=8, optimizer="adam", learning_rate=5e-3),
    "RandomBases, rbd": RandomBases(n_directions=100, learning_rate=30.0),
    "RandomBases, nes": RandomBases("nes", n_directions=100, antithetic=True),
}

# %%
# ``partial_fit`` runs one epoch. The first one compiles the rule's step, and is left out of the
# time: a second model of the same layers compiles nothing.


def curve(rule, n_epochs=25):
    """Seconds of training, and accuracy on the rows held out, after each epoch."""
    seconds, scores = [], []
    for n in (1, n_epochs):
        model = NetworkClassifier(layers, trainer=rule, random_state=0)
        seconds.clear()
        scores.clear()
        for _ in range(n):
            model.partial_fit(X, y, classes=np.arange(10))
            seconds.append(model.history_[-1]["seconds"])
            scores.append(model.score(X_test, y_test))
    return np.cumsum(seconds), scores


with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    curves = {name: curve(rule) for name, rule in rules.items()}

# %%
# The closed forms have no epochs: one point each, the time being that of the solves. Each stands
# with the settings under which it is at its best. `ZORBClassifier` lets the read-out see the input
# and all layers; in `NetworkClassifier` it sees the last layer only, 32 units, which is enough for
# rules that adjust all layers together and too few for one solve: it would have .83.

points = {}
closed = {
    "ZORB": ZORBClassifier(layers, random_state=0),
    "ELM": ZORBClassifier(layers, relaxation=0.0, random_state=0),
    "MLELM": NetworkClassifier("Dense[300] Sigmoid", trainer=MLELM(), random_state=0),
}
for name, model in closed.items():
    model.fit(X, y)
    points[name] = sum(entry["seconds"] for entry in model.history_), model.score(X_test, y_test)

# %%
# Random bases and target propagation keep up with backpropagation here; feedback through random
# matrices has to wait for the forward weights to align with them; rules that only sample the
# gradient pay for every direction. The closed forms take one sweep.

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, (seconds, scores) in curves.items():
    ax.plot(seconds, scores, label=name)
for marker, (name, (seconds, score)) in zip("o^s", points.items(), strict=True):
    ax.plot(seconds, score, marker, color="black", label=name)
ax.set(xscale="log", xlabel="seconds of training", ylabel="accuracy, rows held out",
       title=layers)  # fmt: skip
ax.legend(frameon=False, fontsize=8)
ax.grid(alpha=0.3)
plt.show()
