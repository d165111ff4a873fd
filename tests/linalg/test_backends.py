"""Which backend runs where, and what JAX is spared."""

import os
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_diabetes, load_digits, load_iris

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.estimators import device
from sklearn_zorb.estimators.padding import bucket
from sklearn_zorb.layers import (
    Context,
    Dense,
    EstimatorLayer,
    Layer,
    LeakyReLU,
    Tanh,
    sequence,
)
from sklearn_zorb.layers.compiled import apply
from sklearn_zorb.linalg import backends, choose_backend, get_backend, is_jax
from sklearn_zorb.linalg.pseudoinverse import minimum_norm_map
from sklearn_zorb.memory import ACCELERATOR_BYTES, Memory, parse_bytes


@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_a_named_backend_is_taken(name):
    assert choose_backend(name, 1.0) == choose_backend(name, 1e15) == name


def test_auto_is_numpy_without_an_accelerator(monkeypatch):
    monkeypatch.setattr(backends, "entry_points", lambda group: [])
    assert choose_backend("auto", 1e15) == "numpy"


@pytest.mark.parametrize("device, expected", [("gpu", "jax"), ("cpu", "numpy")])
def test_auto_asks_jax_where_a_plugin_is_installed(monkeypatch, device, expected):
    import jax

    monkeypatch.setattr(backends, "entry_points", lambda group: ["a plugin"])
    monkeypatch.setattr(jax, "default_backend", lambda: device)
    assert choose_backend("auto", 1e15) == expected
    assert choose_backend("auto", 1e6) == "numpy"  # too little to start a device for


@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 99, 100, 101, 1000, 54321])
def test_buckets(n_rows):
    assert n_rows <= bucket(n_rows) <= n_rows * 1.125 + 1
    assert bucket(bucket(n_rows)) == bucket(n_rows)


def test_folds_of_nearly_equal_size_compile_once():
    import jax

    X, y = load_digits(return_X_y=True)
    model = ZORBClassifier("Dense[12] Tanh", backend="jax", random_state=0)
    model.fit(X[:101], y[:101]).predict(X[:101])
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: compiled.append(event) if "backend_compile" in event else None
    )
    for n_rows in (100, 99, 102):
        model.fit(X[:n_rows], y[:n_rows]).predict(X[:n_rows])
    assert compiled == []
    model.fit(X[:200], y[:200])
    assert compiled  # the listener does hear of compilations


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "Estimator, load", [(ZORBClassifier, load_iris), (ZORBRegressor, load_diabetes)]
)
def test_the_default_agrees_with_numpy(Estimator, load, sparse):
    X, y = load(return_X_y=True)
    X = sp.csr_matrix(X * (X > 0)) if sparse else X
    fits = [Estimator(backend=name, random_state=0).fit(X, y) for name in ("numpy", "jax")]
    outputs = [model._outputs(X) for model in fits]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fits[1].predict(X), fits[0].predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    "layers",
    ["Stack(Identity | Dense[8] Tanh)", "Flatten Stack(Trees[5] | Identity)", "Dense[8] Trees[5]"],
)
def test_a_stack_on_an_accelerator_agrees_with_numpy(monkeypatch, layers):
    import jax

    X, y = load_diabetes(return_X_y=True)
    expected = ZORBRegressor(layers, backend="numpy", random_state=0).fit(X, y).predict(X)
    monkeypatch.setattr(backends, "entry_points", lambda group: ["a plugin"])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(backends, "ACCELERATOR_FLOPS", 0)
    model = ZORBRegressor(layers, random_state=0).fit(X, y)
    assert model._backend.name == "jax"
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


