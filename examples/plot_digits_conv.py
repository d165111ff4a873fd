"""
Digits with a convolution
=========================

The filters of a ``Conv2D`` are solved like any other weights: every window of every image is one
row of a least-squares problem.

The rows of X are flat, so ``input_shape`` says what one of them is as an image.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)

# %%
# Sixteen windows of 3 x 3 pixels, averaged over 2 x 2 places.

model = ZORBClassifier(
    "Conv2D[16, 3] ReLU AvgPool2D[2] Flatten", input_shape=(8, 8, 1), random_state=0
).fit(X_train, y_train)
model.summary()

# %%
# The filters, and the first test images that the network takes for another digit.

names = [name for name, _ in model.layers_]
filters = model.params_[names.index("conv2d_1")]["weights"].T.reshape(-1, 3, 3)
predicted = model.predict(X_test)
wrong = np.flatnonzero(predicted != y_test)

figure = plt.figure(figsize=(9, 4.2), layout="constrained")
left, right = figure.subfigures(1, 2)
left.suptitle("filters of Conv2D[16, 3]")
limit = np.abs(filters).max()
for ax, values in zip(left.subplots(4, 4).flat, filters, strict=True):
    ax.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
right.suptitle(f"{len(wrong)} of {len(y_test)} test images are wrong")
for ax, row in zip(right.subplots(2, 4).flat, [*wrong[:8], *[None] * 8], strict=False):
    ax.axis("off")
    if row is not None:
        ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
        ax.set_title(f"{y_test[row]}, not {predicted[row]}", fontsize=9)
plt.show()
