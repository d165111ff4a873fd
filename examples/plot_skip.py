"""
Layers side by side: depth that does not forget
===============================================

Every layer of a plain stack sees only what the layer before it lets through, and what is lost
there is lost.

A `Skip` around a block f hands on its own input beside the output of f; `Parallel` hands on the
outputs of several blocks. Here both keep a stack of narrow layers from losing the ten columns of
the diabetes data.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import ShuffleSplit, cross_val_score

from sklearn_zorb import ZORBRegressor

X, y = load_diabetes(return_X_y=True)
splits = ShuffleSplit(5, test_size=0.25, random_state=0)

# %%
# The same block, repeated: alone, in a ``Skip``, and in a ``Parallel`` beside a block of
# cosines and the input itself. The read-out sees the last layer only; the default,
# ``readout="all"``, would give even the plain stack a way around its layers.

blocks = {
    "Dense[16] Tanh": "Dense[16] Tanh",
    "Skip(Dense[16] Tanh)": "Skip(Dense[16] Tanh)",
    "Parallel(Dense[16] Tanh | Dense[16] Cos | Identity)": (
        "Parallel(Dense[16] Tanh | Dense[16] Cos | Identity)"
    ),
}
depths = range(1, 7)
scores = {
    label: [
        cross_val_score(
            ZORBRegressor([block] * depth, readout="last", random_state=0), X, y, cv=splits
        )
        for depth in depths
    ]
    for label, block in blocks.items()
}

# %%
# Means over five random splits, with bars of one standard error.

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for (label, values), marker in zip(scores.items(), "osD", strict=True):
    values = np.array(values)
    error = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    ax.errorbar(depths, values.mean(axis=1), error, marker=marker, capsize=3, label=label)
ax.set(xlabel="number of blocks", ylabel="R² on held-out rows", title="Diabetes data")
ax.legend(frameon=False, loc="lower left")
ax.grid(alpha=0.3)
plt.show()
