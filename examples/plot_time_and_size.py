"""
Faster and smaller models
=========================

A short list of layers is fitted in milliseconds and fills a few kilobytes, and loses little.

Six lists learn digits. The area of a dot is the size of the pickled model.
"""

import pickle
from time import perf_counter

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=600, random_state=0)
lists = {
    "auto": "auto",
    "fast": "fast",
    "ridge": "Identity",
    "ramps": "PiecewiseLinear",
    "64 random units": "Dense[64, relaxation=0] ReLU",
    "64 landmarks": "Kernel[64, kind=laplace_l1, bandwidth=1, reweight=0]",
}
points = {}
for name, layers in lists.items():
    started = perf_counter()
    model = ZORBClassifier(layers, random_state=0).fit(X, y)
    seconds = perf_counter() - started
    points[name] = seconds, model.score(X_test, y_test), len(pickle.dumps(model)) / 1e6

# %%
# Up and to the left is better.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (seconds, score, megabytes) in points.items():
    ax.scatter(seconds, score, s=30 + 200 * megabytes, color="C3", alpha=0.5)
    above = -24 if name == "fast" else 14
    ax.annotate(f"{name}, {megabytes:.2f} MB", (seconds, score), (0, above), ha="center",
                fontsize=9, textcoords="offset points")  # fmt: skip
ax.set(xscale="log", xlabel="seconds of the fit", ylabel="accuracy on 600 other digits")
ax.margins(0.2)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