@pytest.fixture
def accelerator(monkeypatch):
    """JAX as it is where it finds an accelerator."""
    import jax

    ops = get_backend("jax")
    monkeypatch.setattr(backends, "entry_points", lambda group: ["a plugin"])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(ops, "accelerated", True)
    monkeypatch.setattr(ops, "chunk_bytes", ACCELERATOR_BYTES)
    # programs of its own, with the options that they have there
    monkeypatch.setattr(ops, "_options", backends.GPU_OPTIONS)
    monkeypatch.setattr(ops, "_programs", {})
    return ops


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-8), ("float32", 1e-3)])
@pytest.mark.parametrize(
    "text", ["Dense[40] Tanh Dense[30] Sigmoid", "Dense[64, initializer=low_rank] ReLU Dropout[.1]"]
)
def test_layers_on_an_accelerator_agree_with_numpy(accelerator, text, dtype, tolerance):
    X, y = load_digits(return_X_y=True)
    outputs = [
        ZORBClassifier(text, backend=name, dtype=dtype, random_state=0).fit(X, y)._outputs(X)
        for name in ("numpy", "jax")
    ]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "layers, sparse",
    [
        ("Dense[20] Tanh", True),
        ("Dense[8] Trees[5]", False),
        ("Dense[20, relaxation=0] ReLU Trees[5]", False),
        ("Stack(Identity | Dense[8] Tanh)", False),
        ("auto", False),
    ],
)
def test_other_lists_on_an_accelerator_agree_with_numpy(accelerator, layers, sparse):
    X, y = load_iris(return_X_y=True)
    X = sp.csr_matrix(X) if sparse else X
    outputs = [
        ZORBClassifier(layers, backend=name, random_state=0).fit(X, y)._outputs(X)
        for name in ("numpy", "jax")
    ]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-6, atol=1e-8)


def test_auto_counts_the_units_of_all_layers(accelerator, monkeypatch):
    monkeypatch.setattr(backends, "ACCELERATOR_FLOPS", 1797 * (64**2 + 50**2 + 40**2))
    X, y = load_digits(return_X_y=True)
    names = [
        ZORBClassifier(layers, random_state=0).fit(X, y)._backend.name
        for layers in ("Dense[50] Tanh Dense[40] Tanh", "Dense[50] Tanh Dense[39] Tanh")
    ]
    assert names == ["jax", "numpy"]


@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (30, 30), (1, 5)])
@pytest.mark.parametrize("of", [np.asarray, "jax"])
@pytest.mark.parametrize("n_targets", [7, 1001])
def test_inverses_on_a_device(accelerator, rng, shape, of, n_targets):
    weights, targets = rng.normal(size=shape), rng.normal(size=(n_targets, shape[1]))
    expected = targets @ np.linalg.pinv(weights)
    with accelerator.scope():
        wanted = accelerator.asarray(targets) if of == "jax" else targets
        found = minimum_norm_map(accelerator.asarray(weights))(wanted)
        # a few are carried on where they are, many where the weights are
        assert is_jax(found) == (of == "jax" or n_targets > 1000)
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-9)
        # of rank 1: by singular values
        flat = np.outer(weights[:, 0], weights[0])
        found = minimum_norm_map(accelerator.asarray(flat))(wanted)
        np.testing.assert_allclose(np.asarray(found), targets @ np.linalg.pinv(flat), atol=1e-9)


@pytest.mark.parametrize("n_rows", [1, 7, 100, 101, 777, 1000])
@pytest.mark.parametrize("whole_bytes", [0, 1e9])
def test_rows_go_to_a_device_in_parts(monkeypatch, rng, n_rows, whole_bytes):
    monkeypatch.setattr(device, "WHOLE_BYTES", whole_bytes)
    X, ops = rng.normal(size=(n_rows, 3)), get_backend("jax")
    with ops.scope():
        rows = np.asarray(device.upload(X, ops))
    np.testing.assert_array_equal(rows[:n_rows], X)
    assert len(rows) == bucket(n_rows) and (rows[n_rows:] == X[0]).all()


