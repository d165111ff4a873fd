"""Kernel ridge regression of groups of rows, with leave-one-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...linalg import get_backend
from ...linalg.penalties import search
from ...linalg.solvers import DualRidge
from .features import centre

if TYPE_CHECKING:
    from ...rows.duplicates import Groups

# penalties tried, relative to the mean eigenvalue of the centred kernel matrix
DECADES = 10.0 ** np.arange(-6, 3.5, 1.0)


@dataclass
class Fit:
    """Kernel ridge regression at one penalty.

    Attributes
    ----------
    decade : int
        Index of the penalty.
    error : float
        Leave-one-out mean squared error.
    dual : ndarray of shape (n_groups, n_targets)
    losses : ndarray of shape (n_groups,)
        What each group adds to the sum of squared errors.
    """

    decade: int
    error: float
    dual: np.ndarray
    losses: np.ndarray


def fit_ridge(kernel: np.ndarray, groups: Groups, start: int, walk: bool = True) -> Fit:
    """The penalty of least leave-one-out error, searched from `start` over `DECADES`.

    Without `walk` it is the one at `start`.
    """
    root = np.sqrt(groups.weight)[:, None]
    deviation = groups.mean - groups.weight @ groups.mean / groups.weight.sum()
    # what rounding leaves of equal targets is not to be fitted: derivatives have no scale
    deviation[np.abs(deviation) <= 1e-13 * np.abs(groups.mean).max(initial=0.0)] = 0.0
    inner = centre(kernel, groups.weight)[0] * (root * root.T)
    ridge = DualRidge(get_backend("numpy"), inner, deviation * root, groups.weight)
    if not ridge.trace > 0:
        return Fit(start, np.inf, np.zeros_like(deviation), groups.scatter)
    alphas, losses = DECADES * ridge.trace / len(inner), {}

    def error(decade: int) -> float:
        alpha = alphas[decade]
        dual, leverages = ridge.at(alpha)
        # a copy left out misses its own target by what its group's mean is missed, and more
        squares = ((alpha * dual) ** 2).sum(axis=1) + groups.scatter
        losses[decade] = squares / np.maximum(1 - groups.share * leverages, 1e-10) ** 2
        return losses[decade].sum() / groups.weight.sum() / deviation.shape[1]

    errors: Any
    if walk:
        decade, errors = search(error, len(DECADES), start)
    else:
        decade, errors = start, {start: error(start)}
    return Fit(decade, errors[decade], root * ridge.at(alphas[decade])[0], losses[decade])
