"""A solved layer and those beneath it: chunks, targets, candidates, fits that are kept."""

import numpy as np
import pytest
from scipy.special import softmax
from small_network import Problem, hand

from sklearn_zorb.layers import Context, Dense, Tanh, Trees
from sklearn_zorb.network import Network
from sklearn_zorb.rows import Targets
from sklearn_zorb.trainers.target_propagation.stage import Stage, by_chunks, compiled_targets

pytestmark = pytest.mark.usefixtures("x64")


def stage_of(layer, params, width=3):
    """A stage with nothing beneath its solved layer."""
    network = Network.build([], [], ("target", Dense(width)), [], (width,), "last")
    return Stage(network, [{}], None, layer, params, np.dtype(float))


def test_targets_by_several_steps_against_numpy():
    problem = Problem([Tanh()])
    ((V, c),), (rows, wanted, _) = hand(problem)
    found = compiled_targets(problem.objective, 0.5, 3)(problem.params, rows, wanted)
    for _ in range(3):
        h = np.tanh(rows)
        rows = rows - 0.5 * ((softmax(h @ V + c, axis=1) - wanted) @ V.T) * (1 - h**2)
    np.testing.assert_allclose(found, rows)


@pytest.mark.parametrize("n_rows", [5, 1024, 1500, 2049])
def test_chunks_are_one_array(n_rows):
    rows = np.random.default_rng(0).normal(size=(n_rows, 2))
    found = by_chunks(lambda a, b: 2 * a + b, rows, np.arange(n_rows)[:, None], dtype=float)
    np.testing.assert_array_equal(found, 2 * rows + np.arange(n_rows)[:, None])


def test_nearest_candidate():
    rng = np.random.default_rng(0)
    found, wanted = rng.normal(size=(4, 10, 3)), rng.normal(size=(10, 3))
    chosen = stage_of(Tanh(), {}).nearest(found, wanted)
    for i in range(10):
        errors = ((np.tanh(found[:, i]) - wanted[i]) ** 2).sum(axis=1)
        np.testing.assert_array_equal(chosen[i], found[errors.argmin(), i])


def test_kept_fits_hand_on_the_mean_of_what_they_had_not_seen():
    rng = np.random.default_rng(0)
    rows, wanted = rng.normal(size=(30, 2)), rng.normal(size=(2, 30, 3))
    layer = Trees(5, units=3, n_keep=2)
    params = layer.init(np.random.default_rng(1), (2,))
    stage, single = stage_of(layer, params, 2), []
    for t in wanted:
        stage.solve(rows, t, Context(rng=np.random.default_rng(2)))
        context = Context(rng=np.random.default_rng(2))
        single.append(Trees(5, units=3).solve(params, rows, Targets(t), context).outputs)
    np.testing.assert_allclose(stage.handed_on(rows), np.mean(single, axis=0))
    later = stage_of(layer, stage.params, 2)
    assert len(later.params["estimator"].models) == 2
    later.solve(rows[:10], wanted[0][:10], Context(rng=np.random.default_rng(2)))
    assert later.handed_on(rows[:10]).shape == (10, 3)
