"""Which backend runs where, that both agree, and what JAX is spared."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed
from layer_calls import OwnLayer
from sklearn.datasets import load_digits, load_iris

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Context, Dense, LeakyReLU, Tanh
from sklearn_zorb.linalg import choose_backend, get_backend
from sklearn_zorb.trainers import Backprop

X, Y = load_digits(return_X_y=True)
SCRIPT = Path(__file__).parents[1] / "on_accelerator.py"


@pytest.fixture
def always_moved(monkeypatch):
    """The little that these tests solve goes to JAX too."""
    monkeypatch.setattr("sklearn_zorb.linalg.backends.ACCELERATOR_FLOPS", 0)


def outputs(model, rows):
    return model.decision_function(rows) if hasattr(model, "classes_") else model.predict(rows)


def test_a_named_backend_is_taken_and_auto_is_numpy_without_an_accelerator():
    for name in ("numpy", "jax"):
        assert choose_backend(name, 1.0) == choose_backend(name, 1e15) == name
    assert choose_backend("auto", 1e6) == "numpy"


@pytest.mark.slow
def test_an_accelerator(tmp_path):
    """JAX finds plugins by their entry points."""
    info = tmp_path / "stand_in-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stand-in\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[jax_plugins]\nstand_in = stand_in_plugin\n")
    (tmp_path / "stand_in_plugin.py").write_text("def initialize():\n    pass\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": path, "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.quick(2)
@pytest.mark.parametrize("layers", ["auto", "Dense[12] Tanh Dense[8] ReLU"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_jax_agrees_with_numpy(Estimator, sparse, layers, always_moved):
    rows, y = load_iris(return_X_y=True)
    rows = sp.csr_matrix(rows * (rows > 2)) if sparse else rows
    models = [
        Estimator(layers, backend=name, random_state=0).fit(rows, y) for name in ("numpy", "jax")
    ]
    expected, found = (outputs(model, rows) for model in models)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "layers", ["Dense[8] Trees[5]", "Flatten Stack(Trees[5] | Identity)", "BatchNorm Dense[9] Cos"]
)
def test_other_lists_agree(layers, always_moved):
    rows, y = load_iris(return_X_y=True)
    rows, y = rows[1:], y[1:]  # a number that is rounded up
    expected, found = (
        ZORBRegressor(layers, backend=name, random_state=0).fit(rows, y).predict(rows)
        for name in ("numpy", "jax")
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.slow
def test_folds_of_nearly_equal_size_compile_once(compiled):
    model = ZORBClassifier("Dense[12] Tanh", backend="jax", random_state=0)
    model.fit(X[:101], Y[:101]).predict(X[:101])
    compiled.clear()
    for n_rows in (100, 99, 102):
        model.fit(X[:n_rows], Y[:n_rows]).predict(X[:n_rows])
    assert compiled == []
    model.fit(X[:200], Y[:200])
    assert compiled  # the listener does hear of compilations


@pytest.mark.quick(1)
@pytest.mark.parametrize("layers", ["Stack(Dense[8] Tanh | Identity)", "Dense[8] Trees[2]"])
def test_lists_that_jax_cannot_trace_compile_once(layers, compiled, always_moved):
    model = ZORBClassifier(layers, backend="jax", random_state=0)
    model.fit(X[:101], Y[:101]).predict(X[:101])
    assert compiled
    compiled.clear()
    for n_rows in (100, 99, 102):
        model.fit(X[:n_rows], Y[:n_rows]).predict(X[:n_rows])
    assert compiled == []


@pytest.mark.slow
def test_programs_of_former_shapes_are_let_go(compiled, monkeypatch):
    monkeypatch.setattr("sklearn_zorb.linalg.backends.MOST_PROGRAMS", 0)
    model = ZORBClassifier("Dense[4]", backend="jax", random_state=0)
    model.fit(X[:50], Y[:50])
    compiled.clear()
    model.fit(X[:50], Y[:50])
    assert compiled


class AsksForValues(OwnLayer):
    """Cannot be traced, and does not say so."""

    def forward(self, params, inputs, *, rng=None):
        return inputs * 2 if float(inputs[0, 0]) > 1e9 else inputs * 1


def test_layers_that_ask_for_values_are_not_compiled():
    layers = [Dense(12), AsksForValues(), Tanh()]
    expected, found = (
        ZORBClassifier(layers, backend=name, random_state=0)
        .fit(X[:101], Y[:101])
        .decision_function(X[:101])
        for name in ("numpy", "jax")
    )
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_programs_are_of_the_layers_that_they_were_asked_for():
    """A layer that has changed since is not in the program for its former hyperparameters."""
    layer = LeakyReLU(slope=0.25)
    model = ZORBRegressor([Dense(12), layer], backend="jax", random_state=0)
    for slope in (0.25, 0.5):
        layer.set_params(slope=slope)
        found = model.fit(X[:101], Y[:101]).predict(X[:101])
        alone = ZORBRegressor([Dense(12), LeakyReLU(slope)], random_state=0).fit(X[:101], Y[:101])
        np.testing.assert_allclose(found, alone.predict(X[:101]), rtol=1e-6, atol=1e-8)


def test_no_global_flag_changes():
    import jax

    before = jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision
    ZORBClassifier("Dense[12] Tanh", backend="jax", random_state=0).fit(X[:101], Y[:101])
    NetworkClassifier("Dense[4] Tanh", trainer=Backprop(max_epochs=2)).fit(X[:101], Y[:101])
    assert (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision) == before


FORKED = """
import os, sys, time, numpy as np
from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.trainers import Backprop

