"""Probabilities from least-squares outputs, by a closed map of two parameters."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..linalg.threads import in_order
from ..rows.remote import total

FLOORS = np.array([0.003, 0.01, 0.03, 0.1, 0.2])
POWERS = np.array([0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0])
# scores for which the whole grid is tried at once
AT_ONCE = 6000


class PowerCalibration:
    r""":math:`p_k \propto \max(t_k, \epsilon / K)^\beta`.

    Of a fixed grid, the floor and power of least log-loss on left-out outputs are taken.
    The order of the classes in a row does not change.

    Attributes
    ----------
    floor, power : float

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import PowerCalibration
    >>> scores = np.array([[1.1, -0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> calibration = PowerCalibration().fit(scores, np.array([0, 1, 0]))
    >>> calibration.probabilities(scores).sum(axis=1).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, floor: float = 0.01, power: float = 1.0) -> None:
        self.floor = floor
        self.power = power
        self._losses = np.zeros((len(FLOORS), len(POWERS)))

    def fit(self, scores: Any, codes: Any, sample_weight: Any = None) -> Self:
        """Choose floor and power.

        Parameters
        ----------
        scores : ndarray of shape (n, K) or (n, n_labels, K)
        codes : ndarray of int of shape (n,) or (n, n_labels)
        sample_weight : ndarray of shape (n,) or None
        """
        self._losses[:] = 0
        return self.partial_fit(scores, codes, sample_weight)

    def partial_fit(self, scores: Any, codes: Any, sample_weight: Any = None) -> Self:
        """Choose again, for these rows and all that came before."""
        self._losses = self._losses + total(_losses, np.add, scores, codes, sample_weight)
        i, j = divmod(int(self._losses.argmin()), len(POWERS))
        self.floor, self.power = float(FLOORS[i]), float(POWERS[j])
        return self

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities of the same shape as `scores`, each row summing to one."""
        logs = self.power * np.log(np.maximum(scores, self.floor / scores.shape[-1]))
        exponentials = np.exp(logs - logs.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)

    def losses(self, scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Log-loss of each row; `scores` (n, K), `codes` (n,)."""
        shares = self.probabilities(scores)
        return -np.log(shares[np.arange(len(codes)), codes])


def _losses(scores: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Summed log-losses for every floor and power."""
    n_classes = scores.shape[-1]
    flat, codes = scores.reshape(-1, n_classes), codes.ravel()
    if sample_weight is None:
        weights = np.ones(len(flat))
    else:
        weights = np.repeat(sample_weight, len(flat) // len(sample_weight))
    step = max(1, AT_ONCE // n_classes)
    parts = [slice(start, start + step) for start in range(0, len(flat), step)]

    def losses(part: slice) -> Any:
        return _grid_losses(flat[part], codes[part], weights[part])

    return sum(in_order(losses, parts))


def _grid_losses(scores: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Summed log-loss of rows `scores` (n, K) for every floor and power."""
    # classes first: NumPy adds and compares long rows faster than many short ones
    scores = np.ascontiguousarray(scores.T)
    logs = np.maximum(scores, FLOORS[:, None, None] / len(scores))
    # in place: fresh memory takes as long as the arithmetic
    np.log(logs, out=logs)
    logs -= logs.max(axis=1, keepdims=True)
    true_logs = logs[:, codes, np.arange(len(codes))] @ weights
    shares = POWERS[:, None, None, None] * logs
    np.exp(shares, out=shares)
    return (np.log(shares.sum(axis=2)) @ weights).T - POWERS * true_logs[:, None]
