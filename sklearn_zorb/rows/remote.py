"""Tables whose rows lie elsewhere: functions go to the rows, and sums come back."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import DTypeLike

    from ..typing import Result

# bytes of rows that are brought together at the most
GATHERED_BYTES = 256e6


class Store(ABC):
    """Where the rows of `Remote` tables are, block by block.

    Attributes
    ----------
    n_rows : int
        In all blocks.
    """

    n_rows: int

    @abstractmethod
    def total(
        self, function: Callable[..., Any], add: Callable[[Any, Any], Any], tables: Sequence[Any]
    ) -> Any:
        """What `function` gives for the rows of each block, added up by `add`.

        Parameters
        ----------
        function : callable
            Called with what `here` makes of each table in a block.
        add : callable
            ``add(total, other)`` returns the sum, and changes neither.
        tables : sequence
        """

    @abstractmethod
    def keep(self, table: Any) -> Remote:
        """The rows of a `Rows` or `View`, computed once, as a `Remote` where they lie."""

    @abstractmethod
    def spares(self, n_bytes: float) -> bool:
        """Whether so many bytes of rows more may be kept; if so they are counted."""


class Block:
    """The rows of some tables that lie in one place.

    Parameters
    ----------
    values : dict of str to array
    start : int
        How many rows come before.
    """

    def __init__(self, values: dict[str, Any], start: int) -> None:
        self.values, self.start = values, start


class Remote:
    """A table of rows in a `Store`: what is read of it comes here.

    Parameters
    ----------
    store : Store
    name : str
        Under which blocks have its rows.
    first : array of shape (1, ...)
        The first row.
    parts : object
        What the store finds the blocks by; they may be dropped when nobody holds it.

    Attributes
    ----------
    largest : float or None
        The number that is farthest from zero, where it is known.
    """

    largest: float | None = None

    def __init__(self, store: Store, name: str, first: np.ndarray, parts: Any) -> None:
        self.store, self.name, self.first, self.parts = store, name, first, parts
        self.dtype, self.shape = first.dtype, (store.n_rows, *first.shape[1:])
        self.ndim, self.size = len(self.shape), int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "store": None, "parts": None}

    def remotes(self) -> Iterator[Remote]:
        """The tables that blocks must have."""
        yield self

    def at(self, block: Block) -> np.ndarray:
        """The rows of a block."""
        return block.values[self.name]

    def __getitem__(self, part: Any) -> np.ndarray:
        if isinstance(part, slice) and part.indices(len(self)) in ((0, 0, 1), (0, 1, 1)):
            return self.first[part]
        return _taken(self, part)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


class View:
    """The value of a function for each row of tables, computed each time that it is read.

    Parameters
    ----------
    function : callable
        Arrays of as many rows each, or None, to an array.
    *tables
        `Remote`, `View`, `Rows`, `Targets` or None, at least one of which is in a store.
    """

    def __init__(self, function: Callable[..., Any], *tables: Any) -> None:
        self.function, self.tables = function, tables

    @property
    def store(self) -> Store | None:
        """The store of the tables."""
        return store_of(*self.tables)

    def remotes(self) -> Iterator[Remote]:
        """The tables that blocks must have."""
        return _remotes(self.tables)

    def at(self, block: Block) -> Any:
        """The rows of a block."""
        return self.function(*(here(table, block) for table in self.tables))

    def __getitem__(self, part: Any) -> Any:
        return self.function(*(None if table is None else table[part] for table in self.tables))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    @cached_property
    def _first(self) -> Any:
        return self[:1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the rows."""
        return self._first.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of all rows."""
        return (len(self), *self._first.shape[1:])

    def __len__(self) -> int:
        return len(next(table for table in self.tables if hasattr(table, "shape")))


class Start:
    """Stands for how many rows come before those of a block."""

    def at(self, block: Block) -> int:
        """The number of rows before the block."""
        return block.start

    def __getitem__(self, part: Any) -> int:
        return 0


START = Start()


def store_of(*tables: Any) -> Store | None:
    """The store that the rows of some tables lie in; None where all are here."""
    stores = (getattr(table, "store", None) for table in tables)
    return next((store for store in stores if store is not None), None)


def here(table: Any, block: Block) -> Any:
    """What a table is where a block lies: its rows there."""
    return table.at(block) if hasattr(table, "at") else table


def total(function: Callable[..., Result], add: Callable[[Any, Any], Any], *tables: Any) -> Result:
    """``function(*tables)``, or the sum of what it gives in each place that rows lie in.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.rows.remote import total
    >>> total(np.sum, np.add, np.ones((3, 2))).item()
    6.0
    """
    store = store_of(*tables)
    return function(*tables) if store is None else store.total(function, add, tables)


def mean(function: Callable[..., Any], sample_weight: Any, *tables: Any) -> Any:
    """The weighted mean of a function's value for each row."""

    def of_these(weights: Any, *rows: Any) -> tuple[Any, float]:
        return weighted_mean(function(*rows), weights)

    return total(of_these, joined_means, sample_weight, *tables)[0]


