"""Tables of targets."""

import numpy as np
import pytest

from sklearn_zorb.memory import Memory
from sklearn_zorb.rows import Targets

CODES = np.array([2, 0, 1, 1, 0])


@pytest.fixture
def table(rng):
    return Targets(rng.normal(size=(3, 4)), CODES)


def test_repeated_rows(table):
    assert table.shape == (5, 4) and len(table) == 5
    np.testing.assert_array_equal(table[:], table.values[CODES])
    np.testing.assert_array_equal(table[1:3], table.values[CODES[1:3]])
    np.testing.assert_array_equal(np.asarray(table), table.values[CODES])


def test_steps_are_of_distinct_rows_and_not_taken_before_they_are_read(table):
    seen = []

    def squared(rows):
        seen.append(len(rows))
        return rows[:, :2] ** 2

    below = table.through(squared)
    assert below.shape == (5, 2)
    seen.clear()
    np.testing.assert_allclose(below.distinct(), table.values[:, :2] ** 2)
    assert seen == [3]
    np.testing.assert_allclose(below[:], table[:][:, :2] ** 2)
    kept = below.kept(Memory())
    seen.clear()
    np.testing.assert_allclose(kept[:], below.values[CODES][:, :2] ** 2)
    assert seen == [] and not kept.steps


def test_what_does_not_fit_is_computed_when_it_is_read(rng):
    values = rng.normal(size=(300, 50))
    below = Targets(values).through(np.exp)
    limited = Memory("50KB")
    assert below.kept(limited).steps
    pieces = list(below.chunks(limited))
    assert len(pieces) > 1
    np.testing.assert_allclose(np.concatenate(pieces), np.exp(values))
    assert len(list(below.chunks(Memory()))) == 1


def test_compressed_targets_times_the_basis_are_the_table(table):
    thin, basis = table.compress()
    np.testing.assert_allclose(thin[:] @ basis, table[:], atol=1e-12)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-12)