X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2

def in_child(call, says):
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if call() else 1)
        except RuntimeError as error:
            os._exit(3 if says in str(error) else 4)
        except BaseException:
            os._exit(5)
    for _ in range(300):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, 9)
    sys.exit("a forked child hangs")

on_numpy = ZORBClassifier("Dense[4] Tanh", backend="numpy")
rule = Backprop(max_epochs=2)
on_jax = [ZORBClassifier("Dense[4] Tanh", backend="jax"), NetworkClassifier("Tanh", trainer=rule)]
for model in on_jax:
    expected = model.fit(X, y).predict(X)
    assert in_child(lambda: (model.predict(X) == expected).all(), "fork") in (0, 3)
assert in_child(lambda: on_jax[0].fit(X, y), "loky") == 3
assert in_child(lambda: on_numpy.fit(X, y), "") == 0
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_in_a_forked_child_numpy_works_and_jax_does_or_is_refused():
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_parallel_fits_agree():
    model = ZORBClassifier("Dense[6] Tanh", backend="numpy", random_state=0)
    alone = model.fit(X[:200], Y[:200]).predict_proba(X)
    for kind in ("loky", "threading"):
        jobs = (delayed(model.fit)(X[:200], Y[:200]) for _ in range(2))
        for fitted in Parallel(n_jobs=2, backend=kind)(jobs):
            np.testing.assert_allclose(fitted.predict_proba(X), alone, rtol=1e-6, atol=1e-9)


def test_jax_in_threads_agrees():
    rows, y = X[:101], Y[:101]
    models = [ZORBClassifier("Dense[12] Tanh", backend="jax", random_state=s) for s in (0, 1)]
    alone = [model.fit(rows, y).params_[-1]["weights"].copy() for model in models]
    fits = Parallel(n_jobs=2, backend="threading")(delayed(m.fit)(rows, y) for m in models)
    for fitted, expected in zip(fits, alone, strict=True):
        assert fitted.params_[-1]["weights"].dtype == np.float64
        np.testing.assert_allclose(fitted.params_[-1]["weights"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_eigenvalues_of_a_symmetric_matrix(name):
    matrix = np.random.default_rng(0).normal(size=(9, 9))
    matrix += matrix.T
    ops = get_backend(name)
    with ops.scope():
        values, vectors = map(np.asarray, ops.eigh(ops.asarray(matrix)))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix), atol=1e-12)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, matrix, atol=1e-12)


def test_eigenvalues_that_are_not_found_are_an_error():
    with pytest.raises(np.linalg.LinAlgError, match="dsyevd"):
        get_backend("numpy").eigh(np.full((3, 3), np.nan))


def test_a_context_has_no_other_attributes():
    context = Context(relaxation=0.5)
    assert context.replace(n_jobs=2) == Context(**{**vars(context), "n_jobs": 2})
    assert context.n_jobs is None
    with pytest.raises(TypeError, match="relaxations"):
        context.replace(relaxations=0.1)
