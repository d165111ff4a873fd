"""Settings and data shared by the tests."""

import os
from collections import Counter

# before NumPy is loaded, and for processes that tests start: threads of BLAS in one worker of
# xdist would wait actively on the cores of the others; those of XLA are as many as NPROC says
if "PYTEST_XDIST_WORKER" in os.environ:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
    os.environ.update(dict.fromkeys(names, "1"))

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - brings a BLAS of its own
from threadpoolctl import threadpool_limits

if "PYTEST_XDIST_WORKER" in os.environ:
    # NumPy may have been there already
    threadpool_limits(1)

# small programs, most of them run once: compilers take longer than they save
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Parameters beyond those that a test says are quick are slow."""
    seen = Counter()
    for item in items:
        if (mark := item.get_closest_marker("quick")) is not None:
            test = item.path, item.originalname
            seen[test] += 1
            if seen[test] > mark.args[0]:
                item.add_marker("slow")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def x64():
    """JAX in float64, as the estimators run it, for tests of what lies below them."""
    import jax

    with jax.enable_x64(True):
        yield


@pytest.fixture
def compiled(monkeypatch):
    """Durations of the programs that XLA compiled since; none is let go."""
    import jax

    monkeypatch.setattr("sklearn_zorb.linalg.backends.MOST_PROGRAMS", np.inf)

    events = []

    def listen(event, duration, **more):
        if event == "/jax/core/compile/backend_compile_duration":
            events.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield events
    jax.monitoring.unregister_event_duration_listener(listen)
