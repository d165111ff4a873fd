"""
Broken lines in a linear read-out
=================================

A linear model sees one slope for each column.

`PiecewiseLinear` makes ramps between the quantiles of a column, and a ridge of the ramps draws a
broken line: still one solve in closed form, still a sum of one curve for each column that can be
looked at. The default has such a block.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBRegressor

X, y = make_friedman1(600, n_features=6, noise=1.0, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)

# %%
# The same ridge read-out, of the columns and of their ramps. Bins are bounded by quantiles, so
# that each holds as many rows.

lists = {
    "columns": "Identity",
    "columns and ramps": "Parallel(Identity | PiecewiseLinear[8])",
}
fits = {name: ZORBRegressor(layers, readout="last").fit(X, y) for name, layers in lists.items()}
for name, model in fits.items():
    print(f"ridge of {name}: R² {model.score(X_test, y_test):.3f} on test rows")

# %%
# What each column adds to the prediction, the others at their means. The target is
# :math:`10 \sin(\pi x_1 x_2) + 20 (x_3 - 1/2)^2 + 10 x_4 + 5 x_5`, and the sixth column noise.

figure, axes = plt.subplots(2, 3, figsize=(8.4, 4.8), layout="constrained", sharey=True)
grid = np.linspace(0, 1, 200)
for j, ax in enumerate(axes.ravel()):
    rows = np.tile(X.mean(axis=0), (len(grid), 1))
    rows[:, j] = grid
    for (name, model), color in zip(fits.items(), ("#9db4c0", "#c8442c"), strict=True):
        curve = model.predict(rows)
        ax.plot(grid, curve - curve.mean(), color=color, label=name, linewidth=2)
    if j == 2:
        truth = 20 * (grid - 0.5) ** 2
        ax.plot(grid, truth - truth.mean(), "k:", label="truth", linewidth=1.2)
    ax.set_title(f"x{j + 1}", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
figure.legend(*axes[0, 2].get_legend_handles_labels(), loc="outside lower center", ncols=3,
              frameon=False)  # fmt: skip
figure.supylabel("effect on the prediction")
plt.show()
