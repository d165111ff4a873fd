"""Small solves keep BLAS to one thread, and give it its threads back."""

import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.linalg.threads import ONE_THREAD_FLOPS, for_each, thread_limit


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


def test_items_are_shared_by_as_many_threads_as_blas_has(two_threads):
    both_are_in, seen = threading.Barrier(2, timeout=10), []

    def visit(item):
        both_are_in.wait()
        seen.append((item, blas_threads() == {1}))

    for_each(visit, [0, 1])
    assert sorted(seen) == [(0, True), (1, True)]
    assert blas_threads() == {2}


def test_an_error_in_one_of_the_threads_is_raised(two_threads):
    with pytest.raises(ZeroDivisionError):
        for_each(lambda item: 1 / item, [1, 0, 2])
    assert blas_threads() == {2}


def test_a_thread_shares_its_items_with_no_others(two_threads):
    seen = []

    def fit():
        for_each(lambda item: seen.append(threading.current_thread() is worker), [0, 1])

    worker = threading.Thread(target=fit)
    worker.start()
    worker.join()
    assert seen == [True, True]


def test_the_number_of_threads_does_not_change_a_model(monkeypatch):
    monkeypatch.setattr("sklearn_zorb.layers.rows.CACHE_BYTES", 1e5)
    X = np.random.default_rng(0).normal(size=(2000, 6))
    y = X[:, 0] * X[:, 1]
    outputs = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            model = ZORBRegressor("Dense[60] Tanh Dense[40] ReLU", random_state=0).fit(X, y)
            outputs.append(model.predict(X))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-9)
