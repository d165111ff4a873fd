"""By what a penalty is chosen: rows left out, some of them, or generalised cross-validation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .gcv import gcv_errors
from .left_out import LeftOut

if TYPE_CHECKING:
    from .penalties import Score
    from .system import System

# flops beyond which leave-one-out over all rows gives way to that of some, or to GCV
EXACT_FLOPS = 5e10
# rows for each column from which on leverages differ little, so that their mean, GCV, will do
# where leave-one-out takes more than such a part of those flops
ROWS_PER_COLUMN = {10: 1 / 10, 50: 1 / 50}
# flops that take as long as the left-out error of one row, target and alpha, at the least
ERROR_FLOPS = 200
# flops of one product of all rows with all columns beyond which no second one is made
ONE_PASS_FLOPS = 5e11
# rows that are left out in turn where all of them are too many
SAMPLED_ROWS = 500
# by what share leave-one-out may rise while GCV falls
SLACK = 0.05


def criterion(system: System, flops: float, n_alphas: int) -> str:
    """The best one that the work repays: "loo", "sampled-loo" or "gcv".

    Rows that a feature was made of, such as landmarks, have leverages far above the mean: GCV
    is far off there, unless rows are many.

    Parameters
    ----------
    system : System
    flops : float
        Cost of leaving out every row, by the solver; 0 where errors come with the solution.
    n_alphas : int
    """
    if flops == 0:
        return "loo"
    n_rows, width = system.n_rows, system.n_features
    parts = [part for each, part in ROWS_PER_COLUMN.items() if n_rows >= each * width]
    flops += ERROR_FLOPS * n_rows * system.n_targets * n_alphas
    if flops <= EXACT_FLOPS * min(parts, default=1):
        return "loo"
    dear = n_rows * width**2 > ONE_PASS_FLOPS
    return "gcv" if parts or dear else "sampled-loo"


def choose(
    by: str, rows: LeftOut, alphas: np.ndarray, judges: System | None = None
) -> tuple[float, float]:
    """The penalty of least error by a criterion, and its error.

    Parameters
    ----------
    by : {"loo", "sampled-loo", "gcv"}
    rows : LeftOut
        Of the whole system.
    alphas : ndarray of shape (n_alphas,)
        In increasing order.
    judges : System or None, default=None
        Rows that are left out in place of all.
    """
    system, factors = rows.system, rows.factors
    gcv = partial(gcv_errors, system, factors)
    if by == "gcv":
        best, errors = factors.best(gcv, alphas)
        return float(alphas[best]), errors[best]
    if by == "sampled-loo":
        judges = system.sample(SAMPLED_ROWS)
    score = (rows if judges is None else LeftOut(judges, factors)).errors
    best, errors = factors.best(score, alphas)
    if by == "sampled-loo":
        best = descend(score, gcv, alphas, errors, best)
    return float(alphas[best]), errors[best]


def descend(score: Score, other: Score, alphas: np.ndarray, errors: np.ndarray, best: int) -> int:
    """From the best alpha on to smaller ones that are hardly worse, as long as `other` falls.

    `errors` holds the scores of alphas tried, infinite for others, and takes up new ones.

    A row that is a landmark has a feature that no other row fills. The smaller alpha is, the larger
    its left-out error, which says nothing of new rows: leave-one-out then asks for too large an
    alpha.
    """
    most = errors[best] * (1 + SLACK)
    error = other(alphas[best : best + 1])[0]
    while best > 0:
        below = alphas[best - 1 : best]
        if np.isinf(errors[best - 1]):
            errors[best - 1] = score(below)[0]
        if errors[best - 1] > most or not (next_error := other(below)[0]) < error:
            break
        best, error = best - 1, next_error
    return best
