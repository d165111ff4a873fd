"""Errors of rows left out: exactly, or with every leverage at its mean."""

import numpy as np
import scipy.sparse as sp

from ..memory import CACHE_BYTES, Memory
from .backends import to_numpy

# what leverage leaves of one where a row is met exactly, whatever its target
INTERPOLATED = 1e-8
# numbers of left-out outputs, over all alphas, beyond which they are computed again
KEPT_OUTPUTS = 5e6


def loo_errors(system, engine, alphas, keep):
    """Exact leave-one-out mean squared errors, and outputs of shape (alphas, rows, targets).

    Outputs are None unless they are to be kept and are few enough.
    """
    if engine.has_loo:
        return engine.loo(alphas)
    many = system.n_rows * system.n_targets * len(alphas) > KEPT_OUTPUTS
    keep = keep and (len(alphas) == 1 or not many)
    ops, errors, outputs, total = system.ops, 0.0, [], 0.0
    xp, share = ops.xp, engine.centred / engine.weight
    for rows, targets, weights in _pieces(system, len(alphas)):
        if sp.issparse(rows):
            rows = rows.toarray()
        centred = rows.astype(np.float64) - engine.mean
        fit = engine.project(centred, alphas)
        spare, residuals = ops.call(_left_out, *fit, targets, engine.target_mean, weights, share)
        if len(alphas) == 1 and alphas[0] == 0:
            alone = (spare < INTERPOLATED)[:, 0, None]
            if alone.any():
                residuals = xp.where(alone, engine.errors_without(centred), residuals[0])[None]
        errors = errors + np.asarray(ops.call(_squares, residuals, weights))
        total += len(targets) if weights is None else float(to_numpy(weights).sum())
        if keep:
            outputs.append(targets[None] - residuals)
    scale = total * system.n_targets
    return errors / scale, xp.concatenate(outputs, axis=1) if keep else None


def _left_out(ops, leverages, fitted, targets, target_mean, weights, share):
    """What a leverage leaves of one, (rows, alphas), and errors (alphas, rows, targets).

    `share` is what the intercept adds to each leverage.
    """
    copies = 1.0 if weights is None else ops.xp.minimum(weights, 1.0)[:, None]
    spare = 1 - copies * (leverages + share)
    deviation = targets - target_mean
    return spare, (deviation[None] - fitted) / ops.xp.maximum(spare, 1e-10).T[:, :, None]


def _squares(ops, residuals, weights):
    """Weighted sums over rows and targets, one for each alpha."""
    squares = (residuals**2).sum(axis=2)
    return squares.sum(axis=1) if weights is None else squares @ weights


def _pieces(system, n_alphas):
    """Chunks of a system, cut so that what all alphas make of their rows stays in the cache."""
    row_bytes = 8 * n_alphas * system.n_targets
    most = system.ops.chunk_bytes if system.ops.accelerated else CACHE_BYTES
    for chunk in system.chunks():
        for part in Memory().chunks(chunk[0].shape[0], row_bytes, most):
            yield [None if values is None else values[part] for values in chunk]


def gcv_errors(system, engine, alphas, keep):
    """Generalised cross-validation: the same with every leverage at its mean."""
    spare = np.array([_mean_spare(system, engine, alpha) for alpha in alphas])
    rss = np.array([engine.residual_squares(alpha) for alpha in alphas])
    return rss / (engine.weight * system.n_targets) / spare**2, None


def _mean_spare(system, engine, alpha):
    count = max(engine.weight, 1.0)
    return max(1 - (engine.dof(alpha) + engine.centred) / count, 1e-10)


def gcv_outputs(system, engine, solution):
    """Left-out predictions with every leverage at its mean: one pass of products."""
    spare = _mean_spare(system, engine, solution.alpha)
    outputs = []
    for rows, targets, _ in system.chunks():
        own = rows, targets, solution.coef, solution.intercept, spare
        outputs.append(system.ops.call(_gcv_left_out, *own))
    return system.ops.xp.concatenate(outputs)


def _gcv_left_out(ops, rows, targets, coef, intercept, spare):
    fitted = rows @ coef.astype(rows.dtype) + intercept
    return targets - (targets - fitted) / spare
