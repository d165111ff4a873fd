"""Two hundred cases of one seed; `python -m tests.torture` runs more."""

import numpy as np
import pytest

from sklearn_zorb import ZORBClassifier
from torture.cases import FLAT, IMAGES, OTHERS, failures


def name_of(layers):
    """The same in every process, which the text of a function is not."""
    return str(layers() if callable(layers) else layers)


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_odd_tables_end_in_finite_numbers_or_in_a_check(first):
    found, counts = failures(0, range(first, first + 50))
    assert found == []
    # neither all of them refused, nor none
    assert min(counts.values()) >= 5


@pytest.mark.parametrize("layers", [*FLAT, *IMAGES, *OTHERS], ids=name_of)
def test_no_list_is_refused_for_a_table_that_is_not_odd(layers, rng):
    """What is refused above is refused for its table."""
    rows = rng.normal(size=(40, 3))
    shape = (3, 1, 1) if layers in IMAGES else None
    built = layers() if callable(layers) else layers
    model = ZORBClassifier(built, input_shape=shape, random_state=0).fit(rows, np.arange(40) % 3)
    assert np.isfinite(model.predict_proba(rows)).all()
