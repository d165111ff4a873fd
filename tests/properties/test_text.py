"""Lists as text: what is written is read again, and all else is refused by one error."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from sklearn_zorb.layers import LayerSyntaxError, format_layers, parse_layers

UNITS = st.integers(1, 10**6)
SHARES = st.floats(0, 1).map(lambda share: round(share, 6))
PLAIN = st.one_of(
    st.sampled_from(["Tanh", "ReLU", "Softmax", "Flatten", "Identity", "BatchNorm", "Dropout"]),
    UNITS.map("Dense[{}]".format),
    st.builds("Dense[{}, relaxation={}, use_bias={}]".format, UNITS, SHARES, st.booleans()),
    st.builds("Conv2D[{}, {}]".format, UNITS, st.integers(1, 9)),
    st.builds("Trees[{}, kind={}]".format, UNITS, st.sampled_from(["extra", "boosting"])),
)


def composite(lists):
    blocks = st.lists(lists, min_size=1, max_size=3).map(" | ".join)
    nested = st.builds("{}({})".format, st.sampled_from(["Parallel", "Stack"]), blocks)
    items = st.one_of(PLAIN, nested, st.builds("Skip({})".format, lists))
    return st.lists(items, min_size=1, max_size=3).map(" ".join)


LISTS = st.recursive(st.lists(PLAIN, min_size=1, max_size=4).map(" ".join), composite, max_leaves=6)
SCRAPS = st.lists(
    st.sampled_from(["Dense", "Skip", "Conv2D", "[", "]", "(", ")", "|", ",", "=", "3", " ", "é"])
    | st.text(max_size=3),
    max_size=12,
).map("".join)


@given(LISTS)
def test_what_is_written_is_read_again(text):
    written = format_layers(parse_layers(text))
    assert format_layers(parse_layers(written)) == written


@given(SCRAPS)
def test_scraps_are_read_or_refused(text):
    with contextlib.suppress(LayerSyntaxError):
        format_layers(parse_layers(text))
