"""Files: any plain values come back as they were, whatever is nested in whatever."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sklearn_zorb import load, save

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DTYPES = (
    arrays.boolean_dtypes() | arrays.integer_dtypes() | arrays.floating_dtypes(sizes=(16, 32, 64))
    | arrays.complex_number_dtypes(sizes=(64, 128)) | arrays.unicode_string_dtypes(min_len=1)
    | arrays.datetime64_dtypes()
)  # fmt: skip
SHAPES = arrays.array_shapes(min_dims=0, min_side=0, max_side=3)
LEAVES = PLAIN | DTYPES | arrays.arrays(DTYPES, SHAPES)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one, two):
    """Whether two values are, types, NaN, signs of zero and orders included."""
    if type(one) is not type(two):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return same(list(one.items()), list(two.items()))
    if isinstance(one, np.ndarray):
        strides = one.flags.c_contiguous == two.flags.c_contiguous or one.size < 2
        equal = one.dtype == two.dtype and one.shape == two.shape
        return equal and one.tobytes() == two.tobytes() and strides
    return repr(one) == repr(two)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_values_come_back(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "values"
    save(content, path)
    assert same(content, load(path))
