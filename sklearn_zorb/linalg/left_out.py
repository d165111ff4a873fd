"""Errors of rows left out: exactly, or with every leverage at its mean."""

from functools import partial

import numpy as np
import scipy.sparse as sp

from ..memory import Memory
from .backends import to_numpy
from .threads import in_order

# what leverage leaves of one where a row is met exactly, whatever its target
INTERPOLATED = 1e-8
# bytes of the residuals of all alphas, one of several arrays of that size: larger ones are handed
# fresh memory for each piece, which takes several times as long as the arithmetic
PIECE_BYTES = 5e5
# numbers of left-out outputs, over all alphas, beyond which they are computed again
KEPT_OUTPUTS = 5e6


def loo_errors(system, engine, alphas, keep):
    """Exact leave-one-out mean squared errors, and what gives outputs (rows, targets) of each.

    The latter is None unless outputs are to be kept and are few enough.
    """
    if engine.has_loo:
        return engine.loo(alphas)
    many = system.n_rows * system.n_targets * len(alphas) > KEPT_OUTPUTS
    keep = keep and (len(alphas) == 1 or not many)
    errors, kept, total = 0.0, [], 0.0
    for targets, weights, residuals, spare, found in _each_piece(system, engine, alphas):
        errors = errors + found
        total += len(targets) if weights is None else float(to_numpy(weights).sum())
        if keep:
            kept.append((targets, residuals, spare))
    return errors / (total * system.n_targets), LeftOut(kept, system.ops.xp) if keep else None


class LeftOut:
    """Predictions of rows by the model without them, computed for the alpha that is asked for.

    Parameters
    ----------
    pieces : list of (targets, residuals, spare)
        Of shape (rows, targets), (rows, targets, alphas) and (rows, alphas).
    xp : module
        Array namespace.
    """

    def __init__(self, pieces, xp):
        self._pieces, self._xp = pieces, xp

    def __getitem__(self, alpha):
        return self._xp.concatenate([
            targets - residuals[:, :, alpha] / spare[:, alpha, None]
            for targets, residuals, spare in self._pieces
        ])  # fmt: skip


def _each_piece(system, engine, alphas):
    """`_left_out` of chunks, cut so that what all alphas make of their rows stays in the cache.

    As many rows as there are columns at the least: products of fewer take longer.
    """
    row_bytes, ops = 8 * len(alphas) * system.n_targets, system.ops
    most = max(PIECE_BYTES, row_bytes * system.n_features)
    most = ops.chunk_bytes if ops.accelerated else most
    # JAX has threads of its own, and so has the library that a factor of one alpha is left to
    each = in_order if ops.name == "numpy" and engine.sweeps else map
    for chunk in system.chunks():
        parts = Memory().chunks(chunk[0].shape[0], row_bytes, most)
        pieces = [[None if one is None else one[part] for one in chunk] for part in parts]
        yield from each(partial(_left_out, ops, engine, alphas), pieces)


def _left_out(ops, engine, alphas, piece):
    """Targets and weights of a piece, its residuals and spare leverages, and summed errors."""
    rows, targets, weights = piece
    if sp.issparse(rows):
        rows = rows.toarray()
    centred = ops.asarray(rows, np.float64) - engine.mean
    own = (*engine.project(centred, alphas), targets, engine.target_mean, weights)
    residuals, spare, found = ops.call(_residuals, *own, engine.centred / engine.weight)
    if len(alphas) == 1 and alphas[0] == 0:
        alone = spare < INTERPOLATED
        if alone.any():
            without = engine.errors_without(centred, weights)[:, :, None]
            residuals = ops.xp.where(alone[:, None], without, residuals)
            spare = ops.xp.where(alone, 1.0, spare)
            found = ops.call(_errors, residuals, spare, weights)
    return targets, weights, residuals, spare, np.asarray(found)


def _residuals(ops, leverages, fitted, targets, target_mean, weights, share):
    """Residuals (rows, targets, alphas), what leverages leave of one, and summed errors.

    `share` is what the intercept adds to each leverage.
    """
    copies = 1.0 if weights is None else ops.xp.minimum(weights, 1.0)[:, None]
    spare = ops.xp.maximum(1 - copies * (leverages + share), 1e-10)
    residuals = (targets - target_mean)[:, :, None] - fitted
    return residuals, spare, _errors(ops, residuals, spare, weights)


def _errors(ops, residuals, spare, weights):
    """Weighted sums of squared left-out errors, one for each alpha."""
    squares = (residuals**2).sum(axis=1) / spare**2
    return squares.sum(axis=0) if weights is None else weights @ squares


def gcv_errors(system, engine, alphas, keep, count=None):
    """Generalised cross-validation: the same with every leverage at its mean.

    `count` is how many rows there are to be left out: copies count each, and rows that weigh
    less than one are left out whole.
    """
    spare = np.array([_mean_spare(system, engine, alpha, count) for alpha in alphas])
    rss = np.array([engine.residual_squares(alpha) for alpha in alphas])
    return rss / (engine.weight * system.n_targets) / spare**2, None


def _mean_spare(system, engine, alpha, count=None):
    count = count or max(engine.weight, system.n_rows)
    return max(1 - (engine.dof(alpha) + engine.centred) / count, 1e-10)


def gcv_outputs(system, engine, solution):
    """Left-out predictions with every leverage at its mean: one pass of products."""
    spare, ops = _mean_spare(system, engine, solution.alpha), system.ops

    def outputs(part):
        rows, targets, _ = system.chunk(part)
        own = rows, targets, solution.coef, solution.intercept, spare
        return ops.call(_gcv_left_out, *own)

    each = in_order if ops.name == "numpy" else map
    return ops.xp.concatenate(list(each(outputs, system.parts)))


def _gcv_left_out(ops, rows, targets, coef, intercept, spare):
    fitted = rows @ coef.astype(rows.dtype) + intercept
    return targets - (targets - fitted) / spare
