"""Threads of BLAS: as many as the work repays."""

import contextlib
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import ThreadpoolController

# flops below which waking a second thread costs more than it brings
ONE_THREAD_FLOPS = 2e7


def thread_limit(flops):
    """`one_thread` if `flops` are few, else a context that changes nothing.

    A decomposition of a hundred columns takes a fraction of a millisecond, and on a busy
    machine the second thread is waited for that long and longer.
    """
    return one_thread() if flops <= ONE_THREAD_FLOPS else contextlib.nullcontext()


@contextlib.contextmanager
def one_thread():
    """Within this context BLAS uses one thread; the number comes back after.

    Only the main thread sets limits: some BLAS have one number for all threads, and contexts
    that overlap would restore each other's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield


def for_each(function, items):
    """Call `function` of each item, in as many threads as BLAS has, with BLAS in one in each.

    Elementwise functions of NumPy have one thread only, and leave others free to run.
    """
    workers = min(_threads(), len(items))
    if workers < 2:
        for item in items:
            function(item)
        return
    with one_thread(), ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(function, items):
            pass


def _threads():
    """The most threads that a BLAS has; 1 outside the main thread, which alone sets limits."""
    if threading.current_thread() is not threading.main_thread():
        return 1
    libraries = _controller().select(user_api="blas").lib_controllers
    return max((library.get_num_threads() for library in libraries), default=1)


@functools.cache
def _controller():
    return ThreadpoolController()
