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
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
from itertools import repeat
from typing import TYPE_CHECKING, Any

from joblib import cpu_count, effective_n_jobs
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from ..typing import Int, Item, Result

# columns beyond which all threads of BLAS repay a decomposition, each step of which waits for the
# slowest of them, and a Gram matrix for each chunk takes memory
WIDE = 1000


class _Work:
    """Something at work, as long as its frame refers to it, and its threads for chunks of rows.

    A Ctrl-C can end a `finally` half-way: what is left behind is known by its dead reference.
    """

    def __init__(self, number: int = 1) -> None:
        self.number = number


# what is at work here; None outside of fits
_here: ContextVar[weakref.ref[_Work] | None] = ContextVar("at_work", default=None)
# what is at work in a thread that is started here
_share = _Work()
_fits: list[weakref.ref[_Work]] = []
# how many threads each BLAS had before the first of the fits
_before: list[int] = []
_lock = threading.Lock()


def one_thread() -> AbstractContextManager[None]:
    """Within this context BLAS has one thread, and chunks of rows have the others."""
    return contextlib.nullcontext() if _for_rows() is not None else _fit_at_work()


def all_threads(width: float) -> AbstractContextManager[None]:
    """Within this context BLAS has all threads, for a matrix of more than `WIDE` columns.

    Where other fits are at work, it has one.
    """
    before = _for_rows()
    if width <= WIDE or before == 1 or _n_fits() > 1:
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
    work = _Work()
    with _lock:
        _forget_ended()
        _before[:] = _before or _threads_of_blas()
        _fits.append(weakref.ref(work))
        work.number = max(_before, default=1)
        _set(repeat(1))
    _here.set(weakref.ref(work))
    try:
        yield
    finally:
        # no reference to it is left: it is at work no more, here and in `_fits`
        del work
        with _lock:
            _forget_ended()


def _forget_ended() -> None:
    """Give back to BLAS what it had, unless a fit is at work."""
    _fits[:] = [fit for fit in _fits if fit() is not None]
    if _before and not _fits:
        _set(_before)
        _before.clear()


@contextlib.contextmanager
def _given_to_blas(number: int) -> Iterator[None]:
    outer, inner = _here.get(), _Work()
    before = _threads_of_blas()
    _here.set(weakref.ref(inner))
    try:
        _set(repeat(number))
        yield
    finally:
        _set(before)
        _here.set(outer)


def _for_rows() -> int | None:
    """Threads for chunks of rows in what is at work here."""
    reference = _here.get()
    work = reference and reference()
    return work.number if work else None


def _n_fits() -> int:
    return sum(fit() is not None for fit in _fits)


def _free() -> int:
    """Threads that there are for chunks of rows here."""
    number = _for_rows()
    return _numbers() if number is None else max(1, number // max(1, _n_fits()))


def _context() -> Context:
    """The context of a thread that is started here: it shares out nothing itself.

    NumPy's errstate is part of it.
    """
    context = copy_context()
    context.run(_here.set, weakref.ref(_share))
    return context


def _numbers() -> int:
    """The most threads that a BLAS has."""
    return max(_threads_of_blas(), default=1)


def _threads_of_blas() -> list[int]:
    return [library.get_num_threads() or 1 for library in _blas()]


def _set(numbers: Iterable[int]) -> None:
    """Set the threads of each BLAS."""
    for library, number in zip(_blas(), numbers, strict=False):
        # threadpoolctl keeps that to the thread that did it first
        if hasattr(library, "clear_controlling_thread"):  # threadpoolctl >= 3.8
            library.clear_controlling_thread(force=True)
        library.set_num_threads(number)


@functools.cache
def _blas() -> list[Any]:
    return ThreadpoolController().select(user_api="blas").lib_controllers
