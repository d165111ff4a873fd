"""Rows that come in chunks, as often as they are asked for, and are never all at hand."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import numpy as np

from ..layers import Context
from ..memory import DEFAULT_LIMIT, Memory
from ..rows import Rows
from ..rows.remote import Block, Remote, Store, here, named
from .blocks import Common, Facts, facts_of, prepared, read_block, remote_data
from .data import Data


def read_chunks(estimator: Any, chunks: Any) -> tuple[Data, np.ndarray | None]:
    """The data of an estimator in chunks, and the classes among them."""
    source = _Source(estimator, chunks)
    facts = source.look()
    common = Common.of(estimator, facts)
    if common.changes(facts):
        source.common = common
        facts = source.look()
    store = Chunks(source, estimator.memory_limit)
    tables = [
        None if first is None else Remote(store, name, first, None)
        for name, first in zip(NAMES, facts[0].first, strict=True)
    ]
    # targets and weights are narrow: they are read once
    narrow = [table and store.keep(table) for table in tables[1:]]
    return remote_data(estimator, facts, tables[0], *narrow), common.classes


NAMES = ("X", "y", "weights")


class _Source:
    """Chunks as checked data, read anew in each pass."""

    def __init__(self, estimator: Any, chunks: Any) -> None:
        if not callable(chunks) and iter(chunks) is chunks:
            raise TypeError(
                f"chunks is of type {type(chunks).__name__}, which can be gone through once only; "
                "pass the function that makes it, as it is called for each pass over the rows."
            )
        self.estimator, self.chunks = estimator, chunks
        self.common: Common | None = None
        self.sizes: list[int] | None = None

    def look(self) -> list[Facts]:
        """The `Facts` of each chunk that has rows."""
        self.sizes = None
        facts = [facts_of(self.estimator, data) for data in self._data()]
        self.sizes = [0 if one is None else one.n_rows for one in facts]
        return [one for one in facts if one is not None]

    def blocks(self) -> Iterator[Data]:
        """The `Data` of each chunk that has rows."""
        return (data for data in self._data() if data is not None)

    def _data(self) -> Iterator[Data | None]:
        chunks = self.chunks() if callable(self.chunks) else iter(self.chunks)
        for place, chunk in enumerate(chunks):
            X, y, sample_weight = (*chunk, None)[:3]
            data = read_block(self.estimator, place, X, y, sample_weight)
            if data is not None and self.common is not None:
                data = prepared(self.common, data)
            size = 0 if data is None else len(data.y)
            if self.sizes is not None and self.sizes[place : place + 1] != [size]:
                raise ValueError(
                    f"chunk {place} had {self.sizes[place : place + 1]} rows in a former pass and "
                    f"has {size} now; chunks have to be the same each time."
                )
            yield data


class Chunks(Store):
    """Chunks on their way through memory; what is kept of them is in memory, or on the disk.

    Parameters
    ----------
    source : _Source
        Of known sizes.
    memory_limit : int, str or None
        Half of it may be kept in memory.
    """

    def __init__(self, source: _Source, memory_limit: Any) -> None:
        self.source, self.sizes = source, [size for size in source.sizes or () if size]
        self.starts = [0, *itertools.accumulate(self.sizes)]
        self.n_rows = self.starts.pop()
        limit = Memory(memory_limit).limit
        self._room = (limit if np.isfinite(limit) else DEFAULT_LIMIT) / 2

    def total(self, function: Callable[..., Any], add: Any, tables: Sequence[Any]) -> Any:
        done = None
        for i, block in enumerate(self._blocks(tables)):
            found = function(*(here(table, block) for table in tables))
            done = found if i == 0 else add(done, found)
        return done

    def keep(self, table: Any) -> Remote:
        first = np.asarray(table[:1])
        shape, n_bytes = (self.n_rows, *first.shape[1:]), first.nbytes * self.n_rows
        if isinstance(table, Rows) or self.spares(n_bytes):
            rows = np.empty(shape, first.dtype)
        else:
            with tempfile.TemporaryFile() as file:  # its pages stay as long as they are mapped
                rows = np.memmap(file, first.dtype, "w+", shape=shape)
        for block in self._blocks([table]):
            found = here(table, block)
            found = found.computed(Context(dtype=first.dtype)) if isinstance(found, Rows) else found
            rows[block.start : block.start + len(found)] = found
        return Remote(self, uuid4().hex, first, rows)

    def spares(self, n_bytes: float) -> bool:
        if n_bytes > self._room:
            return False
        self._room -= n_bytes
        return True

    def _blocks(self, tables: Sequence[Any]) -> Iterator[Block]:
        """All blocks, with what the tables are made of; chunks are read where they are needed."""
        remotes = named(tables)
        read = any(remote.parts is None for remote in remotes.values())
        chunks = self.source.blocks() if read else itertools.repeat(None)
        for start, size, data in zip(self.starts, self.sizes, chunks, strict=False):
            yield Block(
                {
                    name: getattr(data, name) if remote.parts is None
                    else remote.parts[start : start + size]
                    for name, remote in remotes.items()
                },
                start,
            )  # fmt: skip
