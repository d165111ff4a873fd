"""Leave-one-out: every row predicted by the model without it, exactly."""

import numpy as np
import scipy.sparse as sp

from ..memory import CACHE_BYTES, Memory
from .backends import to_numpy
from .threads import in_order

# what leverage leaves of one at the least: a row that is met exactly is not divided by zero
LEAST_SPARE = 1e-10


def loo_errors(system, factors, alphas):
    """Mean squared errors (n_alphas,) over rows and targets, each row left out in turn."""
    errors, total = 0.0, 0.0
    for weight, found in factors.each_left_out(system, alphas, _errors):
        errors, total = errors + found, total + weight
    return errors / (total * system.n_targets)


def predictions(system, factors, alpha):
    """Predictions (n_rows, n_targets) of each row by the model without it."""
    return system.ops.xp.concatenate(list(factors.each_left_out(system, [alpha], _outputs)))


def over_rows(factors, system, alphas, take):
    """``take(ops, targets, weights, residuals, spare)`` of all rows, piece by piece in order.

    Pieces are such that what all alphas make of their rows stays in the cache, but of as many
    rows as there are columns at the least: products of fewer take longer.
    """
    ops, row_bytes = system.ops, 8 * len(alphas) * system.n_targets
    cache = ops.chunk_bytes if ops.accelerated else CACHE_BYTES
    most = max(cache, row_bytes * system.n_features)
    each = in_order if ops.name == "numpy" else map

    def taken(chunk):
        rows, targets, weights = chunk
        rows = rows.toarray() if sp.issparse(rows) else rows
        chunk = ops.asarray(rows, np.float64), targets, weights
        return take(ops, targets, weights, *factors.left_out(chunk, alphas))

    for chunk in system.chunks():
        parts = Memory().chunks(
            chunk[0].shape[0], row_bytes, max(most, row_bytes * system.n_features)
        )
        pieces = [[None if one is None else one[part] for one in chunk] for part in parts]
        yield from each(taken, pieces)


def left_out(factors, chunk, alphas):
    """Residuals (n, n_targets, n_alphas), and what leverages leave of one (n, n_alphas).

    Row i left out has the error ``residuals[i] / spare[i]``; a weight of 3 is three copies, of
    which one is left out.
    """
    rows, targets, weights = chunk
    projected = factors.project(rows - factors.mean, alphas)
    own = (*projected, targets, factors.target_mean, weights)
    return factors.ops.call(_residuals, *own, factors.centred / factors.weight)


def _residuals(ops, leverages, fitted, targets, target_mean, weights, intercept):
    """`intercept` is what it adds to each leverage."""
    copies = 1.0 if weights is None else ops.xp.minimum(weights, 1.0)[:, None]
    spare = ops.xp.maximum(1 - copies * (leverages + intercept), LEAST_SPARE)
    return (targets - target_mean)[:, :, None] - fitted, spare


def _errors(ops, targets, weights, residuals, spare):
    """Sum of the weights, and weighted sums of squared errors, one for each alpha."""
    total = len(targets) if weights is None else float(to_numpy(weights).sum())
    return total, np.asarray(ops.call(_squares, weights, residuals, spare))


def _squares(ops, weights, residuals, spare):
    squares = (residuals**2).sum(axis=1) / spare**2
    return squares.sum(axis=0) if weights is None else weights @ squares


def _outputs(ops, targets, weights, residuals, spare):
    return ops.call(_predicted, targets, residuals, spare)


def _predicted(ops, targets, residuals, spare):
    return targets - residuals[:, :, 0] / spare
