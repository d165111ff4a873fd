"""
How a prediction follows a column
=================================

Partial dependence, a tool of scikit-learn, draws how the mean prediction changes with one column.

It takes the fitted estimator as it is, here with a raw table of flats.
"""

import matplotlib.pyplot as plt
from sklearn.inspection import PartialDependenceDisplay

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.datasets import make_flats

X, y = make_flats(600, random_state=0)
model = ZORBRegressor("fast", random_state=0).fit(X, y)
complete = X.dropna(subset=["area", "built"])  # gaps have no place on an axis

# %%
# The table was drawn by a formula: rents rise with the area and fall a little with the distance,
# and flats of the middle of the century are the cheapest. The model has found all three.

figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained", sharey=True)
PartialDependenceDisplay.from_estimator(
    model, complete, ["area", "built", "distance"], ax=axes, n_cols=3, grid_resolution=15,
    subsample=100, kind="both", random_state=0,
    ice_lines_kw={"color": "0.85"}, pd_line_kw={"color": "C3"},
)  # fmt: skip
plt.show()
