"""Settings and data shared by the tests."""

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real data; tests that need it are skipped where it is not set."""
    folder = os.environ.get("SKLEARN_ZORB_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKLEARN_ZORB_DATA is not set")
    return Path(folder)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def x64():
    """JAX in float64, as the estimators run it, for tests of what lies below them."""
    import jax

    with jax.enable_x64(True):
        yield
