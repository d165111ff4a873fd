"""
What the defaults build: blocks weighed on left-out rows
========================================================

Without a list of layers the estimators stack a ridge, a kernel and a forest.

Which of them a data set needs is not guessed: each block predicts rows it has not seen, and
weights that are never negative and sum to one are fitted to these predictions.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers, format_layers
from sklearn_zorb.datasets import make_two_spirals

print(format_layers(auto_layers((400, 2))).replace(" | ", "\n| "))

# %%
# Four data sets that call for different blocks.

jobs = {
    "diabetes": (ZORBRegressor, load_diabetes(return_X_y=True)),
    "wine": (ZORBClassifier, load_wine(return_X_y=True)),
    "breast cancer": (ZORBClassifier, load_breast_cancer(return_X_y=True)),
    "two spirals": (ZORBClassifier, make_two_spirals(random_state=0)),
}
weights = {}
for name, (estimator, (X, y)) in jobs.items():
    model = estimator(random_state=0).fit(X, y)
    weights[name] = model.params_[-1]["block_weights"]

# %%
# Next to nothing goes to a block that does not help: no line separates two spirals.

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
left = np.zeros(len(jobs))
for block, color, share in zip(
    ("ridge", "kernel", "forest"),
    ("#9db4c0", "#c8442c", "#5c7a4a"),
    np.array(list(weights.values())).T,
    strict=True,
):
    bars = ax.barh(list(jobs), share, left=left, color=color, label=block, height=0.65)
    labels = [f"{value:.2f}" if value > 0.05 else "" for value in share]
    ax.bar_label(bars, labels, label_type="center", color="white")
    left += share
ax.set(xlim=(0, 1), xlabel="weight of the block")
ax.invert_yaxis()
ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
