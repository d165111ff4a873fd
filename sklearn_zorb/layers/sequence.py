"""Pure functions over a list of layers and the list of their params."""

import numpy as np

from ..linalg import namespace
from ..targets import Targets
from .lowered import Lowered, lower
from .rows import Rows, as_array, settle, through


def init(layers, rng, input_shape, data=None):
    """Initial params of every layer, each drawn from a stream of its own."""
    params, shape = [], tuple(input_shape)
    for layer, own_rng in zip(layers, rng.spawn(len(layers)), strict=True):
        here = data
        if data is not None and params:
            here = (Rows(data[0], layers[: len(params)], params, shape), *data[1:])
        params.append(layer.init(own_rng, shape, here))
        shape = tuple(layer.output_shape(shape))
    return params


def forward(layers, params, inputs, *, rng=None):
    """Output of the last layer."""
    for i, (layer, own) in enumerate(zip(layers, params, strict=True)):
        inputs = layer.forward(own, inputs, rng=stream(rng, i))
    return inputs


def stream(rng, number):
    """What layer or branch `number` draws from.

    A Generator goes on from draw to draw; a JAX key would give the same numbers to all.
    """
    if rng is None or isinstance(rng, np.random.Generator):
        return rng
    from jax import random

    return random.fold_in(rng, number)


def needs_inputs(layers):
    """Whether inverting the list takes its inputs."""
    return any(layer.needs_inputs for layer in layers)


def invert(layers, params, targets, inputs, *, rng=None, backward_rcond=None, memory=None):
    """Targets for the first layer's input, and params with what the inverses learned.

    With `memory`, targets too many for it are returned as `Lowered`.
    """
    params = list(params)
    before = [inputs]
    if needs_inputs(layers):
        for layer, own in zip(layers[:-1], params[:-1], strict=True):
            before.append(layer.forward(own, before[-1]))
    else:
        before *= len(layers)
    streams = [None] * len(layers) if rng is None else rng.spawn(len(layers))
    for i in reversed(range(len(layers))):
        options = {"backward_rcond": backward_rcond} if layers[i].invert_options else {}
        own_inputs = before[i] if layers[i].needs_inputs else None
        targets, params[i] = lower(
            layers[i], params[i], targets, own_inputs, memory, rng=streams[i], **options
        )
    return targets, params


class Downward:
    """Carries targets from the end of a list down to any of its layers.

    The weights above a layer do not change before their own turn, so each inverse that
    does not read its inputs is computed once, and shared by all layers below it.
    """

    def __init__(self, layers, params, targets, context):
        self.layers, self.params, self.context = layers, params, context
        self._known = {len(layers) - 1: targets}
        self._streams = context.rng.spawn(len(layers))

    def at(self, index, inputs):
        """Targets for the output of layer `index`, whose present input is `inputs`."""
        start = min(i for i in self._known if i >= index)
        targets, fixed = self._known[start], True
        for i in range(start, index, -1):
            fixed = fixed and not (self.layers[i].needs_inputs or self.context.refine)
            targets = self._invert(i, targets, index, inputs)
            if fixed:
                self._known[i - 1] = targets
        return targets

    def _invert(self, i, targets, index, inputs):
        layer, refine = self.layers[i], self.context.refine
        here = None
        if layer.needs_inputs or refine:
            between = self.layers[index:i], self.params[index:i]
            here = forward(*between, as_array(inputs))
            targets = Targets(targets[:])
        values, self.params[i] = self._inverse(i, targets.values, here)
        if refine:
            # difference target propagation: what the inverse makes of the present output is
            # taken away, so that a perfect output asks for no change
            present, _ = self._inverse(i, layer.forward(self.params[i], here), here)
            values = here + (values - present)
        _check_targets(layer, values)
        return targets.with_values(values)

    def _inverse(self, i, values, here):
        layer = self.layers[i]
        options = {name: getattr(self.context, name) for name in layer.invert_options}
        here = here if layer.needs_inputs else None
        # differences are of whole arrays
        memory = None if self.context.refine else self.context.memory
        return lower(
            layer, self.params[i], values, here, memory, rng=self._streams[i], **options
        )  # fmt: skip


def _check_targets(layer, values):
    """ValueError that names the layer whose inverse is not defined for what it was asked.

    Of classes these are a few distinct rows. Targets too many to keep are looked at nowhere.
    """
    if not isinstance(values, Lowered) and not namespace(values).isfinite(values).all():
        name = type(layer).__name__
        raise ValueError(
            f"{name}.invert returned NaN or infinity. Targets may be any numbers, those that "
            f"{name} cannot reach too: its invert has to draw them into its range first. "
            "sklearn_zorb.testing.check_layer tells of such layers."
        )


def solve(layers, params, inputs, targets, context, *, visit=None, taps=()):
    """One sweep: every solvable layer solved once, front to back.

    Parameters
    ----------
    layers, params : lists
    inputs : array or Rows of shape (n_samples, ...)
    targets : Targets
        For the output of the last layer.
    context : Context
    visit : callable or None
        Called as ``visit(index, inputs, report, params)`` after each layer with the rows
        that reached it and the report of its solve, None where there was none. A true
        return ends the sweep there, the layers behind keeping the params they have.
    taps : sequence of int
        Indices of layers whose inputs are read again later.

    Returns
    -------
    params : list of dict
    outputs : array or Rows
        What the last layer hands on during training.
    """
    params = list(params)
    downward = Downward(layers, params, targets, context)
    streams = context.rng.spawn(len(layers))
    stopped = False
    for i, layer in enumerate(layers):
        outputs, report = None, None
        if not stopped and layer.moves(context):
            below = downward.at(i, inputs)
            solved = layer.solve(params[i], inputs, below, context.replace(rng=streams[i]))
            params[i], report, outputs = solved.params, solved.report, solved.outputs
        if outputs is None:
            outputs = through(inputs, layer, params[i])
        read = i + 1 == len(layers) or layers[i + 1].moves(context) or i + 1 in taps
        if read and isinstance(outputs, Rows):
            outputs = settle(outputs, context)
        if visit is not None:
            stopped = bool(visit(i, inputs, report, params)) or stopped
        inputs = outputs
    return params, inputs


def cast(params, dtype):
    """Params with every floating-point array in `dtype`, nested ones too."""
    if isinstance(params, dict):
        return {name: cast(value, dtype) for name, value in params.items()}
    if isinstance(params, list | tuple):
        return [cast(value, dtype) for value in params]
    array = np.asarray(params) if np.isscalar(params) else params
    if not hasattr(array, "dtype"):
        return array  # a fitted model
    return array.astype(dtype) if array.dtype.kind == "f" else array
