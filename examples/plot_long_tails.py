"""
Columns with long tails
=======================

A price, a population or a concentration may spread over five orders of magnitude.

Scaled to unit variance, nearly all of its rows fall into a point, and a kernel sees no difference
between them. `NormalScores` takes the ranks of such columns and leaves all others as they are. The
default does so before its kernels.
"""

# %%
# Six columns are log-normal, and the target depends smoothly on their logarithms.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import NormalScores, Standardize

rng = np.random.default_rng(0)
Z = rng.normal(size=(900, 6))
y = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 2] + 0.1 * rng.normal(size=900)
X = np.exp(2.5 * Z)
X_train, X_test, y_train, y_test = X[:600], X[600:], y[:600], y[600:]

# %%
# The same ridge of kernel features on both.

for layers in ("Standardize Kernel[600]", "NormalScores Standardize Kernel[600]"):
    model = ZORBRegressor(layers, readout="last", standardize=False, random_state=0)
    score = model.fit(X_train, y_train).score(X_test, y_test)
    print(f"{layers}: R² {score:.3f} on test rows")

# %%
# The columns that count as long are at hand: here all of them. Nothing is known of values beyond
# those of training, which keep the score of the largest: where a target goes on to grow with a
# column, take its logarithm instead.

print("columns with long tails:", model.params_[0]["columns"])

# %%
# What a kernel sees of the first column, without the layer and with it.

fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, layer in zip(axes, (Standardize(), NormalScores()), strict=True):
    params = layer.init(rng, (6,), (X_train, None, None))
    ax.scatter(layer.forward(params, X_train)[:, 0], y_train, s=6)
    ax.set(title=type(layer).__name__, xlabel="first column")
axes[0].set_ylabel("target")
fig.tight_layout()
plt.show()
