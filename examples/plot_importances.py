"""
Which columns does a model go by?
=================================

``feature_importances_`` follow from what the layers learned and need no rows: of a kernel, by how
much its output changes where a column takes the value of another landmark; of a ridge, from its
weights; of trees, from their splits; and all of them weighed by the stack.

Permutation importance asks something else, how much worse predictions of test rows get when a
column is shuffled, and needs these rows and their targets. Ten columns of noise stand beside those
of the diabetes study.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_diabetes
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.inspection import FeatureImportancesDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True)
noise = np.random.default_rng(0).normal(size=(len(X), 10))
X[[f"noise {i}" for i in range(10)]] = noise
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = ZORBRegressor(random_state=0).fit(X_train, y_train)

# %%
# `SelectFromModel` keeps the columns above the mean, and no column of noise among them.

chosen = SelectFromModel(model, prefit=True).get_support()
print("kept:", ", ".join(X.columns[chosen]))
small = ZORBRegressor(random_state=0).fit(X_train.loc[:, chosen], y_train)
print(f"R² of all columns {model.score(X_test, y_test):.3f}, ", end="")
print(f"of the {chosen.sum()} kept {small.score(X_test.loc[:, chosen], y_test):.3f}")

# %%
# On the left what the model has in itself, on the right what shuffling does to R² of the test
# rows. Their ranks agree where a column counts.

shuffled = permutation_importance(model, X_test, y_test, n_repeats=20, random_state=0)
correlation = spearmanr(model.feature_importances_, shuffled.importances_mean)[0]
print(f"rank correlation {correlation:.2f}")

fig, axes = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")
FeatureImportancesDisplay.from_estimator(model, ax=axes[0])
axes[0].set_title("feature_importances_")
right = FeatureImportancesDisplay(shuffled.importances_mean, X.columns)
right.plot(ax=axes[1], color="C1")
axes[1].set(title="permutation importance", xlabel="R² lost by shuffling")
plt.show()
