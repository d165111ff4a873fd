"""Threads of BLAS: as many as the work repays."""

import contextlib
import functools
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from threadpoolctl import ThreadpoolController

# flops below which waking a second thread costs more than it brings
ONE_THREAD_FLOPS = 2e7

# threads that BLAS leaves to `for_each` for the time being
_lent = 1


def thread_limit(flops):
    """`one_thread` if `flops` are few, else `one_library`.

    A decomposition of a hundred columns takes a fraction of a millisecond, and on a busy
    machine the second thread is waited for that long and longer.
    """
    return one_thread() if flops <= ONE_THREAD_FLOPS else one_library()


@contextlib.contextmanager
def one_library():
    """Within this context NumPy's BLAS uses one thread, where SciPy brings a BLAS of its own.

    Threads of one wait actively for some hundredths of a second after each product, and take
    the cores from those of the other. Large products belong to SciPy's here.
    """
    own = _numpy_blas()
    if own is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    with own.limit(limits=1):
        yield


class one_thread:  # noqa: N801 - as the other contexts, of which it is the most often entered
    """Within this context BLAS uses one thread; the number comes back after.

    Only the main thread sets limits: some BLAS have one number for all threads, and contexts
    that overlap would restore each other's.
    """

    def __enter__(self):
        alone = threading.current_thread() is threading.main_thread()
        numbers = [(library, library.get_num_threads() or 1) for library in _blas() if alone]
        self._before = [(library, number) for library, number in numbers if number > 1]
        for library, _ in self._before:
            library.set_num_threads(1)

    def __exit__(self, *exception):
        for library, number in self._before:
            library.set_num_threads(number)


@contextlib.contextmanager
def own_threads():
    """Within this context BLAS uses one thread, and `for_each` as many as BLAS had.

    Threads of BLAS wait actively for some hundredths of a second after each call, on the cores
    where ours are to run: where most of the work is shared out by ours, a call that takes as
    long costs more than its second thread brings.
    """
    global _lent
    before, _lent = _lent, _threads()
    try:
        with one_thread():
            yield
    finally:
        _lent = before


def for_each(function, items):
    """Call `function` of each item, in as many threads as BLAS has, with BLAS in one in each.

    Elementwise functions of NumPy have one thread only, and leave others free to run.
    """
    for _ in in_order(function, items):
        pass


def in_order(function, items):
    """Results of `function`, in the order of the items, computed as `for_each` does.

    Few of them are there at a time: the next item is begun when a result is asked for.
    """
    workers = min(_threads(), len(items)) if len(items) > 1 else 1
    if workers < 2:
        yield from map(function, items)
        return
    with one_thread(), ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(function, item) for item in items[: workers + 1])
        for item in items[workers + 1 :]:
            result = waiting.popleft().result()
            waiting.append(pool.submit(function, item))
            yield result
        while waiting:
            yield waiting.popleft().result()


def _threads():
    """The most threads that a BLAS has, or had; 1 outside the main thread, which sets limits."""
    if threading.current_thread() is not threading.main_thread():
        return 1
    return max([_lent, *(library.get_num_threads() or 1 for library in _blas())])


@functools.cache
def _controller():
    return ThreadpoolController()


@functools.cache
def _blas():
    """Controllers of every BLAS: used as they are, they take a third of the time of a limit."""
    return _controller().select(user_api="blas").lib_controllers


@functools.cache
def _numpy_blas():
    """NumPy's own BLAS beside another one, or None."""
    paths = [library.filepath for library in _blas()]
    # as its wheels bring it: numpy.libs or numpy/.dylibs
    own = [path for path in paths if Path(path).parent.name.startswith("numpy.libs")
           or Path(path).parent.parent.name == "numpy"]  # fmt: skip
    return _controller().select(filepath=own) if own and len(paths) > len(own) else None
