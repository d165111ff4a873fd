"""
Rows on several workers, one model
==================================

`DaskZORBRegressor` fits rows where they lie: each worker sums over its own, and the sums make one
solve. So it does not matter how the rows are divided. Here a cluster of two workers lives in this
process, as on a laptop; on many machines only the client is another one.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.dask import DaskZORBRegressor

X = np.random.default_rng(0).normal(size=(8000, 10))
y = np.sin(X[:, 0]) * X[:, 1] + X[:, 2]
layers = "Dense[100] Tanh"
local = ZORBRegressor(layers, random_state=0).fit(X, y)

# %%
# The same rows in chunks of several lengths. Each fit begins with the same random weights, since
# `random_state` is the same.

cluster = LocalCluster(n_workers=2, processes=False, dashboard_address=":0")
client = Client(cluster)
chunkings = {"1 chunk": 8000, "4 chunks": 2000, "20 chunks": 400, "uneven": (5, 7000, 995)}
differences = {}
for name, chunks in chunkings.items():
    rows, targets = da.from_array(X, chunks=(chunks, -1)), da.from_array(y, chunks=(chunks,))
    model = DaskZORBRegressor(layers, random_state=0).fit(rows, targets)
    predicted = model.predict(rows)  # a lazy array
    differences[name] = np.abs(predicted.compute() - local.predict(X)) / np.abs(y).max()
    print(f"{name}: R² of left-out rows {model.loo_score_:.4f}, here {local.loo_score_:.4f}")

# %%
# What parts the predictions from those of the estimator without Dask is rounding.

figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for place, found in enumerate(differences.values()):
    ax.plot(np.full(len(found), place), np.maximum(found, 1e-18), "_", alpha=0.1, color="tab:blue")
ax.axhline(1e-8, color="tab:red", linewidth=1)
ax.text(-0.4, 2e-8, "what is asked for", color="tab:red")
ax.set(yscale="log", ylim=(1e-18, 1e-6), ylabel="difference of predictions, relative")
ax.set_xticks(range(len(differences)), list(differences))

# %%
# What is left is an ordinary estimator, to be saved and served without a cluster.

print(model.to_local())
client.close()
cluster.close()
