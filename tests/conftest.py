"""Settings and data shared by the tests."""

import os

import numpy as np
import pytest

# small programs, most of them run once: compilers take longer than they save
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def x64():
    """JAX in float64, as the estimators run it, for tests of what lies below them."""
    import jax

    with jax.enable_x64(True):
        yield
