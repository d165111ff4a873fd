"""Small solves keep BLAS to one thread, and give it its threads back."""

import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.calibration import FLOORS, POWERS, PowerCalibration
from sklearn_zorb.discriminant import LinearDiscriminant
from sklearn_zorb.layers import Dense, Identity, Layer, Stack, Tanh, parse_layers
from sklearn_zorb.linalg import LeastSquares, System
from sklearn_zorb.linalg.threads import (
    ONE_THREAD_FLOPS,
    for_each,
    in_order,
    own_threads,
    thread_limit,
)


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


def test_many_flops_are_left_to_one_library(two_threads):
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    with thread_limit(ONE_THREAD_FLOPS * 2):
        threads = [library.get_num_threads() for library in libraries]
        # NumPy and SciPy may well share one
        assert sorted(threads) == [*[1] * (len(threads) - 1), 2]
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


def test_blas_leaves_its_threads_to_others(two_threads):
    both_are_in = threading.Barrier(2, timeout=10)
    with own_threads():
        assert blas_threads() == {1}
        for_each(lambda item: both_are_in.wait(), [0, 1])
        with own_threads(), thread_limit(ONE_THREAD_FLOPS * 2):
            assert blas_threads() == {1}
            for_each(lambda item: both_are_in.wait(), [0, 1])
    assert blas_threads() == {2}
    # a limit set by others holds from then on
    with threadpool_limits(1, user_api="blas"):
        alone = []
        for_each(lambda item: alone.append(threading.current_thread()), [0, 1])
        assert alone == [threading.main_thread()] * 2


class Probe(Layer):
    """The identity; keeps how many threads BLAS had when it was called."""

    seen: list = []

    def forward(self, params, inputs, *, rng=None):
        if threading.current_thread() is threading.main_thread():
            self.seen.append(blas_threads() == {1})
        return inputs

    def invert(self, params, targets, inputs, *, rng=None):
        return targets, params


@pytest.mark.parametrize(
    ("layers", "n_rows", "shared"),
    [
        ("Dense[5] Tanh", 1200, True),
        ("Dense[1100] Tanh Dense[5] Tanh", 1200, False),
        ("Kernel[20]", 1200, False),
        ("Dense[5] Tanh", 900, False),
        ("Stack", 1200, False),
    ],
)
def test_layers_that_share_out_their_rows_leave_blas_one_thread(
    two_threads, monkeypatch, layers, n_rows, shared
):
    monkeypatch.setattr("sklearn_zorb.layers.stack.ONE_THREAD_ROWS", 0)
    Probe.seen.clear()
    stack = [Stack([[Probe(), Dense(5), Tanh()], [Identity()]])]
    layers = stack if layers == "Stack" else [Probe(), *parse_layers(layers)]
    X = np.random.default_rng(0).normal(size=(n_rows, 6))
    ZORBRegressor(layers, random_state=0, standardize=False).fit(X, X[:, 0] * X[:, 1])
    assert Probe.seen and any(Probe.seen) == shared
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


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_are_the_same_bits_for_any_number_of_threads(dtype, offset, weighted):
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(3000, 300)) + offset).astype(dtype)
    targets = rng.normal(size=(3000, 2))
    weights = rng.integers(1, 4, size=3000).astype(float) if weighted else None

    def read(part):
        return rows[part], targets[part], None if weights is None else weights[part]

    parts = [slice(start, start + 900) for start in range(0, 3000, 900)]
    grams = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            grams.append(System(read, parts, 3000, 300, 2).gram())
    for name in ("product", "cross", "mean", "target_mean", "target_squares"):
        np.testing.assert_array_equal(*(np.triu(getattr(gram, name)) if name == "product"
                                        else getattr(gram, name) for gram in grams))  # fmt: skip
    copies = np.ones(3000) if weights is None else weights
    exact = rows.astype(np.longdouble) - np.average(rows.astype(np.longdouble), axis=0,
                                                    weights=copies)  # fmt: skip
    expected = (exact * copies[:, None]).T.astype(float) @ exact.astype(float)
    tolerance = 1e-9 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(grams[0].full(), expected, atol=tolerance * expected.max())


@pytest.mark.parametrize("alpha", ["loo", 0.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_left_out_are_the_same_for_any_number_of_threads(monkeypatch, alpha, weighted):
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(1000, 8)), rng.normal(size=(1000, 3))
    rows[700, 5] = 1e3  # with a leverage of nearly one
    weights = rng.uniform(0.5, 3, size=1000) if weighted else None

    def solved(n_threads):
        with threadpool_limits(n_threads, user_api="blas"):
            system = System.from_arrays(rows, targets, weights)
            return LeastSquares(alpha=alpha).solve(system, loo_outputs=True)

    whole = solved(1)
    monkeypatch.setattr("sklearn_zorb.linalg.left_out.PIECE_BYTES", 1)
    one, two = solved(1), solved(2)
    np.testing.assert_array_equal(one.loo_outputs, two.loo_outputs)
    assert one.loo_error == two.loo_error and one.alpha == two.alpha == whole.alpha
    np.testing.assert_allclose(one.loo_outputs, whole.loo_outputs, rtol=1e-10, atol=1e-12)
    assert one.loo_error == pytest.approx(whole.loo_error, rel=1e-12)


def test_calibration_and_discriminant_are_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=20_000)
    scores = rng.normal(scale=0.4, size=(20_000, 4)) + np.eye(4)[codes]
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            calibration = PowerCalibration().fit(scores, codes)
            found.append((calibration, LinearDiscriminant().fit(scores, codes)))
    (one, first), (two, second) = found
    np.testing.assert_array_equal(one._losses, two._losses)
    np.testing.assert_array_equal(first.left_out, second.left_out)
    # the floor and power of least loss, each tried by itself on all rows
    losses = {
        (floor, power): PowerCalibration(floor, power).losses(scores, codes).sum()
        for floor in FLOORS for power in POWERS
    }  # fmt: skip
    np.testing.assert_allclose(one._losses.ravel(), list(losses.values()), rtol=1e-12)
    assert (one.floor, one.power) == min(losses, key=losses.get)


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
