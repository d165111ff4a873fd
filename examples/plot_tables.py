"""
Do tables have to be prepared?
==============================

``fit`` reads a data frame as it is: text and categories become columns of 0 and 1, gaps are filled
and said in a column of their own, and trees see both as they are.

Many a pipeline fills gaps with the median and forgets where they were. The diabetes study shows
what that costs where gaps tell something: parts of three columns are removed here, the more often
the higher the value is.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_zorb import ZORBRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X["sex"] = X["sex"].map({1: "A", 2: "B"})
X["age"] = pd.cut(X["age"], [0, 40, 60, 100], labels=["young", "middle", "old"])
draws = np.random.default_rng(0).random((3, len(X)))


def with_gaps(share):
    """The table without that share of three columns."""
    table = X.copy()
    for name, draw in zip(("bmi", "bp", "s5"), draws, strict=True):
        table[name] = table[name].mask(draw < 2 * share * table[name].rank(pct=True))
    return table


# %%
# The layer `Encode`, which the estimator puts in front, names its outputs after the columns. An
# ordered category is a number and a column of 0 and 1 for each level.

model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(with_gaps(0.3), y)
names = ", ".join(model.layers_[0][1].output_names())
print(textwrap.fill(names, 90))

# %%
# The same model, behind two pipelines and without one.


def behind(**options):
    numbers = make_pipeline(SimpleImputer(strategy="median", **options), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (levels, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(prepare, ZORBRegressor("fast", random_state=0))


ways = {
    "the frame as it is": ZORBRegressor("fast", random_state=0),
    "behind medians, with indicators": behind(add_indicator=True),
    "behind medians": behind(),
}
shares = [0.0, 0.15, 0.3, 0.45]
folds = KFold(5, shuffle=True, random_state=0)
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, way in ways.items():
    scores = [cross_val_score(way, with_gaps(share), y, cv=folds).mean() for share in shares]
    print(f"{name}: {', '.join(f'{score:.3f}' for score in scores)}")
    ax.plot(shares, scores, marker="o", label=name)
ax.set(xlabel="share of bmi, blood pressure and s5 that is missing", ylabel="R², five folds")
ax.legend()
