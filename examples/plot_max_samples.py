"""
How many rows a hidden layer needs
==================================

With ``max_samples`` hidden layers are solved on a sample of the rows, and the read-out on all
of them. What a fit costs beyond its read-out falls with the sample. Accuracy hardly does as long
as there are some ten rows for each input of a layer; below, the weights are noise.
"""

from time import perf_counter

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

scores, seconds = [], []
for size in sizes:
    for seed in range(3):
        model = ZORBClassifier(
            "Dense[400] Tanh Dense[200] Tanh",
            relaxation=1.0,
            readout="last",
            max_samples=size,
            random_state=seed,
        )
        started = perf_counter()
        model.fit(X, y)
        seconds.append(perf_counter() - started)
        scores.append(model.score(X_test, y_test))
    of_size = scores[-3:]
    print(f"{size:6d} rows: accuracy {min(of_size):.3f} to {max(of_size):.3f}")

# %%
# The dotted line is at ten rows for each of the 400 inputs of the second layer.

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained")
places = [size for size in sizes for _ in range(3)]
shown = ((left, scores, "accuracy on test rows"), (right, seconds, "fit, seconds"))
for ax, values, title in shown:
    ax.scatter(places, values, color="#c8442c", alpha=0.7)
    ax.axvline(4000, color="#9db4c0", linestyle=":")
    ax.set_xscale("log")
    ax.set_xlabel("max_samples")
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
