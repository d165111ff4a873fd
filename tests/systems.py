"""Least-squares problems for tests."""

import numpy as np

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
