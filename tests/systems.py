"""Least-squares problems for tests, and their leave-one-out predictions by refits."""

import numpy as np
from sklearn.linear_model import Ridge

from sklearn_zorb.linalg import System

SHAPES = {"tall": (60, 7), "wide": (20, 40), "square": (30, 30)}


def make(shape, seed=0, offset=3.0):
    """Rows, targets and weights that are numbers of copies."""
    rng = np.random.default_rng(seed)
    n_rows, n_features = SHAPES[shape]
    rows = rng.normal(size=(n_rows, n_features)) + offset
    targets = rng.normal(size=(n_rows, 3)) + rows[:, :3]
    weights = rng.integers(1, 4, size=n_rows).astype(float)
    return rows, targets, weights


def in_chunks(rows, targets, weights=None, size=7, **options):
    """The system read in uneven chunks."""

    def read(part):
        return rows[part], targets[part], None if weights is None else weights[part]

    parts = [slice(start, start + size) for start in range(0, len(targets), size)]
    return System(read, parts, *rows.shape, targets.shape[1], **options)


def left_out_by_refits(rows, targets, alpha, weights=None, fit_intercept=True):
    """Prediction of each distinct row by a ridge fitted without one copy of it."""
    counts, outputs = np.ones(len(rows)) if weights is None else weights, []
    for i in range(len(rows)):
        fewer = counts - np.minimum(counts, 1) * (np.arange(len(rows)) == i)
        model = Ridge(alpha, fit_intercept=fit_intercept).fit(rows, targets, sample_weight=fewer)
        outputs.append(model.predict(rows[i : i + 1])[0])
    return np.array(outputs)
