"""How the tests call the methods of single layers and name their traits: here only."""

from dataclasses import replace

import numpy as np

from sklearn_zorb.layers import Context, Layer, Traits
from sklearn_zorb.linalg import LeastSquares, get_backend
from sklearn_zorb.memory import Memory
from sklearn_zorb.rows import Rows, Targets


def trait(layer, name):
    return getattr(layer.traits, name)


def with_traits(**traits):
    """Decorate a layer class with traits of its own."""

    def give(cls):
        cls.traits = replace(cls.traits, **traits)
        return cls

    return give


def initial(layer, inputs, sample_weight=None, y=None, seed=0):
    """Initial params of a layer that may look at its inputs."""
    data = (Rows(inputs), y, sample_weight)
    return layer.init(np.random.default_rng(seed), inputs.shape[1:], data)


def inverted(layer, params, targets, inputs=None, *, seed=None, **options):
    """(targets for the inputs, params with what the inverse learned of all targets)."""
    if seed is not None:
        options["rng"] = np.random.default_rng(seed)
    context = Context(**options)
    params = layer.learn_inverse(params, [(targets, inputs)], context)
    return layer.invert(params, targets, inputs, context), params


def by_jax(layer, params, inputs, targets=None):
    """Outputs for inputs, and targets for inputs of the targets or of these outputs, by JAX."""
    backend = get_backend("jax")
    with backend.scope():
        inputs = backend.asarray(inputs)
        params = {name: backend.asarray(value) for name, value in params.items()}
        outputs = layer.forward(params, inputs)
        targets = outputs if targets is None else backend.asarray(targets)
        return outputs, inverted(layer, params, targets, inputs)[0]


def solved(layer, params, inputs, targets, *, codes=None, alpha=None, memory_limit=None, **context):
    """What a layer learns of targets, which are those of distinct rows where there are codes."""
    targets = None if targets is None else Targets(targets, codes)
    if alpha is not None:
        context["solver"] = LeastSquares(alpha=alpha)
    if "y" in context:
        context["y_targets"] = targets
    context = Context(memory=Memory(memory_limit), **context)
    return layer.solve(params, Rows(inputs), targets, context)


class OwnLayer(Layer):
    """A layer of the tests' own: `inverse` gives targets for the inputs."""

    traits = Traits(reads_inputs=False)

    def inverse(self, params, targets, inputs):
        return targets

    def invert(self, params, targets, inputs, context):
        return self.inverse(params, targets, inputs)


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
