"""
Gradients without going back
============================

`ForwardGradient` asks how fast the loss rises along a random direction, which one pass forward
tells, and steps along that direction by as much.

On average over directions this is the gradient; what it costs is noise, the more of it the more
weights share a direction. Here the same network learns from one direction for all weights, from
one for each array of weights, from sixteen of these, and from the gradient itself.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import Backprop, ForwardGradient

X, y = load_iris(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Every rule takes 300 plain steps at one rate, on all rows. ``granularity="joint"`` draws one
# direction for the whole network, "tensor" one for each array, whose share of the loss is told
# apart.

settings = {"max_epochs": 300, "learning_rate": 0.05, "tol": None}
rules = {
    "one direction for all": ForwardGradient("joint", **settings),
    "one for each array": ForwardGradient("tensor", **settings),
    "16 for each array": ForwardGradient("tensor", n_directions=16, **settings),
    "backpropagation": Backprop("sgd", **settings),
}
fits = {
    name: NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    for name, rule in rules.items()
}
for name, model in fits.items():
    print(f"{name}: accuracy {model.score(X_test, y_test):.3f} on test rows")

# %%
# More directions cost more passes, which run side by side, and take the noise from the curve.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
colors = ("#9db4c0", "#5c8da8", "#c8442c", "black")
for (name, model), color in zip(fits.items(), colors, strict=True):
    losses = [entry["loss"] for entry in model.history_]
    ax.plot(range(1, len(losses) + 1), losses, color=color, label=name, linewidth=1.6)
ax.set(xlabel="epoch", ylabel="cross-entropy on training rows", yscale="log")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
