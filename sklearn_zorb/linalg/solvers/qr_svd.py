"""Singular values of the rows themselves: what a Gram matrix, which squares them, would lose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import scipy.sparse as sp

from ..backends import to_numpy
from .eigen import Eigen

if TYPE_CHECKING:
    from ...typing import Float
    from ..system import System


class QrSvd(Eigen):
    """`Eigen` by a streamed QR of the centred rows and the SVD of R.

    Keeps singular values down to machine precision.
    """

    @classmethod
    def prepare(cls, system: System, rcond: Float = 0.0) -> Self:
        ops, xp, n_features = system.ops, system.ops.xp, system.n_features
        sums: Any = _means(system)
        triangle: Any = None
        for rows, targets, weights in system.chunks():
            rows = rows.toarray() if sp.issparse(rows) else rows
            block = xp.concatenate([rows - sums.mean, targets - sums.target_mean], axis=1)
            if weights is not None:
                block = block * xp.sqrt(weights)[:, None]
            sums.target_squares = sums.target_squares + (block[:, n_features:] ** 2).sum(axis=0)
            stacked = block if triangle is None else xp.concatenate([triangle, block])
            triangle = ops.triangle(stacked)
        left, singular, right = ops.svd(triangle[:, :n_features])
        projected = singular[:, None] * (left.T @ triangle[:, n_features:])
        return cls(ops, sums, singular**2, right.T, projected, "qr-svd", rcond)


def _means(system: System) -> SimpleNamespace:
    """Sum of the weights and means, of zero where rows are not to be centred."""
    total = 0.0
    mean: Any = 0.0
    target_mean: Any = 0.0
    for rows, targets, weights in system.chunks():
        weights = system.ops.xp.ones(len(targets)) if weights is None else weights
        total += float(weights.sum())
        if sp.issparse(rows):
            mean = mean + rows.T @ to_numpy(weights)
        else:
            mean = mean + weights @ rows.astype(np.float64)
        target_mean = target_mean + weights @ targets
    scale = system.fit_intercept / total
    return SimpleNamespace(
        weight=total, centre=system.fit_intercept, mean=mean * scale,
        target_mean=target_mean * scale, target_squares=0.0,
    )  # fmt: skip
