r"""
Where does a model bend away from a straight line?
==================================================

A list that is linear in the columns has ``coef_``: one slope for each column, in its own units.
Partial dependence, scikit-learn's mean prediction with one column set to a value, shows these
slopes, and the curves that the default list finds instead. Friedman's function is known,

.. math:: y = 10 \sin(\pi x_0 x_1) + 20 (x_2 - 1/2)^2 + 10 x_3 + 5 x_4,

and five more columns are noise.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_friedman1
from sklearn.inspection import PartialDependenceDisplay
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBRegressor

X, y = make_friedman1(600, noise=1.0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
linear = ZORBRegressor("Identity").fit(X_train, y_train)
model = ZORBRegressor(random_state=0).fit(X_train, y_train)
print(f"R² of new rows: linear {linear.score(X_test, y_test):.2f}, ", end="")
print(f"default {model.score(X_test, y_test):.2f}")

# %%
# Slopes tell of :math:`10 x_3` and :math:`5 x_4`. The parabola has none.

print("slopes", linear.coef_.round(1).tolist())
print("shares", model.feature_importances_.round(2).tolist())

# %%
# The default finds the parabola, and the straight lines where there are such.

columns = [0, 2, 3, 5]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained", sharey=True)
for one, label, colour in ((linear, "linear", "0.6"), (model, "default", "C0")):
    PartialDependenceDisplay.from_estimator(
        one, X_train, columns, ax=axes, grid_resolution=30,
        line_kw={"label": label, "color": colour},
    )  # fmt: skip
for ax in axes:
    ax.set_ylabel("mean prediction" if ax is axes[0] else "")
