"""Batches of one shape, padded by rows of weight zero."""

import numpy as np

from sklearn_zorb.rows import Targets
from sklearn_zorb.trainers.gradient.batches import Batches


def test_batches_hold_every_row_once_and_weigh_it():
    X, weights = np.arange(70.0)[:, None], np.linspace(0.5, 1.5, 70)
    batches = Batches(X, Targets(X), weights, 16, np.float64)
    (x, t, w), count = next(batches.blocks(np.random.default_rng(0)))
    assert count == 5 and x.shape[1:] == (16, 1)
    np.testing.assert_array_equal(t, x)
    real = w > 0
    assert sorted(x[real].ravel()) == list(range(70))
    lengths = np.repeat([16] * 4 + [6], [16] * 4 + [6])
    expected = weights[x[real].ravel().astype(int)] / weights.mean() / lengths
    np.testing.assert_allclose(w[real], expected)
    np.testing.assert_allclose(batches.shares(), [16 / 70] * 4 + [6 / 70])


def test_blocks_within_a_limit_hold_the_batches_of_one_block():
    X = np.arange(300.0)[:, None]
    whole = Batches(X, Targets(X), None, 16, np.float64)
    (x, _, w), count = next(whole.blocks(np.random.default_rng(0)))
    small = Batches(X, Targets(X), None, 16, np.float64, limit=8 * 4 * 16 * 8)
    blocks = list(small.blocks(np.random.default_rng(0)))
    assert len(blocks) == 5 and {block[0].shape for block, _ in blocks} == {(4, 16, 1)}
    np.testing.assert_array_equal(np.concatenate([b[0][:n] for b, n in blocks]), x[:count])
    np.testing.assert_array_equal(np.concatenate([b[2][:n] for b, n in blocks]), w[:count])