@pytest.mark.parametrize("relaxation, most", [(1, 11), (0.5, 14)])
def test_a_layer_is_a_few_programs(accelerator, relaxation, most):
    """A fresh process waits for compilers once for each program."""
    import jax

    X, y = load_digits(return_X_y=True)
    counts, compiled = [], []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: compiled.append(event) if "backend_compile" in event else None
    )
    for text in ("Dense[53] Tanh", "Dense[53] Tanh Dense[47] Tanh Dense[41] Tanh"):
        jax.clear_caches()
        model = ZORBClassifier(
            text, relaxation=relaxation, readout="last", backend="jax", random_state=0
        )
        compiled.clear()
        model.fit(X, y)
        counts.append(len(compiled))
    assert 2 <= counts[1] - counts[0] <= 2 * most


def test_options_that_a_compiler_does_not_know_are_left_out():
    import jax

    assert backends.known_options(jax, backends.GPU_OPTIONS) is backends.GPU_OPTIONS
    assert backends.known_options(jax, {**backends.GPU_OPTIONS, "xla_no_such": 1}) is None


class AsksForValues(Layer):
    """Cannot be traced, and does not say so."""

    needs_inputs = False

    def forward(self, params, inputs, *, rng=None):
        return inputs * 2 if float(inputs[0, 0]) > 1e9 else inputs * 1


def test_layers_that_ask_for_values_are_not_compiled():
    X, y = load_digits(return_X_y=True)
    layers = [Dense(20), AsksForValues(), Tanh()]
    outputs = [
        ZORBClassifier(layers, backend=name, random_state=0).fit(X, y)._outputs(X)
        for name in ("numpy", "jax")
    ]
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-8)


def test_programs_are_of_the_layers_that_they_were_asked_for():
    """A layer that has changed since is not in the program for its former hyperparameters."""
    ops = get_backend("jax")
    with ops.scope():
        layer, same = LeakyReLU(slope=0.25), LeakyReLU(slope=0.25)
        assert apply([layer], [{}], ops.asarray(np.array([[-4.0]]))).item() == -1.0
        layer.set_params(slope=0.5)
        assert apply([same], [{}], ops.asarray(np.array([[-4.0, 4.0]])))[0, 0] == -1.0
        assert apply([layer], [{}], ops.asarray(np.array([[-4.0]]))).item() == -2.0


def test_no_global_flag_changes():
    import jax

    X, y = load_digits(return_X_y=True)
    before = jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision
    ZORBClassifier("Dense[4] Tanh", backend="jax", random_state=0).fit(X[:60], y[:60])
    assert (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision) == before


def test_float32_stays_close(rng):
    X, y = load_digits(return_X_y=True)
    models = [
        ZORBClassifier("Dense[50] Tanh", dtype=dtype, random_state=0).fit(X, y)
        for dtype in ("float64", "float32")
    ]
    assert models[1].params_[1]["weights"].dtype == np.float32
    outputs = [model._outputs(X) for model in models]
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-4


