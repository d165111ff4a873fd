"""Two hundred cases of one seed; `python -m tests.torture` runs more."""

import pytest

from torture.cases import failures


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_odd_tables_end_in_finite_numbers_or_in_a_check(first):
    found, counts = failures(0, range(first, first + 50))
    assert found == []
    # neither all of them refused, nor none
    assert min(counts.values()) >= 5
