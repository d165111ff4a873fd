"""
Learn from rows that come in batches
====================================

``partial_fit`` finds the read-out of all rows so far from sums that do not grow.

Digits come in batches of 100. The first batch fixes the scaling and the hidden units. A fit to all
rows so far stands beside it.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=500, random_state=0)
layers = "Dense[300] ReLU"
model = ZORBClassifier(layers, random_state=0)
seen, batches, whole = [], [], []
for start in range(0, 1200, 100):
    rows = slice(start, start + 100)
    model.partial_fit(X[rows], y[rows], classes=range(10))
    seen.append(start + 100)
    batches.append(model.score(X_test, y_test))
    again = ZORBClassifier(layers, random_state=0).fit(X[: start + 100], y[: start + 100])
    whole.append(again.score(X_test, y_test))

# %%
# Hidden units that were fixed by 100 rows cost a little, no more.

figure, ax = plt.subplots(figsize=(6.5, 3.5), layout="constrained")
ax.plot(seen, batches, "o-", color="C3", label="in batches of 100")
ax.plot(seen, whole, "o-", color="0.6", label="one fit to all of them")
ax.set(xlabel="rows seen", ylabel="accuracy on 500 other digits")
ax.legend(frameon=False)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
