"""Tables at the edge of what numbers and shapes can be."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

SCALES = (1e-310, 1e-300, 1e-200, 1e-100, 1e-20, 1e-5, 1e5, 1e20, 1e37, 1e100, 1e151, 1e300)


def draw_shape(rng):
    """Rows and columns: few of both, and now and then more columns than fit in a square."""
    if rng.random() < 0.03:
        return 20, 3000
    n_rows = int(rng.integers(1, 6) if rng.random() < 0.25 else rng.integers(6, 60))
    return n_rows, int(rng.integers(1, 8))


def draw_rows(rng, n_rows, n_columns):
    """What kind of rows they are, and an array of them."""
    X = rng.normal(size=(n_rows, n_columns))
    kinds = {
        "normal": lambda: X,
        "constant": lambda: np.full_like(X, rng.choice([0.0, 1.0, 0.1, 1e100])),
        "rank one": lambda: np.outer(X[:, 0], rng.normal(size=n_columns)),
        "all of one scale": lambda: X * rng.choice(SCALES),
        "each of its own scale": lambda: X * rng.choice(SCALES, size=n_columns),
        "offset": lambda: X + rng.choice([1e6, 1e12, 1e16, -1e30]),
        "near copies": lambda: X[:1] + rng.choice([0, 1e-16, 1e-12, 1e-8]) * X,
        "copies": lambda: X[rng.integers(0, min(3, n_rows), n_rows)],
        "outliers": lambda: np.where(rng.random(X.shape) < 0.1, X * 10 ** rng.uniform(3, 140), X),
        "long tails": lambda: np.exp(rng.uniform(1, 30) * X),
        "zeros and ones": lambda: (X > 0).astype(float),
        "mostly zero": lambda: X * (rng.random(X.shape) < 0.1),
        "whole numbers": lambda: np.rint(5 * X),
        "one large row": lambda: np.vstack([X[:-1], np.full((1, n_columns), 1e150)]),
        "infinite": lambda: np.where(rng.random(X.shape) < 0.05, np.inf, X),
        "gaps": lambda: np.where(rng.random(X.shape) < 0.2, np.nan, X),
    }
    name = str(rng.choice(list(kinds)))
    with np.errstate(all="ignore"):
        return name, kinds[name]()


def draw_container(rng):
    """The name of a container, and a function that puts an array into it."""
    containers = {
        "array": lambda X: X,
        "Fortran": np.asfortranarray,
        "read-only": _read_only,
        "list": lambda X: X.tolist(),
        "frame": lambda X: pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])]),
        "csr": sp.csr_matrix,
        "csc": sp.csc_array,
        "wide indices": _wide_indices,
        "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    }
    for kind in ("float32", "float16", "int64", "int8", "uint8", "bool", "object"):
        containers[kind] = lambda X, kind=kind: _cast(X, kind)
    name = str(rng.choice(list(containers)))
    return name, containers[name]


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def _cast(X, kind):
    with np.errstate(all="ignore"):
        return X.astype(kind)


def _wide_indices(X):
    X = sp.csr_array(X)
    indices = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return sp.csr_array((X.data, *indices), shape=X.shape)


def draw_numbers(rng, X):
    """Targets of a regression."""
    n_rows = len(X)
    y = rng.normal(size=n_rows)
    kinds = {
        "numbers": lambda: y,
        "constant": lambda: np.full(n_rows, rng.choice([0.0, 0.1, -7.0, 1e80, 1e151, 1e-300])),
        "scaled": lambda: y * rng.choice(SCALES),
        "offset": lambda: y + rng.choice([1e6, 1e15, 1e40]),
        "outliers": lambda: np.where(rng.random(n_rows) < 0.1, y * 10 ** rng.uniform(3, 140), y),
        "whole": lambda: np.rint(3 * y).astype(int),
        "two": lambda: np.stack([y, y[::-1] * rng.choice(SCALES)], axis=1),
        "column": lambda: y[:, None],
        "mostly equal": lambda: np.where(np.arange(n_rows) == 0, 1.0, 0.0),
        "single": lambda: y.astype(np.float32),
    }
    name = str(rng.choice(list(kinds)))
    with np.errstate(all="ignore"):
        return name, kinds[name]()


def draw_labels(rng, X):
    """Targets of a classification."""
    n_rows = len(X)
    kinds = {
        "two": lambda: np.arange(n_rows) % 2,
        "one": lambda: np.zeros(n_rows, dtype=int),
        "text": lambda: rng.choice(["a", "b", "c"], size=n_rows),
        "bool": lambda: np.arange(n_rows) % 3 == 0,
        "rare": lambda: (np.arange(n_rows) == 0).astype(int),
        "many": lambda: rng.permutation(np.arange(n_rows) // rng.integers(1, 4)),
        "floats": lambda: (np.arange(n_rows) % 3).astype(float),
        "labels": lambda: rng.integers(0, 2, size=(n_rows, 3)),
        "empty labels": lambda: np.zeros((n_rows, 2), dtype=int),
        "objects": lambda: np.array(["x", "y"], dtype=object)[np.arange(n_rows) % 2],
        "large": lambda: (np.arange(n_rows) % 2) * 2**62,
    }
    name = str(rng.choice(list(kinds)))
    return name, kinds[name]()


def draw_weights(rng, n_rows):
    """Weights of rows, none in two cases of three."""
    if rng.random() < 0.66:
        return "none", None
    kinds = {
        "uniform": lambda: rng.random(n_rows),
        "ones": lambda: np.ones(n_rows),
        "counts": lambda: rng.integers(0, 4, size=n_rows),
        "tiny beside 1": lambda: np.where(
            rng.random(n_rows) < 0.3, 10 ** rng.uniform(-320, -10), 1
        ),
        "all tiny": lambda: rng.random(n_rows) * 1e-300,
        "all large": lambda: rng.random(n_rows) * 1e300,
        "one large": lambda: np.where(np.arange(n_rows) == 0, 1e18, 1.0),
        "zeros": lambda: np.zeros(n_rows),
        "one row": lambda: (np.arange(n_rows) == 0).astype(float),
        "negative": lambda: rng.normal(size=n_rows),
    }
    name = str(rng.choice(list(kinds)))
    return name, kinds[name]()


def later_rows(rng, X):
    """Rows to predict: those of training, none of them, or others far outside."""
    with np.errstate(all="ignore"):
        X = np.where(np.isfinite(X), X, 0.0)
        far = X * 10 ** rng.uniform(0, 150)
        return [X, X[:1] + rng.choice([1.0, 1e6, 1e30, 1e150]), far, -far, np.zeros_like(X[:2])]
