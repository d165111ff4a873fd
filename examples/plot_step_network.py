"""
A network without derivatives
=============================

A step has no derivative, so a network of steps cannot be trained by following a gradient.

A layer before a step can be solved all the same: targets pass up and down through the step, less
one half, and least squares does the rest.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score

from sklearn_zorb import ZORBClassifier

X, y = load_digits(return_X_y=True)
folds = StratifiedKFold(3, shuffle=True, random_state=0)

# %%
# One hidden layer of steps, of growing width. With ``relaxation=0`` its weights stay random
# and only the read-out is solved; with 0.6 the larger part of them is solved for the digits.
# The read-out sees nothing but zeros and ones.

widths = [25, 50, 100, 200, 400]
scores = {
    (activation, relaxation): [
        cross_val_score(
            ZORBClassifier(
                f"Dense[{width}] {activation}",
                relaxation=relaxation,
                readout="last",
                random_state=0,
            ),
            X,
            y,
            cv=folds,
        ).mean()
        for width in widths
    ]
    for activation in ("Step", "ReLU")
    for relaxation in (0.0, 0.6)
}

# %%
# For steps, solving the layer is worth about as much as doubling its width. Wide layers of
# `ReLU` need it least: at 400 units the random ones are as good or better.

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
colors = {"Step": "C3", "ReLU": "C7"}
for (activation, relaxation), means in scores.items():
    solved = relaxation > 0
    ax.plot(
        widths,
        1 - np.array(means),
        marker="o" if solved else ".",
        linestyle="-" if solved else ":",
        color=colors[activation],
        label=f"{activation}, {'relaxation=0.6' if solved else 'random weights'}",
    )
ax.set_xscale("log", base=2)
ax.set_yscale("log")
ax.set_xticks(widths, widths)
ax.set_yticks([0.02, 0.05, 0.1, 0.2], ["2 %", "5 %", "10 %", "20 %"])
ax.minorticks_off()
ax.set(xlabel="units in the hidden layer", ylabel="errors, 3-fold", title="Digits")
ax.legend(frameon=False)
ax.grid(alpha=0.3)
plt.show()
