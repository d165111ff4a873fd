"""Distinct rows, and targets summed over their copies."""

from dataclasses import dataclass

import numpy as np


def row_keys(inputs, memory):
    """One number for each row, equal for equal rows: its product with a fixed direction.

    Distinct rows collide with a probability of about n² / 2^53. The order of the keys does
    not depend on the order of the rows, nor on how often each of them comes.
    """
    direction = np.random.default_rng(0).normal(size=inputs.shape[1])
    keys = np.empty(inputs.shape[0])
    for part in memory.chunks(inputs.shape[0], 16 * inputs.shape[1]):
        rows = inputs[part]
        if hasattr(rows, "tocsr"):
            keys[part] = rows @ direction
        else:
            # not a BLAS product, whose rounding can differ between equal rows
            keys[part] = (np.asarray(rows, dtype=np.float64) * direction).sum(axis=1)
    return keys


def count_distinct(inputs, memory):
    """Number of distinct rows."""
    return len(np.unique(row_keys(inputs, memory)))


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

    def __len__(self):
        return len(self.first)

    def take(self, chosen):
        """Some of the groups."""
        return Groups(*(value[chosen] for value in vars(self).values()))


def group_rows(inputs, targets, sample_weight, memory):
    """The groups of equal rows, in an order that does not depend on that of the rows."""
    _, first, codes = np.unique(row_keys(inputs, memory), return_index=True, return_inverse=True)
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
