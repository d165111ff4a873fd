"""Run in a process of its own: JAX as it is where it finds an accelerator, on a CPU.

A plugin that does nothing is found on the path, and JAX says that its device is a GPU.
"""

import warnings

import jax
import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_diabetes, load_digits, load_iris

jax.default_backend = lambda: "gpu"
warnings.simplefilter("ignore")

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor  # noqa: E402
from sklearn_zorb.linalg import choose_backend, get_backend  # noqa: E402
from sklearn_zorb.trainers import Backprop  # noqa: E402

COMPILED = []


def outputs(model, X):
    return model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)


def agree(model, X, y, tolerance=1e-6):
    """What the device gives beside NumPy."""
    expected, found = (
        outputs(model.set_params(backend=name, random_state=0).fit(X, y), X)
        for name in ("numpy", "jax")
    )
    scale = max(1.0, np.abs(expected).max())
    assert np.abs(found - expected).max() < tolerance * scale, model


def check_choice():
    assert choose_backend("auto", 1e15) == "jax"
    assert choose_backend("auto", 1e6) == "numpy"  # too little to start a device for
    jax.default_backend = lambda: "cpu"
    assert choose_backend("auto", 1e15) == "numpy"
    jax.default_backend = lambda: "gpu"


def check_fits():
    X, y = load_digits(return_X_y=True)
    iris, diabetes = load_iris(return_X_y=True), load_diabetes(return_X_y=True)
    deep = "Dense[40] Tanh Dense[30] Sigmoid"
    agree(ZORBClassifier(deep), X, y, 1e-8)
    agree(ZORBClassifier(deep, dtype="float32"), X, y, 5e-3)
    # wide: solves of many units by the rule for few rows
    agree(ZORBClassifier("Dense[800] ReLU Dropout[.1]", readout="last"), X[:500], y[:500], 1e-5)
    agree(ZORBClassifier("Conv2D[4, 3] ReLU Flatten", input_shape=(8, 8, 1)), X[:500], y[:500])
    agree(ZORBClassifier("Dense[20] Tanh"), sp.csr_matrix(iris[0]), iris[1])
    agree(ZORBClassifier("auto"), *iris)
    agree(ZORBClassifier("Dense[20, relaxation=0] ReLU Trees[5]"), *iris)
    agree(ZORBRegressor("Flatten Stack(Trees[5] | Dense[8] Tanh)"), *diabetes)


def check_gradients():
    """Derivatives of convolutions are other programs there."""
    X, y = load_digits(return_X_y=True)
    found = []
    for platform in ("cpu", "gpu"):
        jax.default_backend = lambda platform=platform: platform
        rule = Backprop(max_epochs=2)
        model = NetworkClassifier("Conv2D[4, 3] ReLU Flatten", input_shape=(8, 8, 1), trainer=rule)
        found.append(model.set_params(random_state=0).fit(X[:500], y[:500]).decision_function(X))
    assert np.abs(found[0] - found[1]).max() < 1e-6 * np.abs(found[0]).max()


def check_programs():
    """A fresh process waits for compilers once for each program: few for each layer."""
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: COMPILED.append(event) if "backend_compile" in event else None
    )
    X, y = load_digits(return_X_y=True)
    counts = []
    for layers in ("Dense[53] Tanh", "Dense[53] Tanh Dense[47] Tanh Dense[41] Tanh"):
        jax.clear_caches()
        COMPILED.clear()
        ZORBClassifier(layers, readout="last", backend="jax", random_state=0).fit(X, y)
        counts.append(len(COMPILED))
    assert 2 <= counts[1] - counts[0] <= 2 * 14, counts


if __name__ == "__main__":
    check_choice()
    device = get_backend("jax")
    device.accelerated, device.chunk_bytes = True, 1e9
    check_fits()
    check_gradients()
    check_programs()
