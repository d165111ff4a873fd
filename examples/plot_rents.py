"""
Predict rents from a raw table
==============================

A table with text, an ordered category, a date and gaps is fitted as it is, beside methods that need
it prepared.

The rents of 500 flats are predicted by five folds. Forest and ridge get filled gaps and one-hot
categories from a pipeline; boosting takes categories but no dates.
"""

import matplotlib.pyplot as plt
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.datasets import make_flats

X, y = make_flats(500, random_state=0)
print(X.head(4).to_string())

# %%
# What the others need. Dates become days, and text becomes categories.

plain = X.assign(
    listed=(X["listed"] - X["listed"].min()).dt.days,
    city=X["city"].astype("category"),
    heating=X["heating"].astype("category"),
)
prepare = make_column_transformer(
    (OneHotEncoder(), make_column_selector(dtype_include="category")),
    remainder=SimpleImputer(),
)
models = {
    "ZORB, the raw table": (ZORBRegressor(random_state=0), X),
    "HistGradientBoosting": (HistGradientBoostingRegressor(random_state=0), plain),
    "ridge in a pipeline": (make_pipeline(prepare, RidgeCV()), plain),
    "forest in a pipeline": (make_pipeline(prepare, RandomForestRegressor(random_state=0)), plain),
}
scores = {name: cross_val_score(model, table, y) for name, (model, table) in models.items()}

# %%
# Each dot is a fold.

figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
for height, (name, values) in enumerate(reversed(scores.items())):
    ax.scatter(values, [height] * 5, color="C3" if "ZORB" in name else "0.6")
    ax.plot(values.mean(), height, "|", color="black", markersize=18)
ax.set_yticks(range(len(scores)), list(reversed(scores)))
ax.set(xlabel="R², five folds and their mean")
ax.grid(axis="x", alpha=0.3)
ax.spines[["top", "right", "left"]].set_visible(False)
plt.show()
