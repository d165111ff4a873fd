"""Sums and solvers: order, splits, units, copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.drawn import SEEDS, SIZES, UNITS, noise

from sklearn_zorb.linalg import Gram, LeastSquares, System

ALPHAS = pytest.mark.parametrize("alpha", ["loo", 0, 0.5])


def solved(alpha, rows, targets, weights=None):
    system = System.from_arrays(rows, targets, weights)
    return LeastSquares(alpha).solve(system, left_out=True)


@given(SEEDS, SIZES, st.lists(st.integers(0, 30), max_size=4), st.booleans())
def test_sums_of_parts_are_those_of_the_whole(seed, n_rows, cuts, weighted):
    rows, targets = noise(seed, n_rows, 4) + 1e3, noise(seed + 1, n_rows, 2)
    weights = np.abs(noise(seed + 2, n_rows)) if weighted else None
    whole, edges = Gram().add(rows, targets, weights), sorted([0, *cuts, n_rows])
    parts = [
        Gram().add(rows[a:b], targets[a:b], None if weights is None else weights[a:b])
        for a, b in zip(edges, edges[1:], strict=False)
        if a < b <= n_rows
    ]
    merged = Gram()
    for part in reversed(parts):
        merged = part.merge(merged)
    if sum(part.n_rows for part in parts) < n_rows:
        return  # a cut beyond the end
    for name in ("weight", "mean", "target_mean", "product", "cross", "target_squares"):
        np.testing.assert_allclose(
            getattr(merged, name), getattr(whole, name), rtol=1e-9, atol=1e-9
        )


@ALPHAS
@given(SEEDS, SIZES, st.integers(1, 12))
def test_the_order_of_rows_makes_no_difference(alpha, seed, n_rows, n_columns):
    rows, targets = noise(seed, n_rows, n_columns), noise(seed + 1, n_rows, 2)
    order = np.random.default_rng(seed).permutation(n_rows)
    one, other = solved(alpha, rows, targets), solved(alpha, rows[order], targets[order])
    np.testing.assert_allclose(other.coef, one.coef, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other.left_out, one.left_out[order], rtol=1e-5, atol=1e-7)


@ALPHAS
@given(SEEDS, st.integers(6, 30), UNITS, st.sampled_from([0.0, -3.0, 1e4]))
def test_units_of_targets_and_offsets_of_rows(alpha, seed, n_rows, unit, offset):
    rows, targets = noise(seed, n_rows, 3), noise(seed + 1, n_rows, 2)
    one, other = solved(alpha, rows, targets), solved(alpha, rows + offset, unit * (targets + 7))
    np.testing.assert_allclose(other.coef / unit, one.coef, rtol=1e-5, atol=1e-6)
    expected = one.intercept - offset * one.coef.sum(axis=0) + 7
    atol = 1e-4 * max(1.0, abs(offset))
    np.testing.assert_allclose(other.intercept / unit, expected, rtol=1e-4, atol=atol)


@given(SEEDS, SIZES, UNITS)
def test_a_searched_penalty_follows_the_unit_of_the_rows(seed, n_rows, unit):
    rows, targets = noise(seed, n_rows, 3), noise(seed + 1, n_rows, 2)
    one, other = solved("loo", rows, targets), solved("loo", unit * rows, targets)
    np.testing.assert_allclose(other.coef * unit, one.coef, rtol=1e-6)
    np.testing.assert_allclose(other.alpha / unit**2, one.alpha, rtol=1e-6)


@ALPHAS
@given(SEEDS, st.integers(4, 15), st.integers(1, 20))
def test_weights_are_copies(alpha, seed, n_rows, n_columns):
    rows, targets = noise(seed, n_rows, n_columns), noise(seed + 1, n_rows, 2)
    counts = np.random.default_rng(seed).integers(1, 4, n_rows)
    copies = np.repeat(np.arange(n_rows), counts)
    one = solved(alpha, rows, targets, counts.astype(float))
    other = solved(alpha, rows[copies], targets[copies])
    np.testing.assert_allclose(other.coef, one.coef, rtol=1e-5, atol=1e-6)
