"""
Quantiles and intervals
=======================

How far a prediction may be off differs from row to row.

`ZORBRegressor.predict_quantiles` tells it from the left-out errors of training rows, with no
further fit: a small ridge regression says how large errors are for such columns, and their
quantiles are taken of rows with predictions like it. Quantile regression by boosting takes one
model for each quantile.
"""

# %%
# The noise of this target grows with the first column, and large values are more likely than
# small ones. True quantiles are known.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from sklearn_zorb import ZORBRegressor

LEVELS = (0.05, 0.5, 0.95)


def draw(n_rows, seed):
    """Rows, targets and true quantiles; a gamma variable of shape 4 is the noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n_rows, 4))
    center = np.sin(5 * X[:, 0]) + X[:, 1]
    deviation = 0.1 + 0.6 * X[:, 0] ** 2
    noise = rng.gamma(4, size=n_rows) / 2 - 2
    known = np.quantile(rng.gamma(4, size=100_000) / 2 - 2, LEVELS)
    return X, center + deviation * noise, center[:, None] + deviation[:, None] * known


X, y, _ = draw(1000, seed=0)
X_test, y_test, truth = draw(5000, seed=1)

model = ZORBRegressor(random_state=0).fit(X, y)
found = {"ZORBRegressor": model.predict_quantiles(X_test, LEVELS)}
boosted = [
    HistGradientBoostingRegressor(loss="quantile", quantile=level, random_state=0).fit(X, y)
    for level in LEVELS
]
found["HistGradientBoosting"] = np.stack([one.predict(X_test) for one in boosted], axis=1)

# %%
# How far quantiles are from the true ones, and how many targets the intervals of 90 % hold.

for name, values in found.items():
    error = np.abs(values - truth).mean()
    inside = (values[:, 0] <= y_test) & (y_test <= values[:, 2])
    print(f"{name:20s} error {error:.3f}, covered {inside.mean():.1%}")

# %%
# On the left, quantiles along the first column, the others held at one half; dashed lines are the
# truth. On the right, what the intervals cover of rows with small and with large noise.

line = np.full((200, 4), 0.5)
line[:, 0] = np.linspace(0, 1, 200)
low, middle, high = model.predict_quantiles(line, LEVELS).T
near = np.abs(X_test[:, 1] - 0.5) < 0.05

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.scatter(X_test[near, 0], y_test[near], s=5, color="#9a9a9a", linewidths=0)
left.fill_between(line[:, 0], low, high, color="#c8442c", alpha=0.2, linewidth=0)
left.plot(line[:, 0], middle, color="#c8442c", linewidth=2, label="quantiles .05, .5, .95")
order = np.argsort(X_test[near, 0])
shift = X_test[near, 1, None] - 0.5
left.plot(X_test[near, 0][order], (truth[near] - shift)[order], "--", color="black", linewidth=1)
left.plot([], [], "--", color="black", linewidth=1, label="truth")
left.set(xlabel="first column", ylabel="target")
left.legend(frameon=False, loc="lower left")

fifths = np.array_split(np.argsort(X_test[:, 0]), 5)
for (name, values), color in zip(found.items(), ("#c8442c", "#3f6c8c"), strict=True):
    inside = (values[:, 0] <= y_test) & (y_test <= values[:, 2])
    right.plot(range(1, 6), [inside[f].mean() for f in fifths], "o-", color=color, label=name)
right.axhline(0.9, color="#b8b8b8", linewidth=1, zorder=0)
right.set(xticks=range(1, 6), ylim=(0.5, 1), xlabel="fifth of the first column", ylabel="covered")
right.legend(frameon=False, loc="lower left")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
