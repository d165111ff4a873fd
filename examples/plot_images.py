"""
Images: filters, targets and mistakes
=====================================

With ``input_shape``, ``layers="auto"`` is a network of filters, and nothing in it is trained by
gradients.

The rows of X stay flat: ``input_shape`` says what one of them is as an image.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier, auto_layers, format_layers
from sklearn_zorb.layers import Context

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
layers = auto_layers(X_train, input_shape=(8, 8, 1), effort="fast")
print(format_layers(layers).replace(" CReLU", "\nCReLU").replace(" Power", "\nPower"))
model = ZORBClassifier("fast", input_shape=(8, 8, 1), random_state=0).fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f}")

# %%
# The filters are centres of clusters of whitened windows of training images. Some of them:


def show(axes, pixels):
    """Pixels around zero: red is below, blue above."""
    size = np.abs(pixels).max()
    axes.imshow(pixels, cmap="RdBu", vmin=-size, vmax=size)
    axes.set(xticks=[], yticks=[])


params = dict(zip([name for name, _ in model.layers_], model.params_, strict=True))
filters = params["conv2d_1"]["weights"].T.reshape(-1, 3, 3)
figure, axes = plt.subplots(3, 12, figsize=(8, 2.2), layout="constrained")
for ax, pixels in zip(axes.flat, filters, strict=False):
    show(ax, pixels)

# %%
# Filters can be solved as well, as all weights are: targets are carried down through the layers,
# each of which says what its input should be, and every window of every image is one row of a
# least-squares problem. Here they go all the way down: from "this is a 0", "a 1" and so on to the
# pixels that would have to change.

solved = ZORBClassifier(
    "Conv2D[16, 3] LeakyReLU[.5] AvgPool2D[2] Flatten", input_shape=(8, 8, 1), readout="last",
    random_state=0,
).fit(X_train, y_train)  # fmt: skip
image, classes = X_test[:1], np.eye(10)
steps = list(zip([layer for _, layer in solved.layers_], solved.params_, strict=True))
inputs = [np.repeat(image, 10, axis=0)]
for layer, params in steps[:-1]:
    inputs.append(layer.forward(params, inputs[-1]))
asked, targets = {}, classes
for (layer, params), before in zip(steps[::-1], inputs[::-1], strict=True):
    # what is asked for beyond what the inverse makes of the output as it is
    outputs = layer.forward(params, before)
    moved = layer.invert(params, targets, before, Context())
    present = layer.invert(params, outputs, before, Context())
    targets = before + moved - present
    asked[type(layer).__name__] = targets - before

figure, axes = plt.subplots(3, 10, figsize=(9, 3.2), layout="constrained")
rows = {
    "pooled": asked["Flatten"][..., 0], "filtered": asked["LeakyReLU"][..., 0],
    "pixels": asked["Standardize"].reshape(-1, 8, 8),
}  # fmt: skip
for line, (name, pixels) in zip(axes, rows.items(), strict=True):
    line[0].set_ylabel(name)
    for ax, one in zip(line, pixels, strict=True):
        show(ax, one)
for digit, ax in enumerate(axes[0]):
    ax.set_title(digit, fontsize=10)
figure.suptitle(f"what would have to change in an image of {y_test[0]}, by the first of 16 filters")

# %%
# Which digits the first network takes for which others, and its worst mistakes: the images whose
# own digit it gives the least probability.

predicted, scores = model.predict(X_test), model.predict_proba(X_test)
counts = confusion_matrix(y_test, predicted)
shares = scores[np.arange(len(y_test)), y_test]
worst = [row for row in np.argsort(shares) if predicted[row] != y_test[row]][:8]
figure = plt.figure(figsize=(9, 4.2), layout="constrained")
left, right = figure.subfigures(1, 2)
ax = left.subplots()
mistakes = np.where(np.eye(10, dtype=bool), 0, counts)
ax.imshow(mistakes, cmap="Reds", vmax=2 * mistakes.max())
for i, j in np.argwhere(counts):
    ax.text(j, i, counts[i, j], ha="center", va="center", fontsize=8)
ax.set(xlabel="predicted", ylabel="digit", xticks=range(10), yticks=range(10))
right.suptitle(f"{(predicted != y_test).sum()} of {len(y_test)} test images are wrong")
for ax, row in zip(right.subplots(2, 4).flat, [*worst, *[None] * 8], strict=False):
    ax.axis("off")
    if row is not None:
        ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
        ax.set_title(f"{y_test[row]}, not {predicted[row]}", fontsize=9)
plt.show()
