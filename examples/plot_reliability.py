"""
Can the probabilities be believed?
==================================

Of all rows to which a model gives a probability of 80 %, about 80 % should belong to the class.

The defaults of `ZORBClassifier` map least-squares scores to probabilities by two numbers, chosen
for the log-loss of left-out predictions. Beside it stand three classifiers with their own
defaults.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_diabetes, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

from sklearn_zorb import ZORBClassifier

models = {
    "ZORBClassifier": ZORBClassifier(random_state=0),
    "RandomForest": RandomForestClassifier(random_state=0),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
    "GaussianNB": GaussianNB(),
}
X, progression = load_diabetes(return_X_y=True)
tables = {
    "diabetes, worse than the median": (X, (progression > np.median(progression)).astype(int)),
    "clusters, a tenth of the labels wrong": make_classification(
        1000, n_informative=6, n_redundant=4, flip_y=0.2, class_sep=1.2, random_state=0
    ),
}

# %%
# Every row is predicted by a model that has not seen it.

folds = StratifiedKFold(5, shuffle=True, random_state=0)
predicted = {
    table: {
        name: cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1]
        for name, model in models.items()
    }
    for table, (X, y) in tables.items()
}

# %%
# The expected calibration error is the mean gap between the share of a class and its
# probability, in eight bins of as many rows each; the log-loss and the Brier score also ask how
# much is told apart.


def calibration_error(y, probability):
    share, mean = calibration_curve(y, probability, n_bins=8, strategy="quantile")
    return np.abs(share - mean).mean()


for table, (_, y) in tables.items():
    print(f"{table:40s} calibration error  Brier  log-loss")
    for name, p in predicted[table].items():
        loss = log_loss(y, np.clip(p, 1e-6, 1 - 1e-6))
        brier = brier_score_loss(y, p)
        print(f"  {name:38s} {calibration_error(y, p):17.3f}  {brier:.3f}  {loss:8.3f}")

# %%
# A curve on the diagonal can be believed; one flatter than it belongs to a model too sure of
# itself, and one steeper to a model that knows more than it says.

colors = dict(zip(models, ("#c8442c", "#5c7a4a", "#3f6c8c", "#9a8c5c"), strict=True))
figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained", sharey=True)
for ax, (table, (_, y)) in zip(axes, tables.items(), strict=True):
    ax.plot([0, 1], [0, 1], color="#b8b8b8", linewidth=1, zorder=0)
    for name, p in predicted[table].items():
        share, mean = calibration_curve(y, p, n_bins=8, strategy="quantile")
        width = 2.4 if name == "ZORBClassifier" else 1.4
        label = f"{name}, {calibration_error(y, p):.3f}"
        ax.plot(mean, share, "o-", color=colors[name], linewidth=width, markersize=4, label=label)
    ax.set(title=table, xlabel="mean probability of a bin", aspect="equal")
    ax.legend(title="calibration error", frameon=False, fontsize=8, loc="upper left")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("share of the class")
plt.show()
