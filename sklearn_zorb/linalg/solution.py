"""What a solver returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.utils import deprecated

from .backends import get_backend, is_jax, to_numpy

if TYPE_CHECKING:
    from ..typing import Array
    from .backends import Backend
    from .solvers import Factors


class Status(Enum):
    """Tell how a solve went; the value says what to do about it."""

    OK = "solved"
    FALLBACK = "matrix not positive definite at this alpha: solved by eigenvalues; raise alpha"
    RANK_DEFICIENT = "rank deficient: minimum-norm solution over the columns that are resolved"


@dataclass
class Solution:
    """Hold coefficients and what is known about them.

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
        "primal-eigh", "primal-cholesky", "dual-cholesky", "qr-svd" or "diagonal".
    status : Status
    left_out : array of shape (n_rows, n_targets) or None
        Prediction of each row by the model without it.
    spread : Spread or None
        What a layer needs that takes only a part of the way to the solution.
    """

    coef: Array
    intercept: Array
    alpha: float
    dof: float
    loo_error: float
    criterion: str
    method: str
    status: Status = Status.OK
    left_out: Array | None = None
    spread: Spread | None = None

    @deprecated(  # type: ignore[prop-decorator,untyped-decorator]
        "It is called left_out now; the old name will be removed in version 0.4."
    )
    @property
    def loo_outputs(self) -> Array | None:
        """The former name of `left_out`."""
        return self.left_out

    def expand(self, basis: Array) -> None:
        """Turn a solution for thin targets into one for ``thin @ basis``, in place.

        The rows of `basis` are orthonormal.
        """
        ops = get_backend("jax" if is_jax(self.coef) else "numpy")
        self.coef, self.intercept = ops.call(_products, basis, self.coef, self.intercept)
        if self.left_out is not None:
            self.left_out = self.left_out @ basis
        if self.spread is not None:
            # an orthonormal basis keeps the sum of variances
            share = (basis.shape[0] / basis.shape[1]) ** 0.5
            self.spread.fitted, self.spread.targets = (
                share * self.spread.fitted, share * self.spread.targets
            )  # fmt: skip

    def on_host(self) -> Self:
        """Copy the solution into arrays of NumPy."""
        spread = self.spread and replace(self.spread, mean=to_numpy(self.spread.mean))
        coef, intercept, left_out = map(to_numpy, (self.coef, self.intercept, self.left_out))
        return replace(self, coef=coef, intercept=intercept, left_out=left_out, spread=spread)

    def report(self) -> dict[str, float | str]:
        """Give the scalars, for a history."""
        return {
            "alpha": self.alpha,
            "dof": self.dof,
            "loo_error": self.loo_error,
            "criterion": self.criterion,
            "method": self.method,
            "status": self.status.name,
        }


@dataclass
class Spread:
    """Root mean variances over columns of what is linear in the rows, and the mean row.

    Attributes
    ----------
    mean : array of shape (n_features,)
    initial : float
        Of ``rows @ initial`` for the weights that were given.
    fitted : float
        Of ``rows @ coef``.
    targets : float
    """

    mean: Array
    initial: float
    fitted: float
    targets: float


def spread_of(factors: Factors, coef: Array, initial: Array) -> Spread:
    """The `Spread` of the rows behind `factors`, of coefficients and of initial weights."""

    def root_mean(total: float, n_columns: int) -> float:
        return (max(total, 0.0) / n_columns) ** 0.5

    targets = float(np.sum(to_numpy(factors.target_squares))) / factors.weight
    return Spread(
        mean=factors.mean,
        initial=root_mean(factors.variance(initial), initial.shape[1]),
        fitted=root_mean(factors.variance(coef), coef.shape[1]),
        targets=root_mean(targets, coef.shape[1]),
    )


def _products(ops: Backend, right: Array, *lefts: Array) -> tuple[Array, ...]:
    return tuple(left @ right for left in lefts)
