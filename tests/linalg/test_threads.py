"""Either BLAS has the threads or chunks of rows have them, and all is as before afterwards."""

import sys
import threading

import numpy as np
import pytest
from joblib import cpu_count
from sklearn.linear_model import LinearRegression
from threadpoolctl import ThreadpoolController, threadpool_limits

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import EstimatorLayer, Layer, parse_layers
from sklearn_zorb.linalg import threads
from sklearn_zorb.linalg.threads import WIDE, all_threads, beside, for_each, in_order, one_thread


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


def test_blas_has_one_thread_or_all(two_threads):
    with one_thread():
        assert blas_threads() == {1}
        with one_thread(), all_threads(WIDE):
            assert blas_threads() == {1}
        with all_threads(WIDE + 1):
            assert blas_threads() == {2}
            with one_thread(), all_threads(WIDE + 1):
                assert blas_threads() == {2}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_chunks_come_one_by_one_where_blas_has_the_threads(two_threads):
    alone = []
    with one_thread(), all_threads(WIDE + 1):
        for_each(lambda item: alone.append(threading.current_thread()), [0, 1])
    # a limit set by others holds
    with threadpool_limits(1, user_api="blas"), one_thread():
        for_each(lambda item: alone.append(threading.current_thread()), [0, 1])
    assert alone == [threading.main_thread()] * 4


@pytest.mark.parametrize("context", [one_thread, lambda: all_threads(WIDE + 1)])
def test_an_error_inside_leaves_the_numbers_as_they_were(two_threads, context):
    with pytest.raises(RuntimeError, match="inside"), one_thread(), context():
        raise RuntimeError("inside")
    assert blas_threads() == {2}
    both_are_in = threading.Barrier(2, timeout=10)
    for_each(lambda item: both_are_in.wait(), [0, 1])


def test_ctrl_c_at_any_call_leaves_the_threads_to_the_next_fit(two_threads):
    """Also inside of the code that gives them back."""
    file = threads.__file__

    def stopped_at(moment):
        """Whether Ctrl-C was pressed at this of the moments where Python listens to it."""
        left = [moment]

        def listen(frame, event, arg):
            if frame.f_code.co_filename == file and event in ("call", "c_return"):
                left[0] -= 1
                if left[0] < 0:
                    sys.setprofile(None)
                    raise KeyboardInterrupt

        sys.setprofile(listen)
        try:
            with one_thread(), all_threads(WIDE + 1):
                pass
        except KeyboardInterrupt:
            return True
        finally:
            sys.setprofile(None)

    moment = 0
    while stopped_at(moment):
        moment += 1
        both_are_in = threading.Barrier(2, timeout=10)
        with one_thread():
            assert blas_threads() == {1}
            for_each(lambda item: both_are_in.wait(), [0, 1])  # noqa: B023
        assert blas_threads() == {2}
    assert moment > 20


def test_fits_in_threads_of_the_caller_share_what_blas_had(two_threads):
    """As a search with `n_jobs` has them: each has one thread, and the last one has all."""
    both_are_in, first_is_out, seen = threading.Barrier(2, timeout=10), threading.Event(), []

    def fit(last):
        with one_thread():
            both_are_in.wait()
            with all_threads(WIDE + 1):
                seen.append(blas_threads() == {1})
            for_each(lambda item: seen.append(threading.current_thread() is me[last]), [0, 1])
            both_are_in.wait()
            if last:
                first_is_out.wait(timeout=10)
                for_each(lambda item: both_are_in.wait(), [0, 1])
                with all_threads(WIDE + 1):
                    seen.append(blas_threads() == {2})
                seen.append(blas_threads() == {1})

    me = [threading.Thread(target=fit, args=[last]) for last in (False, True)]
    for thread in me:
        thread.start()
    me[0].join()
    first_is_out.set()
    me[1].join()
    assert seen == [True] * 8
    assert blas_threads() == {2}


