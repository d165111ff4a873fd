"""One small problem on which the steps of gradient rules are compared."""

import numpy as np

from sklearn_zorb.layers import Dense
from sklearn_zorb.network import Network
from sklearn_zorb.trainers.gradient.objective import Objective


class RuleContext:
    """What a rule reads of its context when it sets up its memory."""

    def __init__(self):
        self.rng, self.dtype = np.random.default_rng(3), np.float64


def problem(layers, width=4, n=12):
    """An objective of three classes, params of `layers` and a read-out, a batch of weighted rows.

    Arrays are JAX's, as they are within a step.
    """
    import jax

    named = [(f"layer_{i}", layer) for i, layer in enumerate(layers)]
    network = Network.build([], named, ("readout", Dense(3)), [], (width,), "last")
    params = jax.tree.map(jax.numpy.asarray, network.init(np.random.default_rng(0), None))
    rng = np.random.default_rng(1)
    X, T = rng.normal(size=(n, width)), np.eye(3)[rng.integers(3, size=n)]
    batch = (X, T, rng.uniform(size=n) / n)
    return Objective(network, "multiclass"), params, tuple(map(jax.numpy.asarray, batch))


def flat(tree):
    """All numbers of a tree, in its order."""
    import jax

    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def flat_params(model):
    """All weights and intercepts of a fitted model."""
    return flat(
        [{k: own[k] for k in ("weights", "intercept")} for own in model.params_ if "weights" in own]
    )
