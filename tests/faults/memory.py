"""What fits of many sizes leave in memory, with programs of JAX for each."""

import gc
import warnings
from pathlib import Path

import numpy as np

from sklearn_zorb import ZORBClassifier

LISTS = ("Dense[16] Tanh", "Dense[8] ReLU Trees[2]", "Stack(Dense[6] Tanh | Identity)")


def resident():
    """Megabytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def growth(count=50, seed=0):
    """Megabytes that so many fits add, each of other numbers of rows and columns than the last."""
    rng, start = np.random.default_rng(seed), 0.0
    for i in range(count + 1):
        n_rows, n_columns = 60 + 23 * i, 3 + i % 7
        X, y = rng.normal(size=(n_rows, n_columns)), np.arange(n_rows) % 3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ZORBClassifier(LISTS[i % 3], backend="jax", random_state=0).fit(X, y).predict(X)
        gc.collect()
        if i == 0:
            start = resident()
    return resident() - start
