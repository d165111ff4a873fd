"""A solved layer and those beneath it: chunks, targets, candidates, fits that are kept."""

import numpy as np
import pytest

from sklearn_zorb.layers import Context, Dense, Trees
from sklearn_zorb.network import Network
from sklearn_zorb.rows import Targets
from sklearn_zorb.trainers.target_propagation.stage import Stage

pytestmark = pytest.mark.usefixtures("x64")


def stage_of(layer, params, width=3):
    """A stage with nothing beneath its solved layer."""
    network = Network.build([], [], ("target", Dense(width)), [], (width,), "last")
    return Stage(network, [{}], None, layer, params, np.dtype(float))


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
