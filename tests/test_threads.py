"""Small solves keep BLAS to one thread, and give it its threads back."""

import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from sklearn_zorb.linalg.threads import ONE_THREAD_FLOPS, thread_limit


def blas_threads():
    controller = ThreadpoolController().select(user_api="blas")
    return {library.get_num_threads() for library in controller.lib_controllers}


@pytest.fixture
def two_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS has one thread")
        yield


def test_few_flops_take_one_thread(two_threads):
    with thread_limit(ONE_THREAD_FLOPS / 2):
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_many_flops_are_left_alone(two_threads):
    with thread_limit(ONE_THREAD_FLOPS * 2):
        assert blas_threads() == {2}


def test_limit_is_lifted_after_an_error(two_threads):
    with pytest.raises(RuntimeError, match="inside"), thread_limit(1):
        raise RuntimeError("inside")
    assert blas_threads() == {2}


def test_other_threads_set_no_limit(two_threads):
    seen = []

    def fit():
        with thread_limit(1):
            seen.append(blas_threads())

    worker = threading.Thread(target=fit)
    worker.start()
    worker.join()
    assert seen == [{2}]
    assert blas_threads() == {2}
