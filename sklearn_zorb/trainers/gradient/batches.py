"""Rows in batches of one shape, so that nothing is compiled twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike

    from ...rows import Targets
    from ...typing import Int, Shape

BLOCK_BYTES = 256e6
FULL_BATCH_ROWS = 1000
MINI_BATCH_ROWS = 128


def bucket(n: int) -> int:
    """`n` rounded up to one of eight sizes an octave: folds of 99 to 101 rows share one.

    Examples
    --------
    >>> from sklearn_zorb.trainers.gradient.batches import bucket
    >>> [bucket(n) for n in (3, 99, 101, 1000)]
    [16, 104, 104, 1024]
    """
    step = 8 if n <= 128 else 1 << (int(n).bit_length() - 4)
    return max(16, -(-n // step) * step)


class Batches:
    """Shuffled batches of rows, padded to one shape by rows of weight zero.

    Blocks of many batches go to the device at once; one compiled loop runs over a block.

    Parameters
    ----------
    inputs : array, sparse matrix or Rows of shape (n_samples, ...)
    targets : Targets of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    batch_size : int or "auto"
        "auto" is all rows up to 1000, else 128.
    dtype : numpy.dtype
    limit : float, default=infinity
        Bytes, of which a block takes an eighth at most.
    """

    def __init__(
        self,
        inputs: Any,
        targets: Targets,
        sample_weight: np.ndarray | None,
        batch_size: Int | str,
        dtype: DTypeLike,
        limit: float = np.inf,
    ) -> None:
        self.inputs, self.targets, self.dtype = inputs, targets, np.dtype(dtype)
        self.n_rows = inputs.shape[0]
        weights = np.ones(self.n_rows) if sample_weight is None else sample_weight
        self.weights = weights * (self.n_rows / weights.sum())
        if batch_size == "auto":
            batch_size = self.n_rows if self.n_rows <= FULL_BATCH_ROWS else MINI_BATCH_ROWS
        self.rows_per_batch = min(int(batch_size), self.n_rows)
        self.full = self.rows_per_batch == self.n_rows
        self.batch_rows = bucket(self.n_rows) if self.full else self.rows_per_batch
        self.n_batches = -(-self.n_rows // self.rows_per_batch)
        self._plan(min(BLOCK_BYTES, limit / 8))
        self._kept: Any = None

    def _plan(self, block_bytes: float) -> None:
        """How many batches a block holds: all of them if they are small."""
        row_bytes = self.dtype.itemsize * math.prod(self.inputs.shape[1:])
        fitting = max(1, int(block_bytes // (row_bytes * self.batch_rows)))
        self.n_blocks = -(-self.n_batches // fitting)
        per_block = -(-self.n_batches // self.n_blocks)
        self.block_batches = per_block if self.n_blocks > 1 or self.full else _loose(per_block)

    def blocks(
        self, rng: np.random.Generator | None
    ) -> Iterator[tuple[tuple[np.ndarray, ...], int]]:
        """One epoch: (inputs, targets, weights) of shape (batches, rows, ...), and how many.

        Weights sum to one over each unweighted batch: the loss of a batch is their product
        with the losses of its rows.
        """
        if self.full:
            if self._kept is None:
                self._kept = self._block(np.arange(self.n_rows))
            yield self._kept
            return
        order = np.arange(self.n_rows) if rng is None else rng.permutation(self.n_rows)
        step = -(-self.n_batches // self.n_blocks) * self.rows_per_batch
        for start in range(0, self.n_rows, step):
            yield self._block(order[start : start + step])

    def shares(self) -> list[float]:
        """Share of all rows that each batch holds."""
        starts = np.arange(self.n_batches) * self.rows_per_batch
        return (np.minimum(self.rows_per_batch, self.n_rows - starts) / self.n_rows).tolist()

    def _block(self, order: np.ndarray) -> tuple[tuple[np.ndarray, ...], int]:
        size, rows = self.rows_per_batch, self.batch_rows
        count = -(-len(order) // size)
        lengths = np.full(count, size)
        lengths[-1] = len(order) - size * (count - 1)
        x, t, w = (self._take(table, order) for table in (self.inputs, self.targets, self.weights))
        w = w / np.repeat(lengths, lengths)
        shape = (self.block_batches, rows)
        return tuple(_pad(a.astype(self.dtype, copy=False), shape) for a in (x, t, w)), count

    def _take(self, table: Any, order: np.ndarray) -> np.ndarray:
        whole = len(order) == self.n_rows and self.full
        rows = table[:] if whole and not sp.issparse(table) else table[order]
        return rows.toarray() if sp.issparse(rows) else np.asarray(rows)


def _loose(n: int) -> int:
    """A number of batches, rounded up so that neighbours share a compiled program."""
    step = max(1, 1 << (int(n).bit_length() - 4)) if n >= 8 else 1
    return -(-n // step) * step


def _pad(array: np.ndarray, shape: Shape) -> np.ndarray:
    """Rows in batches of `shape`; zeros behind them."""
    padded = np.zeros((shape[0] * shape[1], *array.shape[1:]), dtype=array.dtype)
    padded[: len(array)] = array
    return padded.reshape(*shape, *array.shape[1:])