def weighted_mean(values: Any, sample_weight: Any) -> tuple[Any, float]:
    """The mean of rows, and how much they weigh together."""
    weight = float(len(values) if sample_weight is None else sample_weight.sum())
    return np.average(values, axis=0, weights=sample_weight), weight


def weight_of(table: Any, sample_weight: Any) -> float:
    """How much the rows of a table weigh together: 1 each, where no weights are given."""
    if sample_weight is None:
        return float(len(table))
    return float(total(np.sum, np.add, sample_weight))


def joined_means(one: Any, other: Any) -> tuple[Any, float]:
    """The mean of both, each with its weight."""
    (mean, weight), (other_mean, other_weight) = one, other
    share = other_weight / (weight + other_weight)
    return mean + share * (other_mean - mean), weight + other_weight


def mapped(function: Callable[..., Any], *tables: Any) -> Any:
    """``function(*tables)``, row by row: now, or when rows that lie elsewhere are read."""
    return function(*tables) if store_of(*tables) is None else View(function, *tables)


def kept(table: Any) -> Any:
    """The same table with nothing left to compute."""
    store = store_of(table)
    return store.keep(table) if isinstance(table, View) and store is not None else table


def _remotes(tables: Iterable[Any]) -> Iterator[Remote]:
    for table in tables:
        if hasattr(table, "remotes"):
            yield from table.remotes()


def named(tables: Iterable[Any]) -> dict[str, Remote]:
    """All `Remote` tables that some tables are made of, by name."""
    return {one.name: one for one in _remotes(tables)}


def _taken(table: Remote, part: Any) -> np.ndarray:
    """Rows of a table by a slice or by their places, in that order."""
    places = np.arange(len(table))[part] if isinstance(part, slice) else np.asarray(part)
    if places.dtype == bool:
        places = np.flatnonzero(places)
    n_bytes = len(places) * table.first.nbytes
    if n_bytes > GATHERED_BYTES:
        raise ValueError(
            f"a layer or a setting needs {len(places)} rows at once, {n_bytes / 1e6:.0f} MB, and "
            f"rows that lie elsewhere are brought together up to {GATHERED_BYTES / 1e6:.0f} MB "
            "only. Take layers solved by least squares, such as Dense and Conv2D, whose inverse "
            "does not read their inputs, alpha above 0 and n_sweeps=1."
        )
    order = np.argsort(places, kind="stable")
    pieces = table.store.total(partial(_piece, places[order]), operator.add, (START, table))
    found = np.empty((len(places), *table.shape[1:]), table.dtype)
    found[order] = np.concatenate([rows for _, rows in sorted(pieces, key=operator.itemgetter(0))])
    return found


def _piece(places: np.ndarray, start: int, rows: Any) -> list[tuple[int, Any]]:
    """Those rows of a block that are among ascending places, and where the block starts."""
    first, last = np.searchsorted(places, [start, start + len(rows)])
    return [(start, rows[places[first:last] - start])]
