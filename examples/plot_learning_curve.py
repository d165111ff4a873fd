"""
How many rows does it need?
===========================

A learning curve shows what more rows would bring; the default of ZORB starts well with few.

The rents of flats are predicted from 50 to 800 rows, beside gradient boosting with its defaults.
The dotted line is the score that the model itself expects, from rows left out of the fit.
"""

import matplotlib.pyplot as plt
from sklearn.ensemble import HistGradientBoostingRegressor

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.datasets import make_flats

X, y = make_flats(1800, random_state=0)
X = X.assign(listed=(X["listed"] - X["listed"].min()).dt.days)
X = X.astype({"city": "category", "heating": "category"})
X_test, y_test = X[800:], y[800:]
sizes = [50, 100, 200, 400, 800]
ours, expected, boosting = [], [], []
for n in sizes:
    model = ZORBRegressor(random_state=0).fit(X[:n], y[:n])
    ours.append(model.score(X_test, y_test))
    expected.append(model.loo_score_)
    other = HistGradientBoostingRegressor(random_state=0).fit(X[:n], y[:n])
    boosting.append(other.score(X_test, y_test))

# %%
# Boosting needs several times as many rows for the same score.

figure, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
ax.plot(sizes, ours, "o-", color="C3", label="ZORB")
ax.plot(sizes, expected, ":", color="C3", label="ZORB, expected")
ax.plot(sizes, boosting, "o-", color="0.6", label="HistGradientBoosting")
ax.set(xscale="log", xlabel="rows to learn from", ylabel="R² on 1000 other rows")
ax.set_xticks(sizes, map(str, sizes))
ax.minorticks_off()
ax.legend(frameon=False)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
