"""Generalised cross-validation: rows left out, with every leverage at its mean."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .threads import in_order

if TYPE_CHECKING:
    from ..typing import Array
    from .backends import Backend
    from .gram import Gram
    from .solution import Solution
    from .solvers import Factors
    from .system import System


def gcv_errors(
    system: System | Gram, factors: Factors, alphas: np.ndarray, count: float | None = None
) -> np.ndarray:
    """Mean squared errors (n_alphas,) over rows and targets.

    `count` is how many rows there are to be left out: copies count each, and rows that weigh
    less than one are left out whole.
    """
    spare = np.array([_mean_spare(system, factors, alpha, count) for alpha in alphas])
    squares = np.array([factors.residual_squares(alpha) for alpha in alphas])
    return squares / (factors.weight * system.n_targets) / spare**2


def gcv_predictions(system: System, factors: Factors, solution: Solution) -> Array:
    """Left-out predictions (n_rows, n_targets): one pass of products."""
    spare = _mean_spare(system, factors, solution.alpha)
    return system.table(partial(_predictions, solution.coef, solution.intercept, spare))


def _predictions(coef: Array, intercept: Array, spare: float, system: System) -> Array:
    ops = system.ops

    def outputs(part: Any) -> Array:
        rows, targets, _ = system.chunk(part)
        return ops.call(_left_out, rows, targets, coef, intercept, spare)

    each = in_order if ops.name == "numpy" else map
    return ops.xp.concatenate(list(each(outputs, system.parts)))


def _mean_spare(
    system: System | Gram, factors: Factors, alpha: float, count: float | None = None
) -> float:
    """One less the mean leverage, that of the intercept included."""
    count = count or max(factors.weight, system.n_rows)
    return max(1 - (factors.dof(alpha) + factors.centred) / count, 1e-10)


def _left_out(
    ops: Backend, rows: Array, targets: Array, coef: Array, intercept: Array, spare: float
) -> Array:
    fitted = rows @ coef.astype(rows.dtype) + intercept
    return targets - (targets - fitted) / spare
