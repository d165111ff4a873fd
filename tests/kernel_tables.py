"""Tables and reference kernels for tests of `Kernel`."""

import numpy as np
from scipy.spatial.distance import cdist

from sklearn_zorb.layers import Context
from sklearn_zorb.rows import Targets


def table(n_rows=80, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=n_rows)
    return X, y


def naive_kernel(kind, A, B, width=1.0):
    d = cdist(A, B, "cityblock" if kind == "laplace_l1" else "euclidean") / width
    return np.exp(-(d**2) / 2) if kind == "gaussian" else np.exp(-d)


def solve(layer, X, y, **changes):
    """What a layer makes of a table by itself."""
    y = np.asarray(y, dtype=float).reshape(X.shape[0], -1)
    context = Context(rng=np.random.default_rng(0), y=y, y_targets=Targets(y))
    params = layer.init(np.random.default_rng(1), X.shape[1:])
    return layer.solve(params, X, Targets(y), context.replace(**changes))


def centred_ridge(K, y, alpha):
    """Dual coefficients and intercept, from the saddle point of kernel ridge regression."""
    n = len(K)
    system = np.block([[K + alpha * np.eye(n), np.ones((n, 1))], [np.ones((1, n)), 0.0]])
    solution = np.linalg.solve(system, np.append(y, 0.0))
    return solution[:n], solution[n]


def squared_left_out(K, y, alpha):
    """Squared leave-one-out errors of kernel ridge regression, by refits."""
    errors = []
    for i in range(len(K)):
        keep = np.delete(np.arange(len(K)), i)
        dual, intercept = centred_ridge(K[np.ix_(keep, keep)], y[keep], alpha)
        errors.append((y[i] - K[i, keep] @ dual - intercept) ** 2)
    return np.array(errors)


def mean_eigenvalue(K):
    return np.trace(K - K.mean(0) - K.mean(1)[:, None] + K.mean()) / len(K)
