"""Threads of BLAS: as many as the work repays."""

import contextlib
import functools
import threading

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


@functools.cache
def _controller():
    return ThreadpoolController()
