"""Tables of targets: distinct rows stored once, rows below a layer computed when they are read."""

from __future__ import annotations

import math
from functools import reduce
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import lapack

from ..linalg import is_jax
from ..memory import CACHE_BYTES, Memory
from .remote import here, store_of, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import DTypeLike

    from ..typing import Array
    from .remote import Block, Remote, Store


class Targets:
    """Target rows, with repeated ones stored once.

    Parameters
    ----------
    values : array of shape (n_distinct, ...)
    codes : ndarray of int of shape (n_samples,) or None
        Row i of the table is ``values[codes[i]]``; None where every row is its own.
    steps : tuple of callable
        Functions of rows that are applied, in order, to what is read of `values`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.rows import Targets
    >>> table = Targets(np.eye(2), codes=np.array([0, 1, 1]))
    >>> table.shape, table[1:].tolist()
    ((3, 2), [[0.0, 1.0], [0.0, 1.0]])
    >>> table.through(lambda rows: rows + 1).distinct().tolist()
    [[2.0, 1.0], [1.0, 2.0]]
    """

    def __init__(
        self,
        values: Any,
        codes: np.ndarray | None = None,
        steps: tuple[Callable[[Any], Any], ...] = (),
    ) -> None:
        self.values, self.codes, self.steps = values, codes, steps
        example = values if not steps else self._stepped(values[:1])
        self.shape = (len(values if codes is None else codes), *example.shape[1:])
        self._itemsize = example.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def store(self) -> Store | None:
        """Where the rows lie; None where they are here."""
        return store_of(self.values, self.codes)

    def remotes(self) -> Iterator[Remote]:
        """The tables that blocks of a store must have."""
        tables: Any = (self.values, self.codes)
        for table in tables:
            if hasattr(table, "remotes"):
                yield from table.remotes()

    def at(self, block: Block) -> Targets:
        """Those of the rows that lie in a block of a store."""
        return Targets(here(self.values, block), here(self.codes, block), self.steps)

    def __getitem__(self, part: Any) -> Any:
        rows = self.values[part if self.codes is None else self.codes[part]]
        return self._stepped(rows) if self.steps else rows

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self[:], dtype=dtype) if copy else np.asarray(self[:], dtype=dtype)

    def _stepped(self, rows: Any) -> Any:
        for step in self.steps:
            rows = step(rows)
        return rows

    def distinct(self) -> Any:
        """The rows that are stored, as one array."""
        return self._stepped(self.values[:]) if self.steps else self.values

    def chunks(self, memory: Memory) -> Iterable[Any]:
        """The same in pieces that stay in the cache, or rows of the same range of each column."""
        if store_of(self.values) is not None:
            return [total(_ends, _joined_ends, self)]
        if is_jax(self.values):
            return [self.distinct()]
        row_bytes = self._itemsize * math.prod(self.shape[1:])
        parts = memory.chunks(len(self.values), row_bytes, CACHE_BYTES)
        return (self._stepped(self.values[part]) for part in parts)

    def take(self, places: Any) -> Targets:
        """Some of the rows, at hand; of distinct ones that are here, repeated as they are."""
        if self.codes is None or store_of(self.values) is not None:
            return Targets(self[places])
        return Targets(self.values, self.codes[places], self.steps)

    def with_values(self, values: Any) -> Targets:
        """The same repetition of other rows."""
        return Targets(values, self.codes)

    def through(self, function: Callable[[Any], Any]) -> Targets:
        """What `function` makes of these rows, not yet computed."""
        return Targets(self.values, self.codes, (*self.steps, function))

    def columns(self, which: slice) -> Targets:
        """Some columns of the table, those of the slice `which` of the last axis."""
        take = itemgetter((..., which))
        return self.through(take) if self.steps else self.with_values(take(self.values))

    def kept(self, memory: Memory) -> Targets:
        """The same with nothing left to compute, where the budget allows."""
        if store_of(self.values) is not None:
            return self
        # the inverse of an activation holds two more arrays of the size of its result
        n_bytes = 3 * self._itemsize * len(self.values) * math.prod(self.shape[1:])
        return self.with_values(self.distinct()) if memory.keep(n_bytes) else self

    def compress(self) -> tuple[Targets, np.ndarray | None]:
        """Thin targets and an orthonormal basis: table = thin @ basis.

        Least squares is linear in the targets and an orthonormal basis keeps their norms,
        so solving for the thin ones loses nothing. Returns (table, None) where it would
        not pay.
        """
        few = self.codes is not None and len(self.shape) == 2 and not self.steps
        if not few or len(self.values) >= self.shape[1]:
            return self, None
        factors, scales, _, _ = lapack.dgeqrf(np.asarray(self.values, dtype=np.float64).T)
        basis = lapack.dorgqr(factors, scales)[0]
        return self.with_values(np.triu(factors[: len(self.values)]).T), basis.T


def _ends(targets: Targets) -> np.ndarray:
    return reduce(_joined_ends, map(_ends_of, targets.chunks(Memory())))


def _ends_of(rows: Array) -> np.ndarray:
    return np.stack([rows.min(axis=0), rows.max(axis=0)])


def _joined_ends(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.stack([np.minimum(one[0], other[0]), np.maximum(one[1], other[1])])
