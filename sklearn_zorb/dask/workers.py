"""Rows on the workers of a cluster: functions are sent to them, and sums travel back."""

from __future__ import annotations

import itertools
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from distributed import wait

from ..layers import Context
from ..memory import DEFAULT_LIMIT, parse_bytes
from ..rows import Rows, Targets
from ..rows.remote import Block, Remote, Store, here, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Future

    from ..typing import Float

# share of the memory of the workers that hidden activations may take
KEPT_SHARE = 0.25


@dataclass(frozen=True)
class Work:
    """What is done with each block, sent to a worker once.

    Attributes
    ----------
    function : callable
    add : callable or None
    tables : tuple
    names : tuple of str
        Of the `Remote` tables, in the order in which their blocks are passed.
    """

    function: Any
    add: Any
    tables: tuple[Any, ...]
    names: tuple[str, ...]

    def of_block(self, start: int, arrays: Sequence[np.ndarray]) -> Any:
        """The value of the function for one block."""
        block = Block(dict(zip(self.names, arrays, strict=True)), start)
        # results are looked through for overflow
        with np.errstate(over="ignore", invalid="ignore"):
            return self.function(*(here(table, block) for table in self.tables))


class Workers(Store):
    """The workers of a cluster.

    Blocks of one place stay on one worker. A sum goes through the blocks of each worker one after
    another, and then from worker to worker in a tree: no more than one sum leaves a worker.

    Parameters
    ----------
    client : distributed.Client
    sizes : list of int
        Number of rows of each block.
    memory_limit : int, str or None
        For each worker, of which half may be activations. None is its own limit, of which a
        quarter may be.
    """

    def __init__(
        self, client: Client, sizes: Sequence[int], memory_limit: Float | str | None = None
    ) -> None:
        self.client, self.n_rows = client, sum(sizes)
        self.starts = [0, *itertools.accumulate(sizes)][:-1]
        self._room = _room(client, memory_limit)

    def table(self, parts: Sequence[Future[Any]], first: np.ndarray) -> Remote:
        """A table of which each of the futures `parts` holds a block."""
        _check(parts)
        return Remote(self, uuid4().hex, first, parts)

    def total(
        self, function: Callable[..., Any], add: Callable[[Any, Any], Any], tables: Sequence[Any]
    ) -> Any:
        remotes = named(tables)
        work = self._sent(Work(function, add, tuple(tables), tuple(remotes)))
        parts = [remote.parts for remote in remotes.values()]
        sums = []
        for chains in self._chains(parts[0]):
            of_worker = []
            for chain in chains:
                done: Any = None
                for i in chain:
                    blocks = [futures[i] for futures in parts]
                    done = self._submit(_step, work, self.starts[i], done, *blocks)
                of_worker.append(done)
            sums.append(self._joined(work, of_worker))
        return self._joined(work, sums).result()

    def keep(self, table: Any) -> Remote:
        first, remotes = np.asarray(table[:1]), named([table])
        work = self._sent(Work(_whole, None, (table,), tuple(remotes)))
        blocks = zip(*(remote.parts for remote in remotes.values()), strict=True)
        parts = [
            self._submit(_step, work, start, None, *block)
            for start, block in zip(self.starts, blocks, strict=True)
        ]
        return self.table(parts, first)

    def spares(self, n_bytes: float) -> bool:
        if n_bytes > self._room:
            return False
        self._room -= n_bytes
        return True

    def _chains(self, parts: Sequence[Future[Any]]) -> Iterator[list[np.ndarray]]:
        """Places of blocks, for each worker and each of its threads."""
        found, threads = self.client.who_has(parts), self.client.nthreads()
        places: dict[str, list[int]] = {}
        for i, part in enumerate(parts):
            holders = found.get(part.key) or ("",)
            places.setdefault(min(holders), []).append(i)
        for worker, there in places.items():
            count = min(threads.get(worker, 1), len(there))
            yield np.array_split(there, count)

    def _joined(self, work: Future[Any], sums: Sequence[Future[Any]]) -> Future[Any]:
        """The sum of sums, by a tree."""
        while len(sums) > 1:
            pairs = [sums[i : i + 2] for i in range(0, len(sums), 2)]
            sums = [
                self._submit(_join, work, *pair) if len(pair) > 1 else pair[0] for pair in pairs
            ]
        return sums[0]

    def _sent(self, work: Work) -> Future[Any]:
        """The work as a future that any worker can have; made again where one dies."""
        with _any_size():
            return self._submit(_same, work)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self.client.submit(function, *arguments, pure=False)


def _same(work: Work) -> Work:
    return work


def _step(work: Work, start: int, done: Any, *arrays: np.ndarray) -> Any:
    found = work.of_block(start, arrays)
    return found if done is None else work.add(done, found)


def _join(work: Work, one: Any, other: Any) -> Any:
    return work.add(one, other)


def _whole(rows: Any) -> np.ndarray:
    """All rows of a table that is at hand, as one array."""
    if isinstance(rows, Rows):
        return rows.computed(Context(dtype=rows[:1].dtype))
    return rows[:] if isinstance(rows, Targets) else rows


def _check(parts: Sequence[Future[Any]]) -> None:
    """Wait for futures; the error of one that failed is raised."""
    wait(parts)
    failed = [part for part in parts if part.status != "finished"]
    if failed:
        failed[0].result()


@contextmanager
def _any_size() -> Iterator[None]:
    """Within this context Dask does not warn of large objects: each is sent once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph")
        yield


def _room(client: Client, memory_limit: Float | str | None) -> float:
    """Bytes of activations that workers may keep."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if memory_limit is not None:
        return parse_bytes(memory_limit) / 2 * len(workers)
    return sum(KEPT_SHARE * (one["memory_limit"] or DEFAULT_LIMIT) for one in workers)
