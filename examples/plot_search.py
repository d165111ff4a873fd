"""
Searching layers with GridSearchCV
==================================

A list of layers can be written as text, and text is a plain value: a search space may hold it
beside any other parameter.

Here ``GridSearchCV`` tries five lists of layers and four values of ``relaxation``.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from sklearn_zorb import ZORBClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, train_size=900, stratify=y, random_state=0)

# %%
# The grid. Names of single layers work too, where ``layers`` is a list of layer objects:
# ``{"dense_1__units": [32, 64]}``.

grid = {
    "layers": [
        "Dense[64] Tanh",
        "Dense[256] Tanh",
        "Dense[64] ReLU Dense[64] ReLU",
        "Dense[256] ReLU",
        "Parallel(Dense[128] ReLU | Dense[128] Cos)",
    ],
    "relaxation": [0.0, 0.3, 0.6, 0.9],
}
search = GridSearchCV(ZORBClassifier(random_state=0), grid, cv=3).fit(X, y)
print(search.best_params_)
print(f"test accuracy {search.score(X_test, y_test):.3f}")

# %%
# The mean score of every cell; a frame marks the best.

scores = search.cv_results_["mean_test_score"].reshape(len(grid["layers"]), -1)
figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
ax.imshow(scores, cmap="YlGn", aspect="auto")
for (row, column), score in [
    (divmod(i, scores.shape[1]), score) for i, score in enumerate(scores.flat)
]:
    shade = (score - scores.min()) / (scores.max() - scores.min())
    ax.text(
        column, row, f"{score:.3f}", ha="center", va="center", color="w" if shade > 0.6 else "k"
    )
best = divmod(search.best_index_, scores.shape[1])
ax.add_patch(plt.Rectangle((best[1] - 0.5, best[0] - 0.5), 1, 1, fill=False, edgecolor="k", lw=2.5))
ax.set_xticks(range(4), grid["relaxation"])
ax.set_yticks(range(5), grid["layers"], fontfamily="monospace", fontsize=9)
ax.set(xlabel="relaxation", title="Accuracy in 3-fold cross-validation, 900 digits")
plt.show()
