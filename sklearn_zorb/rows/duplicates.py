"""Distinct rows, and what is summed over their copies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..linalg import to_numpy
from .remote import store_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..memory import Memory
    from . import Targets


def row_keys(inputs: Any, memory: Memory, seed: int = 0) -> np.ndarray:
    """One number for each row, equal for equal rows: a hash of what it holds.

    It is linear over the columns, :math:`\\sum_j a_j u_j` modulo 2^64 with random odd
    :math:`a_j` and :math:`u_j` the bits of entry j folded together, so that sparse rows need
    their own entries only. Distinct rows collide with a probability of some n² / 2^50. The
    order of the keys does not depend on the order of the rows, nor on how often each of them
    comes.
    """
    factors = np.random.default_rng(seed).integers(2**63, size=inputs.shape[1], dtype=np.uint64)
    factors = 2 * factors + 1
    keys = np.empty(inputs.shape[0], dtype=np.uint64)
    # chunks of about a megabyte, so that they stay in the cache
    for part in memory.chunks(inputs.shape[0], 512 * inputs.shape[1]):
        rows = inputs[part]
        if hasattr(rows, "tocsr"):
            bits = rows.tocsr().copy()
            bits.data = _bits(bits.data)
            keys[part] = bits @ factors
        else:
            keys[part] = _bits(np.asarray(rows)) @ factors
    return keys


def _along_a_line(
    inputs: Any, memory: Memory, units: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """Products of all rows with one random vector, each column in its unit if there are `units`."""
    direction = np.random.default_rng(0).normal(size=inputs.shape[1])
    parts = memory.chunks(inputs.shape[0], 16 * inputs.shape[1])
    read = partial(_in_units, *units) if units else to_numpy
    return np.concatenate([read(inputs[part]) @ direction for part in parts])


def _in_units(low: np.ndarray, width: np.ndarray, rows: Any) -> Any:
    return rows.multiply(1 / width).tocsr() if sp.issparse(rows) else (rows - low) / width


def _bits(values: np.ndarray) -> np.ndarray:
    """The bits of floating-point numbers, high ones, which differ most, also at the low end."""
    bits = np.add(values, 0.0, dtype=np.float64).view(np.uint64)  # -0 becomes 0
    bits ^= bits >> np.uint64(32)
    bits ^= bits >> np.uint64(20)
    return bits


def count_distinct(inputs: Any, memory: Memory) -> int:
    """Number of distinct rows; of all rows where they lie elsewhere, as copies may lie apart."""
    if store_of(inputs) is not None:
        return len(inputs)
    return len(np.unique(row_keys(inputs, memory)))


def merge_copies(
    X: Any, y: np.ndarray, sample_weight: np.ndarray | None, memory: Memory
) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Distinct pairs of row and target, with what their copies weigh together.

    Their order depends on what they hold only, and not on the units of columns. What is drawn
    from them by position, such as bootstrap samples and folds, is thus a function of the
    weighted set of rows: a weight of 3 is three copies exactly.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    memory : Memory

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_distinct, n_features)
    y : ndarray of shape (n_distinct,) or (n_distinct, n_outputs)
    sample_weight : ndarray of shape (n_distinct,) or None
        None where all weigh one.
    """
    X = X.tocsr() if hasattr(X, "tocsr") else X
    columns = y.reshape(len(y), -1).T
    codes = [np.unique(column, return_inverse=True)[1] for column in columns]
    of_targets = row_keys(np.stack(codes, axis=1), memory, seed=1)
    keys = row_keys(X, memory) + of_targets
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    order = np.lexsort((of_targets[first], _along_a_line(X, memory, _units(X, memory))[first]))
    first, weight = first[order], np.bincount(groups, sample_weight)[order].astype(np.float64)
    return X[first], y[first], None if (weight == 1).all() else weight


def _units(X: Any, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
    """Where each column begins, and how far it goes: that of sparse rows begins at zero."""
    if sp.issparse(X):
        low, width = np.zeros(X.shape[1]), abs(X).max(axis=0).toarray().ravel()
    else:
        parts = memory.chunks(X.shape[0], 16 * X.shape[1])
        low = np.min([X[part].min(axis=0) for part in parts], axis=0)
        width = np.max([X[part].max(axis=0) for part in parts], axis=0) - low.astype(np.float64)
    normal = np.finfo(np.float64).tiny
    return low.astype(np.float64), np.where(width > normal, width, 1.0)


@dataclass
class Groups:
    """Distinct rows and what least squares needs to know of their copies.

    Attributes
    ----------
    first : ndarray of int of shape (n_groups,)
        A row of each group.
    weight : ndarray of shape (n_groups,)
        Sum of the weights.
    share : ndarray of shape (n_groups,)
        What part of its group one row left out takes away.
    mean : ndarray of shape (n_groups, n_targets)
        Weighted mean target.
    scatter : ndarray of shape (n_groups,)
        Weighted squared distance of the targets to their mean, summed over targets.
    """

    first: np.ndarray
    weight: np.ndarray
    share: np.ndarray
    mean: np.ndarray
    scatter: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def take(self, chosen: np.ndarray) -> Groups:
        """Some of the groups."""
        return Groups(*(value[chosen] for value in vars(self).values()))


def group_rows(
    inputs: Any, targets: Targets | ArrayLike, sample_weight: np.ndarray | None, memory: Memory
) -> Groups:
    """The groups of equal rows, in an order that does not depend on that of the rows.

    They are sorted along a line, so that it does not depend on rounding either, such as that
    of the means of a scaler before.
    """
    _, first, codes = np.unique(row_keys(inputs, memory), return_index=True, return_inverse=True)
    order = np.argsort(_along_a_line(inputs, memory)[first])
    first, place = first[order], np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    codes = place[codes]
    targets = np.asarray(targets, dtype=np.float64)
    targets = targets.reshape(len(targets), -1)
    sample_weight = np.ones(len(codes)) if sample_weight is None else sample_weight
    weight = np.bincount(codes, sample_weight)
    sums = [np.bincount(codes, sample_weight * column) for column in targets.T]
    mean = np.stack(sums, axis=1) / weight[:, None]
    squares = ((targets - mean[codes]) ** 2).sum(axis=1)
    return Groups(
        first=first,
        weight=weight,
        share=np.minimum(weight, 1.0) / weight,
        mean=mean,
        scatter=np.bincount(codes, sample_weight * squares),
    )
