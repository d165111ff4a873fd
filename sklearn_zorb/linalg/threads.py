"""The one rule for threads: chunks of rows have them, or BLAS has them, never both at a time.

While a model is fitted BLAS runs in one thread (`one_thread`), and chunks of rows are shared out
to as many threads as BLAS had before (`for_each`, `in_order`). For matrices of more than `WIDE`
columns it is the other way round (`all_threads`): BLAS has its threads back, and chunks come one
after another. Threads of BLAS wait actively for some hundredths of a second after each call, and
would take the cores from any others.

The number of BLAS belongs to the whole process. Fits in several threads of the caller share it:
BLAS has one thread until the last of them is through, and each has its part for chunks of rows.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
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

# threads for chunks of rows in a fit, and for what it starts; None outside of fits
_for_rows: ContextVar[int | None] = ContextVar("for_rows", default=None)
# for each fit at work, how many threads BLAS had before the first of them, and what restores them
_fits: list[tuple[int, Any]] = []
_lock = threading.Lock()


def one_thread() -> AbstractContextManager[None]:
    """Within this context BLAS has one thread, and chunks of rows have the others."""
    return contextlib.nullcontext() if _for_rows.get() is not None else _fit_at_work()


def all_threads(width: float) -> AbstractContextManager[None]:
    """Within this context BLAS has all threads, for a matrix of more than `WIDE` columns.

    Where other fits are at work, it has one.
    """
    before = _for_rows.get()
    if width <= WIDE or before == 1 or len(_fits) > 1:
        return contextlib.nullcontext()
    return _given_to_blas(before or _numbers())


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
        free = _free() if len(items) > 1 else 1
    workers = min(free, len(items))
    if workers < 2:
        yield from map(function, items)
        return
    with one_thread(), ThreadPoolExecutor(workers) as pool:

        def begun(item: Item) -> Future[Result]:
            return pool.submit(_context().run, function, item)

        waiting = deque(begun(item) for item in items[: workers + 1])
        for item in items[workers + 1 :]:
            result = waiting.popleft().result()
            waiting.append(begun(item))
            yield result
        while waiting:
            yield waiting.popleft().result()


def are_beside(items: Collection[Any], others: Collection[Any]) -> bool:
    """Whether `beside` has a thread for some of them."""
    return bool(items and others) and _free() > 1


def beside(
    function: Callable[[Item], Result], items: Collection[Item], others: Collection[Item]
) -> dict[Item, Result]:
    """Results of `function` of all items, by item, those of `others` computed here.

    `items`, each of which keeps one thread busy and no more, have a thread of their own meanwhile.
    """
    if not are_beside(items, others):
        return {item: function(item) for item in [*others, *items]}
    with ThreadPoolExecutor(1) as pool:
        running = {item: pool.submit(_context().run, function, item) for item in items}
        found = {item: function(item) for item in others}
        return found | {item: future.result() for item, future in running.items()}


@contextlib.contextmanager
def _fit_at_work() -> Iterator[None]:
    with _lock:
        number = _fits[0][0] if _fits else _numbers()
        _fits.append((number, _limit(1)))
    _for_rows.set(number)
    try:
        yield
    finally:
        _for_rows.set(None)
        with _lock:
            _, limiter = _fits.pop()
            if not _fits:
                _release()
                limiter.restore_original_limits()


@contextlib.contextmanager
def _given_to_blas(number: int) -> Iterator[None]:
    before = _for_rows.get()
    _for_rows.set(1)
    try:
        with _limit(number):
            yield
    finally:
        _for_rows.set(before)


def _free() -> int:
    """Threads that there are for chunks of rows here."""
    number = _for_rows.get()
    return _numbers() if number is None else max(1, number // max(1, len(_fits)))


def _context() -> Context:
    """The context of a thread that is started here: it shares out nothing itself.

    NumPy's errstate is part of it.
    """
    context = copy_context()
    context.run(_for_rows.set, 1)
    return context


def _numbers() -> int:
    """The most threads that a BLAS has."""
    return max((library.get_num_threads() or 1 for library in _blas()), default=1)


def _limit(number: int) -> Any:
    _release()
    return _controller().limit(limits=number, user_api="blas")


def _release() -> None:
    """Let this thread set numbers; threadpoolctl keeps that to the thread that did it first."""
    for library in _blas():
        if hasattr(library, "clear_controlling_thread"):  # threadpoolctl >= 3.8
            library.clear_controlling_thread(force=True)


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@functools.cache
def _blas() -> list[Any]:
    return _controller().select(user_api="blas").lib_controllers
