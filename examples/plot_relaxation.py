"""
Relaxation: how much of a random layer to keep
==============================================

A hidden layer is solved for targets that came down from the outputs, so a layer that is solved and
nothing else computes a linear function of at most as many values as there are outputs.

For two spirals that is one value, and the boundary is a few straight stripes. With a part of the
random weights kept (``relaxation`` below 1) the layer bends space *and* knows the targets.

On these spirals random weights do as well as relaxed ones: there are 200 units for two
columns. Relaxation pays where layers are narrow for the task or stacked deep. It is a
parameter like any other, to be searched by ``GridSearchCV`` where it matters.
"""

import matplotlib.pyplot as plt
from sklearn.inspection import DecisionBoundaryDisplay

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.datasets import make_two_spirals

X, y = make_two_spirals(random_state=0)
X_test, y_test = make_two_spirals(2000, random_state=1)

# %%
# Three networks that differ in ``relaxation`` alone: 0 keeps the random weights as they are,
# 1 is the published rule, 0.3 is the default. The read-out sees the last layer only, so that
# nothing but the hidden layers can tell the spirals apart.

titles = {0.0: "0: random weights", 0.3: "0.3: the default", 1.0: "1: solved weights only"}
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.9), layout="constrained")
for ax, (relaxation, title) in zip(axes, titles.items(), strict=True):
    model = ZORBClassifier(
        "Dense[200] Tanh Dense[200] Tanh",
        relaxation=relaxation,
        readout="last",
        random_state=0,
    ).fit(X, y)
    DecisionBoundaryDisplay.from_estimator(
        model,
        X,
        response_method="predict_proba",
        grid_resolution=200,
        plot_method="pcolormesh",
        cmap="RdBu",
        vmin=0,
        vmax=1,
        alpha=0.6,
        ax=ax,
    )
    ax.scatter(*X.T, c=y, cmap="gray", s=8, edgecolors="black", linewidths=0.4)
    ax.set(title=f"relaxation={title}", xticks=[], yticks=[], aspect="equal")
    ax.set_xlabel(f"test accuracy {model.score(X_test, y_test):.3f}")
plt.show()
