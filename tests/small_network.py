"""One small problem on which the steps of gradient rules are compared."""

import numpy as np

from sklearn_zorb.layers import Context, Dense
from sklearn_zorb.network import Network
from sklearn_zorb.trainers.gradient.objective import Objective, trainable


class Problem:
    """An objective of three classes, params of `layers` and a read-out, a batch of weighted rows.

    Arrays are JAX's, as they are within a step.
    """

    def __init__(self, layers, width=4, n=12):
        import jax

        named = [(f"layer_{i}", layer) for i, layer in enumerate(layers)]
        network = Network.build([], named, ("readout", Dense(3)), [], (width,), "last")
        params = network.init(np.random.default_rng(0), None)
        self.params = jax.tree.map(jax.numpy.asarray, params)
        rng = np.random.default_rng(1)
        X, T = rng.normal(size=(n, width)), np.eye(3)[rng.integers(3, size=n)]
        self.batch = tuple(map(jax.numpy.asarray, (X, T, rng.uniform(size=n) / n)))
        self.objective = Objective(network, "multiclass")
        self.moved = trainable(network, self.params)
        self.key = jax.random.key(0)

    def start(self, trainer):
        """The update of a rule, and its first memory."""
        update = trainer.make_update(self.objective, self.moved)
        context = Context(rng=np.random.default_rng(3))
        return update, update.memory(self.objective, self.params, self.moved, context)

    def direction(self, trainer, memory=None):
        """A tree: the direction of a rule for the batch."""
        update, first = self.start(trainer)
        memory = first if memory is None else memory
        return self.follow(update, memory)[0]

    def follow(self, update, memory, batch=None):
        """Direction, aux and next memory."""
        import jax

        @jax.jit
        def step(memory, batch):
            parts = (self.objective, self.moved, self.params, memory, batch, self.key)
            return update.direction(*parts)

        return step(memory, self.batch if batch is None else batch)


def hand(problem):
    """Weights and intercepts of the layers that have some, and the batch, as NumPy arrays."""
    layers = [params for params in problem.params if "weights" in params]
    pairs = [
        [np.asarray(params[k]) for k in ("weights", "intercept") if k in params]
        for params in layers
    ]
    return pairs, tuple(map(np.asarray, problem.batch))


def flat(tree):
    """All numbers of a tree, in its order."""
    import jax

    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def flat_params(model):
    """All weights and intercepts of a fitted model."""
    return flat(
        [
            {k: params[k] for k in ("weights", "intercept")}
            for params in model.params_
            if "weights" in params
        ]
    )
