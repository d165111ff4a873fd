"""The tables of the suite: of the data directory, of scikit-learn, and generated ones."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.utils import resample

from sklearn_zorb.datasets import load_table
from sklearn_zorb.datasets.tables import table_names as file_names

BUNDLED = {
    "iris": "classification",
    "wine": "classification",
    "breast_cancer": "classification",
    "digits": "classification",
    "diabetes": "regression",
}
# task, function, arguments
GENERATED = {
    "clusters": ("classification", datasets.make_classification,
                 {"n_samples": 1000, "n_informative": 8, "n_classes": 4, "flip_y": 0.05}),
    "hastie": ("classification", datasets.make_hastie_10_2, {"n_samples": 1000}),
    "moons": ("classification", datasets.make_moons, {"n_samples": 600, "noise": 0.3}),
    "quantiles": ("classification", datasets.make_gaussian_quantiles,
                  {"n_samples": 800, "n_features": 6, "n_classes": 3}),
    "friedman1": ("regression", datasets.make_friedman1, {"n_samples": 800, "noise": 1.0}),
    "friedman2": ("regression", datasets.make_friedman2, {"n_samples": 800, "noise": 100.0}),
    "friedman3": ("regression", datasets.make_friedman3, {"n_samples": 800, "noise": 0.1}),
    "uncorrelated": ("regression", datasets.make_sparse_uncorrelated, {"n_samples": 800}),
}  # fmt: skip


class Table(NamedTuple):
    """One table: X is a data frame, classes are numbered from 0."""

    name: str
    task: str
    X: pd.DataFrame
    y: np.ndarray


def table_names():
    """All names, those of the data directory first."""
    return [*file_names(), *BUNDLED, *GENERATED]


@lru_cache
def is_plain(name):
    """Whether a table holds numbers only, none of them missing."""
    X = load(name).X
    return not X.isna().any(axis=None) and not len(X.select_dtypes("category").columns)


def load(name, seed=0, max_rows=None):
    """A table of at most `max_rows` rows, drawn by the seed; generated ones are made by it."""
    if name in GENERATED:
        task, make, arguments = GENERATED[name]
        X, y = make(random_state=seed, **arguments)
    elif name in BUNDLED:
        task = BUNDLED[name]
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    else:
        bunch = load_table(name)
        X, y, task = bunch.data, bunch.target, bunch.task
    X = pd.DataFrame(X)
    # names that every library takes
    X.columns = [f"x{i}" for i in range(X.shape[1])]
    if task == "classification":
        y = np.unique(y, return_inverse=True)[1]
    else:
        y = np.asarray(y, dtype=float)
    if max_rows is not None and len(y) > max_rows:
        classes = y if task == "classification" else None
        rows = resample(
            np.arange(len(y)),
            replace=False,
            n_samples=max_rows,
            stratify=classes,
            random_state=seed,
        )
        X, y = X.iloc[rows].reset_index(drop=True), y[rows]
    return Table(name, task, X, y)