def fit_in_child(backend, X, y):
    """0 if a fit in a forked child works, 3 if it raises RuntimeError naming loky, else 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX and Python warn of the fork itself
        child = os.fork()
    if child == 0:
        try:
            ZORBClassifier("Dense[4] Tanh", backend=backend, random_state=0).fit(X, y)
            code = 0
        except RuntimeError as error:
            code = 3 if "loky" in str(error) else 1
        except BaseException:
            code = 1
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_jax_is_refused_in_a_forked_child_and_numpy_works():
    X, y = load_digits(return_X_y=True)
    X, y = X[:60], y[:60]
    with get_backend("jax").scope():
        get_backend("jax").xp.zeros(1).block_until_ready()
    assert fit_in_child("jax", X, y) == 3
    assert fit_in_child("numpy", X, y) == 0


def test_jax_started_by_others_counts(monkeypatch):
    assert "jax" in sys.modules or __import__("jax")
    monkeypatch.setattr(backends, "_BACKENDS", {})
    monkeypatch.setattr(backends, "_IMPORTED_IN", os.getpid() + 1)
    with pytest.raises(RuntimeError, match="loky"):
        get_backend("jax")
    get_backend("numpy")


@pytest.mark.parametrize("kind", ["loky", "threading"])
def test_parallel_fits_agree(kind):
    X, y = load_digits(return_X_y=True)
    X, y = X[:200], y[:200]
    model = ZORBClassifier("Dense[6] Tanh", backend="numpy", random_state=0)
    alone = model.fit(X, y).predict_proba(X)
    fits = Parallel(n_jobs=2, backend=kind)(delayed(model.fit)(X, y) for _ in range(2))
    for fitted in fits:
        np.testing.assert_allclose(fitted.predict_proba(X), alone, rtol=1e-6, atol=1e-9)


def test_jax_in_threads_agrees():
    X, y = load_digits(return_X_y=True)
    X, y = X[:100], y[:100]
    models = [ZORBClassifier("Dense[6] Tanh", backend="jax", random_state=s) for s in (0, 1)]
    alone = [model.fit(X, y).params_[-1]["weights"].copy() for model in models]
    fits = Parallel(n_jobs=2, backend="threading")(delayed(m.fit)(X, y) for m in models)
    for fitted, expected in zip(fits, alone, strict=True):
        assert fitted.params_[-1]["weights"].dtype == np.float64
        np.testing.assert_allclose(fitted.params_[-1]["weights"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "text, size",
    [
        ("500MB", 5e8),
        ("2 GiB", 2**31),
        (1000, 1000),
        ("1.5kb", 1500),
        ("7", 7),
        (1e16, 10**16),
        (np.float32(2.0**40), 2**40),
        (2.5, 2),
    ],
)
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["much", "-3MB", "5 XB", "", "MB", "0", 0, True, -1e16, np.nan, np.inf]
)
def test_bad_sizes(text):
    with pytest.raises(ValueError, match="memory_limit=.*'500MB'"):
        parse_bytes(text)


@pytest.mark.parametrize("n_rows", [0, 1, 63, 65, 900, 1000])
@pytest.mark.parametrize("even", [False, True])
def test_chunks_cover_all_rows_once(n_rows, even):
    parts = list(Memory("100KB").chunks(n_rows, 800, even=even))
    rows = np.concatenate([np.arange(n_rows)[part] for part in parts]) if parts else []
    np.testing.assert_array_equal(rows, np.arange(n_rows))
    assert len(parts) < 2 or len(parts) % 2 == 0 or not even


def test_memory_keeps_up_to_half_its_limit():
    memory = Memory(1000)
    assert memory.keep(400) and not memory.keep(200) and memory.keep(100)


def test_memory_of_an_array_serves_the_next_once_nothing_refers_to_it():
    memory = Memory()
    first = memory.empty((4, 50), np.float64)
    address = first.ctypes.data
    view = first[1:3, ::2].T
    del first
    other = memory.empty((10, 5), np.float64)
    assert not np.shares_memory(other, view)
    del view
    smaller = memory.empty((6, 20), np.float32)
    assert smaller.ctypes.data == address and smaller.shape == (6, 20)
    assert memory.used == 1600 + 400


def test_memory_of_an_array_serves_several():
    memory = Memory()
    first = memory.empty((100,), np.float64)
    start = first.ctypes.data
    del first
    parts = [memory.empty((30,), np.float64) for _ in range(3)]
    assert [part.ctypes.data - start for part in parts] == [0, 240, 480]
    assert memory.used == 800
    assert memory.empty((30,), np.float64).ctypes.data not in range(start, start + 800)


def test_memory_lends_no_more_than_its_limit():
    memory = Memory(2000)
    small = memory.empty((50,), np.float64)
    assert small is not None and memory.empty((100,), np.float64) is None
    del small
    # too little for what is asked next, so it is let go
    assert memory.empty((125,), np.float64) is not None and memory.used == 1000


def test_rows_find_room_within_those_before_them():
    memory = Memory()
    wide = memory.empty((5, 8), np.float64)
    wide[:] = np.arange(40.0).reshape(5, 8)
    narrow = memory.within(wide, (5, 2, 3), np.float64)
    assert narrow.shape == (5, 2, 3) and np.shares_memory(narrow, wide)
    # each row in the place of its own row, so that chunks never write over those of others
    np.testing.assert_array_equal(narrow.reshape(5, 6), wide[:, :6])
    narrower = memory.within(narrow, (5, 4), np.float64)
    np.testing.assert_array_equal(narrower, wide[:, :4])
    assert memory.used == 320
    assert memory.within(narrower, (5, 5), np.float64) is None
    assert memory.within(wide, (5, 2), np.float32) is None
    assert memory.within(np.zeros((5, 8)), (5, 2), np.float64) is None
    assert Memory().within(wide, (5, 2), np.float64) is None


@pytest.mark.parametrize("readout", ["last", "all"])
def test_rows_written_over_one_another_are_the_same_rows(monkeypatch, readout):
    X = np.random.default_rng(0).normal(size=(3000, 12))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    layers = "Dense[40] Tanh Dense[30] Tanh Skip(Dense[20] Tanh) Dense[50] Tanh Dense[10] Tanh"
    model = ZORBRegressor(layers, readout=readout, random_state=0, memory_limit="200KB")
    # nothing fits, so that rows are computed afresh whenever they are read
    expected = model.fit(X, y).predict(X)
    shared, within = [], Memory.within
    monkeypatch.setattr("sklearn_zorb.layers.rows.CACHE_BYTES", 1e5)
    monkeypatch.setattr(Memory, "within", lambda *args: shared.append(within(*args)) or shared[-1])
    found = model.set_params(memory_limit=None).fit(X, y).predict(X)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    assert any(array is not None for array in shared) == (readout == "last")


class Keeper(TransformerMixin, BaseEstimator):
    """Hands its rows on, and keeps them."""

    def fit(self, X, y=None):
        self.rows_ = X
        return self

    def transform(self, X):
        return X


def test_a_model_that_keeps_its_rows_keeps_them_as_they_were(monkeypatch):
    # memory handed out again while a fitted model refers to it would change the model
    monkeypatch.setattr("sklearn_zorb.layers.rows.CACHE_BYTES", 1e5)
    X = np.random.default_rng(0).normal(size=(800, 6))
    hidden = [Dense(30), Tanh(), EstimatorLayer(Keeper(), units=30)]
    layers = [*hidden, Dense(30), Tanh(), Dense(30), Tanh(), Dense(20), Tanh()]
    model = ZORBRegressor(layers, readout="last", standardize=False, random_state=0)
    model.fit(X, X[:, 0] * X[:, 1])
    rows = sequence.forward(hidden[:2], model.params_[:2], X)
    kept = model.params_[2]["estimator"].transformer.rows_
    assert kept.base is not None  # a view of memory that could be handed out again
    np.testing.assert_allclose(np.sort(kept, axis=0), np.sort(rows, axis=0), atol=1e-12)


@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_eigenvalues_of_a_symmetric_matrix(name):
    matrix = np.random.default_rng(0).normal(size=(9, 9))
    matrix += matrix.T
    ops = get_backend(name)
    with ops.scope():
        values, vectors = map(np.asarray, ops.eigh(ops.asarray(matrix)))
    expected = np.linalg.eigvalsh(matrix)
    np.testing.assert_allclose(values, expected, atol=1e-12)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, matrix, atol=1e-12)


def test_eigenvalues_that_are_not_found_are_an_error():
    with pytest.raises(np.linalg.LinAlgError, match="dsyevd"):
        get_backend("numpy").eigh(np.full((3, 3), np.nan))


def test_a_context_has_no_other_attributes():
    context = Context(relaxation=0.5)
    assert context.replace(n_jobs=2) == Context(**{**vars(context), "n_jobs": 2})
    assert context.n_jobs is None
    with pytest.raises(TypeError, match="no relaxations"):
        context.replace(relaxations=0.1)
