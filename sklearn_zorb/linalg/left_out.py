"""Leave-one-out: every row predicted by the model without it, exactly."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..memory import CACHE_BYTES, Memory
from .backends import to_numpy
from .threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..typing import Array, Result
    from .backends import Backend
    from .solvers import Factors
    from .system import Chunk, System

# least value of 1 - leverage: a row that is fitted exactly is not divided by zero
LEAST_SPARE = 1e-10
# numbers of residuals, of all penalties, that are kept: to make them again takes a second pass
KEPT = 5e6


class LeftOut:
    """The rows of a system, each left out in turn.

    Parameters
    ----------
    system : System
    factors : Factors
        Of this system, or of one that its rows are part of.
    keep : bool, default=False
        Whether predictions will be asked for: what errors took is then kept, where it is little.
    """

    def __init__(self, system: System, factors: Factors, keep: bool = False) -> None:
        self.system, self.factors, self._keep = system, factors, keep
        self._kept: tuple[Sequence[float], list[Any]] = ((), [])

    def errors(self, alphas: np.ndarray) -> np.ndarray:
        """Mean squared errors (n_alphas,) over rows and targets."""
        count = self.system.n_rows * self.system.n_targets
        keep = self._keep and self.system.here and count * len(alphas) <= KEPT
        of_all = partial(_errors, self.factors, alphas, keep)
        errors, total, pieces = self.system.total(of_all, _joined_errors)
        self._kept = (list(alphas) if keep else (), pieces)
        return errors / (total * self.system.n_targets)

    def predictions(self, alpha: float) -> Array:
        """Predictions (n_rows, n_targets) of each row by the model without it."""
        alphas, pieces = self._kept
        if alpha in alphas:
            return _predictions(self.system, pieces, alphas.index(alpha))
        return self.system.table(partial(_all_predictions, self.factors, alpha))


def _errors(
    factors: Factors, alphas: np.ndarray, keep: bool, system: System
) -> tuple[Any, float, list[Any]]:
    """Sums of squared errors, of weights, and what they were made of where that is kept."""
    pieces: list[Any] = []
    errors, total = np.zeros(len(alphas)), 0.0
    for weight, found, piece in factors.each_left_out(system, alphas, _measured):
        errors, total = errors + found, total + weight
        if keep:
            pieces.append(piece)
    return errors, total, pieces


def _joined_errors(one: Any, other: Any) -> tuple[Any, float, list[Any]]:
    return one[0] + other[0], one[1] + other[1], []


def _all_predictions(factors: Factors, alpha: float, system: System) -> Array:
    pieces = [piece for _, _, piece in factors.each_left_out(system, [alpha], _measured)]
    return _predictions(system, pieces, 0)


def _predictions(system: System, pieces: list[Any], place: int) -> Array:
    return system.ops.xp.concatenate([
        targets - residuals[:, :, place] / spare[:, place, None]
        for targets, residuals, spare in pieces
    ])  # fmt: skip


def over_rows(
    factors: Factors, system: System, alphas: Any, take: Callable[..., Result]
) -> Iterator[Result]:
    """``take(ops, targets, weights, residuals, spare)`` of all rows, piece by piece in order.

    Pieces are so small that the results of all alphas stay in the cache, but have at least as many
    rows as there are columns: smaller products take longer.
    """
    ops, row_bytes = system.ops, 8 * len(alphas) * system.n_targets
    cache = ops.chunk_bytes if ops.accelerated else CACHE_BYTES
    most = max(cache, row_bytes * system.n_features)
    each = in_order if ops.name == "numpy" else map

    def taken(chunk: Chunk) -> Result:
        rows, targets, weights = chunk
        rows = rows.toarray() if sp.issparse(rows) else rows
        chunk = ops.asarray(rows, np.float64), targets, weights
        return take(ops, targets, weights, *factors.left_out(chunk, alphas))

    for chunk in system.chunks():
        parts = Memory().chunks(chunk[0].shape[0], row_bytes, most)
        pieces: list[Any] = [
            [None if one is None else one[part] for one in chunk] for part in parts
        ]
        yield from each(taken, pieces)


def left_out(factors: Factors, chunk: Chunk, alphas: Any) -> tuple[Array, Array]:
    """Residuals (n, n_targets, n_alphas), and 1 - leverage of each (n, n_alphas).

    Row i left out has the error ``residuals[i] / spare[i]``; a weight of 3 is three copies, of
    which one is left out.
    """
    rows, targets, weights = chunk
    projected = factors.project(rows - factors.mean, alphas)
    tables = (*projected, targets, factors.target_mean, weights)
    return factors.ops.call(_residuals, *tables, factors.centred / factors.weight)


def _residuals(
    ops: Backend,
    leverages: Array,
    fitted: Array,
    targets: Array,
    target_mean: Array,
    weights: Array | None,
    intercept: float,
) -> tuple[Array, Array]:
    """`intercept` is what it adds to each leverage."""
    copies = 1.0 if weights is None else ops.xp.minimum(weights, 1.0)[:, None]
    spare = ops.xp.maximum(1 - copies * (leverages + intercept), LEAST_SPARE)
    return (targets - target_mean)[:, :, None] - fitted, spare


def _measured(
    ops: Backend, targets: Array, weights: Array | None, residuals: Array, spare: Array
) -> tuple[float, np.ndarray, tuple[Array, Array, Array]]:
    """Sum of the weights, weighted sums of squared errors, and what they were made of."""
    total = len(targets) if weights is None else float(to_numpy(weights).sum())
    found = np.asarray(ops.call(_squares, weights, residuals, spare))
    return total, found, (targets, residuals, spare)


def _squares(ops: Backend, weights: Array | None, residuals: Array, spare: Array) -> Array:
    squares = (residuals**2).sum(axis=1) / spare**2
    return squares.sum(axis=0) if weights is None else weights @ squares
