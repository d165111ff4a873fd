"""
Which columns the kernel listens to
===================================

`Kernel` learns a scale for each column: from the fitted function it takes how steep it is in that
column, and stretches the steep ones.

The scales come with the fit, and read as an importance plot. Here 5 of 15 columns carry the
target, Friedman's first function; the others are noise.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Kernel

X, y = make_friedman1(500, n_features=15, noise=1.0, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)

# %%
# Two rounds of re-weighting, and none for comparison. One read-out on the kernel features alone
# is kernel ridge regression.

fits = {
    rounds: ZORBRegressor([Kernel(500, reweight=rounds)], readout="last", random_state=0).fit(X, y)
    for rounds in (0, 2)
}
for rounds, model in fits.items():
    print(f"{rounds} rounds: R² {model.score(X_test, y_test):.3f} on test rows")

# %%
# Columns are standardised first, so that scales can be compared. Permutation importance, the
# loss of R² on test rows when a column is shuffled, needs a prediction for every column and
# repeat, and agrees.

model = fits[2]
names = [name for name, _ in model.layers_]
scales = model.params_[names.index("kernel_1")]["feature_scales"]
permuted = permutation_importance(model, X_test, y_test, n_repeats=10, random_state=0)

figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.2), layout="constrained", sharey=True)
labels = [f"x{j + 1}" for j in range(15)]
colors = np.where(np.arange(15) < 5, "#c8442c", "#9db4c0")
axes[0].barh(labels, scales / scales.max(), color=colors, height=0.7)
axes[0].set(title="feature scales of the kernel", xlabel="relative to the largest")
axes[1].barh(
    labels, permuted.importances_mean, xerr=permuted.importances_std, color=colors, height=0.7,
    error_kw={"linewidth": 1},
)  # fmt: skip
axes[1].set(title="permutation importance", xlabel="loss of R² on test rows")
axes[0].invert_yaxis()
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)
figure.legend(
    handles=[
        plt.Rectangle((0, 0), 1, 1, color="#c8442c", label="carries the target"),
        plt.Rectangle((0, 0), 1, 1, color="#9db4c0", label="noise"),
    ],
    loc="outside lower center",
    ncols=2,
    frameon=False,
)
plt.show()
