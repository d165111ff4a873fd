"""What a solver returns."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from .backends import to_numpy


def _products(ops, right, *lefts):
    return tuple(left @ right for left in lefts)


class Status(Enum):
    """How a solve went; the value says what to do about it."""

    OK = "solved"
    FALLBACK = "matrix not positive definite at this alpha: solved by eigenvalues; raise alpha"
    RANK_DEFICIENT = "rank deficient: minimum-norm solution over the columns that are resolved"


@dataclass
class Solution:
    """Coefficients and what is known about them.

    Attributes
    ----------
    coef : array of shape (n_features, n_targets)
    intercept : array of shape (n_targets,)
    alpha : float
        Ridge penalty used, absolute, on centred sums.
    dof : float
        Effective degrees of freedom, the intercept not counted; the rank for alpha = 0. Where
        there are more than 2000 columns, an estimate of about one per cent.
    loo_error : float
        Weighted mean squared leave-one-out (or GCV) error over rows and targets.
    criterion : {"loo", "sampled-loo", "gcv"}
        Whether `loo_error` is that of all rows, of some, or by GCV.
    method : str
        "primal-eigh", "primal-tridiagonal", "primal-cholesky", "dual-eigh", "qr-svd" or
        "diagonal".
    status : Status
    loo_outputs : array of shape (n_rows, n_targets) or None
        Prediction of each row by the model without it.
    """

    coef: Any
    intercept: Any
    alpha: float
    dof: float
    loo_error: float
    criterion: str
    method: str
    status: Status = Status.OK
    loo_outputs: np.ndarray | None = None
    engine: Any = None
    _thin: Any = None

    def expand(self, basis):
        """Turn a solution for thin targets into one for ``thin @ basis``, in place.

        The rows of `basis` are orthonormal.
        """
        ops, self._thin = self.engine.ops, self.coef
        self.coef, self.intercept = ops.call(_products, basis, self.coef, self.intercept)
        if self.loo_outputs is not None:
            self.loo_outputs = self.loo_outputs @ basis

    def target_spread(self):
        """Root mean variance of the targets over their columns."""
        total = float(np.sum(to_numpy(self.engine.target_squares)))
        return (total / self.engine.weight / self.coef.shape[1]) ** 0.5

    def spread(self, weights):
        """Root mean variance of ``rows @ weights`` over the columns of `weights`."""
        return self._root_mean_variance(weights, weights.shape[1])

    def fitted_spread(self):
        """The same for ``rows @ coef``: an orthonormal basis keeps the sum of variances."""
        return self._root_mean_variance(
            self.coef if self._thin is None else self._thin, self.coef.shape[1]
        )

    def _root_mean_variance(self, weights, n_columns):
        return max(self.engine.variance(weights) / n_columns, 0.0) ** 0.5

    def report(self):
        """The scalars, for a history."""
        return {
            "alpha": self.alpha,
            "dof": self.dof,
            "loo_error": self.loo_error,
            "criterion": self.criterion,
            "method": self.method,
            "status": self.status.name,
        }
