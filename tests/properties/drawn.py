"""What the property tests draw."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

# few values, so that rows repeat, and powers of two, so that units are exact
NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, -20.0, 1e-9, 1e9])
FEW, WIDTHS = st.integers(1, 12), st.integers(1, 4)
UNITS = st.sampled_from([2.0**-60, 0.5, 1.0, 4.0, 2.0**40])


def tables(n_rows=FEW, n_columns=WIDTHS):
    """Arrays of float64 with two axes."""
    shapes = st.tuples(n_rows, n_columns)
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=NUMBERS))


def noise(seed, *shape):
    """Normal numbers, for what has to be well conditioned."""
    return np.random.default_rng(seed).normal(size=shape)


SEEDS = st.integers(0, 10_000)
SIZES = st.integers(3, 30)
