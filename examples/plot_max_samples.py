"""
How many rows a hidden layer needs
==================================

With ``max_samples`` hidden layers are solved on a sample of the rows, and the read-out on all
of them. Accuracy suffers little as long as there are some ten rows for each input of a layer;
below, the weights are noise. What that saves is told by ``benchmarks/speed.py``: much where
layers are wide, next to nothing for the small ones here.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier

X, y = make_classification(
    24_000, n_features=30, n_informative=15, n_classes=4, n_clusters_per_class=4, random_state=0
)
X, X_test, y, y_test = train_test_split(X, y, test_size=4000, stratify=y, random_state=0)
sizes = (250, 500, 1000, 2000, 4000, 8000, 20_000)

# %%
# Three seeds for each size; the largest is all rows.

scores = {}
for size in sizes:
    scores[size] = [
        ZORBClassifier(
            "Dense[400] Tanh Dense[200] Tanh",
            relaxation=1.0,
            readout="last",
            max_samples=size,
            random_state=seed,
        )
        .fit(X, y)
        .score(X_test, y_test)
        for seed in range(3)
    ]
    print(f"{size:6d} rows: accuracy {min(scores[size]):.3f} to {max(scores[size]):.3f}")

# %%
# The dotted line is at ten rows for each of the 400 inputs of the second layer.

figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for size, found in scores.items():
    ax.scatter([size] * len(found), found, color="#c8442c", alpha=0.7)
ax.axvline(4000, color="#9db4c0", linestyle=":")
ax.set_xscale("log")
ax.set_xlabel("max_samples")
ax.set_ylabel("accuracy on test rows")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
