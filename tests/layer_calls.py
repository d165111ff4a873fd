"""How the tests call the methods of single layers and name their traits: here only."""

import numpy as np

from sklearn_zorb.layers import Context, Layer
from sklearn_zorb.linalg import LeastSquares
from sklearn_zorb.memory import Memory
from sklearn_zorb.targets import Targets

TRAITS = {
    "learns": "solvable", "reads_targets": "uses_targets", "fits_targets": "fits_targets",
    "reads_inputs": "needs_inputs", "streams": "streams", "draws_rows": "draws_rows",
    "differentiable": "differentiable", "jax": "traceable",
}  # fmt: skip


def trait(layer, name):
    return getattr(layer, TRAITS[name])


def with_traits(**traits):
    """Decorate a layer class with traits of its own."""

    def give(cls):
        for name, value in traits.items():
            setattr(cls, TRAITS[name], value)
        return cls

    return give


def initial(layer, inputs, sample_weight=None, y=None, seed=0):
    """Initial params of a layer that may look at its inputs."""
    return layer.init(np.random.default_rng(seed), inputs.shape[1:], (inputs, y, sample_weight))


def inverted(layer, params, targets, inputs=None, *, seed=None, **options):
    """(targets for the inputs, params with what the inverse learned of all targets)."""
    if seed is not None:
        options["rng"] = np.random.default_rng(seed)
    return layer.invert(params, targets, inputs, **options)


def solved(layer, params, inputs, targets, *, codes=None, alpha=None, memory_limit=None, **context):
    """What a layer learns of targets, which are those of distinct rows where there are codes."""
    targets = None if targets is None else Targets(targets, codes)
    if alpha is not None:
        context["solver"] = LeastSquares(alpha=alpha)
    if "y" in context:
        context["y_targets"] = targets
    return layer.solve(params, inputs, targets, Context(memory=Memory(memory_limit), **context))


@with_traits(reads_inputs=False)
class OwnLayer(Layer):
    """A layer of the tests' own: `inverse` gives targets for the inputs."""

    def inverse(self, params, targets, inputs):
        return targets

    def invert(self, params, targets, inputs, *, rng=None):
        return self.inverse(params, targets, inputs), params


def mean_difference(inputs, targets, context):
    """Weighted mean of targets less inputs, summed up chunk by chunk."""
    weights = context.sample_weight
    weights = np.ones(len(inputs)) if weights is None else weights
    chunks = list(context.memory.chunks(len(inputs), 1))
    total = sum(weights[part] @ (targets[part] - inputs[part]) for part in chunks)
    return total / weights.sum(), len(chunks)


def outputs_before(model, X, count=-1):
    """What the first layers of a fitted model make of rows: all but the read-out by default."""
    rows = X
    for (_, layer), params in list(zip(model.layers_, model.params_, strict=True))[:count]:
        rows = layer.forward(params, rows)
    return rows