@pytest.mark.parametrize("fitting", [False, True])
def test_chunks_are_shared_by_as_many_threads_as_blas_had(two_threads, fitting):
    both_are_in, seen = threading.Barrier(2, timeout=10), []

    def visit(item):
        both_are_in.wait()
        seen.append((item, blas_threads() == {1}))

    with one_thread() if fitting else threadpool_limits(2, user_api="blas"):
        for_each(visit, [0, 1])
    assert sorted(seen) == [(0, True), (1, True)]
    assert blas_threads() == {2}


class Probe(Layer):
    """The identity; keeps how many threads BLAS had when it was called."""

    seen: list = []

    def forward(self, params, inputs, *, rng=None):
        # once the layers have been looked at with a row or two
        if len(inputs) == 300:
            self.seen.append(blas_threads())
        return inputs

    def invert(self, params, targets, inputs, *, rng=None):
        return targets, params


def test_a_fit_has_one_thread_of_blas_and_gives_it_back(two_threads):
    Probe.seen.clear()
    X = np.random.default_rng(0).normal(size=(300, 6))
    layers = [Probe(), *parse_layers("Dense[5] Tanh Kernel[20]")]
    ZORBRegressor(layers, random_state=0, standardize=False).fit(X, X[:, 0] * X[:, 1])
    assert Probe.seen and all(numbers == {1} for numbers in Probe.seen)
    assert blas_threads() == {2}


def test_an_error_in_one_of_the_threads_is_raised(two_threads):
    with pytest.raises(ZeroDivisionError):
        for_each(lambda item: 1 / item, [1, 0, 2])
    assert blas_threads() == {2}


def test_results_come_in_order_and_few_at_a_time(two_threads):
    begun, released = [], threading.Event()

    def visit(item):
        begun.append(item)
        if item == 0:
            released.wait(timeout=10)
        else:
            released.set()
        return item * item

    results = []
    for result in in_order(visit, range(8)):
        results.append(result)
        # two at work, one that waits for either, and the one in hand
        assert len(begun) <= len(results) + 3
    assert results == [i * i for i in range(8)]
    assert blas_threads() == {2}


def test_an_item_that_fails_ends_those_in_order(two_threads):
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda item: 1 / item, [1, 2, 0, 3, 4, 5]))
    assert blas_threads() == {2}


def test_an_estimator_of_others_has_what_blas_had(two_threads):
    seen = []

    class Watching(LinearRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(blas_threads())
            return super().fit(X, y, sample_weight)

    X = np.random.default_rng(0).normal(size=(60, 3))
    ZORBRegressor([EstimatorLayer(Watching())], random_state=0).fit(X, X[:, 0])
    assert seen and all(numbers == {2} for numbers in seen)


def test_the_number_of_threads_does_not_change_a_model():
    X = np.random.default_rng(0).normal(size=(20_000, 6))
    y = X[:, 0] * X[:, 1]
    outputs = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            model = ZORBRegressor("Dense[60] Tanh Dense[40] ReLU", random_state=0).fit(X, y)
            outputs.append(model.predict(X))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-9)


def test_items_run_beside_the_others_where_there_are_threads(two_threads):
    both_are_in = threading.Barrier(2, timeout=10)

    def name_of_thread(item):
        both_are_in.wait()
        return item, threading.current_thread() is threading.main_thread()

    assert beside(name_of_thread, ["aside"], ["here"]) == {
        "here": ("here", True),
        "aside": ("aside", False),
    }
    with threadpool_limits(1, user_api="blas"):
        assert beside(str.upper, ["a"], ["b", "c"]) == {"a": "A", "b": "B", "c": "C"}


def test_what_fails_in_a_thread_beside_is_raised(two_threads):
    with pytest.raises(ZeroDivisionError):
        beside(lambda item: 1 / item, [0], [1])


@pytest.mark.skipif(cpu_count() < 2, reason="one processor")
def test_threads_that_are_asked_for_are_there_without_those_of_blas():
    both_are_in = threading.Barrier(2, timeout=10)
    with threadpool_limits(1, user_api="blas"):
        assert len(list(in_order(lambda item: both_are_in.wait(), [0, 1], n_jobs=2))) == 2
