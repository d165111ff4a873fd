"""
Units that see a window of an image
===================================

A unit of a dense layer sees all pixels, and random weights over all of them make a blurred image
of noise.

`ReceptiveFields` gives each unit a window of its own, and two training images to tell apart there.
Nothing is solved in this layer: the read-out alone is.

The pictures are initial weights of eight units of either kind, and below the accuracy on digits
left out, for as many units as the axis says.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.layers import Dense, ReceptiveFields, ReLU

X, y = load_digits(return_X_y=True)
initializers = {
    "all pixels, random": "glorot_uniform",
    "windows, pairs of images": ReceptiveFields((8, 8), min_size=3, max_size=6),
}


def network(units, initializer):
    layers = [Dense(units, initializer=initializer, relaxation=0), ReLU()]
    return ZORBClassifier(layers, standardize=False, readout="last", random_state=0)


# %%
# Accuracy of five folds, and the weights that a fit begins with.
widths = (50, 100, 200, 400, 800)
figure = plt.figure(figsize=(8, 6))
pictures, curves = figure.subfigures(2, 1, height_ratios=(1, 1.6))
axes = pictures.subplots(2, 8)
curve = curves.subplots()
for row, (label, initializer) in zip(axes, initializers.items(), strict=True):
    weights = network(8, initializer).fit(X, y).params_[0]["weights"]
    for ax, unit in zip(row, weights.T, strict=True):
        size = np.abs(unit).max()
        ax.imshow(unit.reshape(8, 8), cmap="RdBu", vmin=-size, vmax=size)
        ax.set(xticks=[], yticks=[])
    row[0].set_title(label, loc="left", fontsize=10)
    scores = [cross_val_score(network(units, initializer), X, y).mean() for units in widths]
    print(label, np.round(scores, 3))
    curve.plot(widths, scores, "o-", label=label)
curve.set(xscale="log", xticks=widths, xticklabels=widths, xlabel="units", ylabel="accuracy")
curve.minorticks_off()
curve.legend()
plt.show()
