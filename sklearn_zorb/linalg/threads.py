"""The one rule for threads: chunks of rows have them, or BLAS has them, never both at a time.

While a model is fitted BLAS runs in one thread (`one_thread`), and chunks of rows are shared out
to as many threads as BLAS had before (`for_each`, `in_order`). For matrices of more than `WIDE`
columns it is the other way round (`all_threads`): BLAS has its threads back, and chunks come one
after another. Threads of BLAS wait actively for some hundredths of a second after each call, and
would take the cores from any others.

Only the main thread sets numbers, which belong to the whole process; in all others BLAS keeps
what it has, and chunks come one after another.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from joblib import cpu_count, effective_n_jobs
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from ..typing import Int, Item, Result

# columns beyond which all threads of BLAS repay a decomposition, each step of which waits for the
# slowest of them, and a Gram matrix for each chunk takes memory
WIDE = 1000

# threads for chunks of rows; None where BLAS has what the user gave it
_for_rows = None


def one_thread() -> AbstractContextManager[None]:
    """Within this context BLAS has one thread, and chunks of rows have the others."""
    if _for_rows is not None or not _is_main():
        return contextlib.nullcontext()
    return _shared_out(rows=_numbers(), blas=1)


def all_threads(width: float) -> AbstractContextManager[None]:
    """Within this context BLAS has all threads, for a matrix of more than `WIDE` columns."""
    if width <= WIDE or not _is_main():
        return contextlib.nullcontext()
    return _shared_out(rows=1, blas=max(_for_rows or 1, _numbers()))


def for_each(function: Callable[[Item], object], items: Sequence[Item]) -> None:
    """Call `function` of each item, in as many threads as there are for chunks of rows.

    Elementwise functions of NumPy have one thread only, and leave others free to run.
    """
    for _ in in_order(function, items):
        pass


def in_order(
    function: Callable[[Item], Result], items: Sequence[Item], n_jobs: Int | None = None
) -> Iterator[Result]:
    """Results of `function`, in the order of the items, computed as `for_each` does.

    Few of them are there at a time: the next item is begun when a result is asked for. With
    `n_jobs` there are as many threads, whoever calls.
    """
    if n_jobs is not None:
        free = min(effective_n_jobs(n_jobs), cpu_count())
    else:
        free = (_for_rows or _numbers()) if len(items) > 1 and _is_main() else 1
    workers = min(free, len(items))
    if workers < 2:
        yield from map(function, items)
        return
    with one_thread(), ThreadPoolExecutor(workers) as pool:

        def begun(item: Item) -> Future[Result]:
            # NumPy's errstate is one of its context
            return pool.submit(copy_context().run, function, item)

        waiting = deque(begun(item) for item in items[: workers + 1])
        for item in items[workers + 1 :]:
            result = waiting.popleft().result()
            waiting.append(begun(item))
            yield result
        while waiting:
            yield waiting.popleft().result()


def are_beside(items: Collection[Any], others: Collection[Any]) -> bool:
    """Whether `beside` has a thread for some of them."""
    return bool(items and others) and _is_main() and (_for_rows or _numbers()) > 1


def beside(
    function: Callable[[Item], Result], items: Collection[Item], others: Collection[Item]
) -> dict[Item, Result]:
    """Results of `function` of all items, by item, those of `others` computed here.

    `items`, each of which keeps one thread busy and no more, have a thread of their own meanwhile.
    """
    if not are_beside(items, others):
        return {item: function(item) for item in [*others, *items]}
    with ThreadPoolExecutor(1) as pool:
        running = {item: pool.submit(copy_context().run, function, item) for item in items}
        found = {item: function(item) for item in others}
        return found | {item: future.result() for item, future in running.items()}


@contextlib.contextmanager
def _shared_out(rows: int, blas: int) -> Iterator[None]:
    global _for_rows
    before, _for_rows = _for_rows, rows
    try:
        with _controller().limit(limits=blas, user_api="blas"):
            yield
    finally:
        _for_rows = before


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _numbers() -> int:
    """The most threads that a BLAS has."""
    return max((library.get_num_threads() or 1 for library in _blas()), default=1)


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@functools.cache
def _blas() -> list[Any]:
    return _controller().select(user_api="blas").lib_controllers
