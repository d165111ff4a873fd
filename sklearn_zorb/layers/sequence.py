"""Pure functions over a list of layers and the list of their params."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..rows import Targets
from ..rows.remote import View, store_of
from .base import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import DTypeLike

    from ..rows import Rows
    from ..typing import Array, Params, Shape, Stream
    from .base import Context, InitialData, Layer


def init(
    layers: Sequence[Layer],
    rng: np.random.Generator,
    input_shape: Shape,
    data: InitialData | None = None,
) -> list[Params]:
    """Initial params of every layer, each drawn from a stream of its own."""
    params, shape = [], tuple(input_shape)
    for layer, own_rng in zip(layers, rng.spawn(len(layers)), strict=True):
        params.append(layer.init(own_rng, shape, data))
        if data is None:
            shape = tuple(layer.output_shape(shape))
        else:
            rows = data[0].then(layer, params[-1])
            shape, data = rows.shape[1:], (rows, *data[1:])
    return params


def forward(
    layers: Sequence[Layer], params: Sequence[Params], inputs: Any, *, rng: Stream | None = None
) -> Array:
    """Output of the last layer."""
    for i, (layer, layer_params) in enumerate(zip(layers, params, strict=True)):
        inputs = layer.forward(layer_params, inputs, rng=stream(rng, i))
    return inputs


def through(layers: Sequence[Layer], params: Sequence[Params], rows: Rows) -> Rows:
    """The output of the last layer for `Rows`, not yet computed."""
    for layer, layer_params in zip(layers, params, strict=True):
        rows = rows.then(layer, layer_params)
    return rows


def stream(rng: Any, number: int) -> Any:
    """What layer or branch `number` draws from.

    A Generator goes on from draw to draw; a JAX key would give the same numbers to all.
    """
    if rng is None or isinstance(rng, np.random.Generator):
        return rng
    from jax import random

    return random.fold_in(rng, number)


def reads_inputs(layers: Sequence[Layer]) -> bool:
    """Whether inverting the list takes its inputs."""
    return any(layer.traits.reads_inputs for layer in layers)


def inputs_of_each(layers: Sequence[Layer], params: Sequence[Params], inputs: Any) -> list[Any]:
    """What every layer of a list gets, an array; None for each where no inverse reads it."""
    if not reads_inputs(layers):
        return [None] * len(layers)
    found = [inputs]
    for layer, layer_params in zip(layers[:-1], params[:-1], strict=True):
        found.append(layer.forward(layer_params, found[-1]))
    return [
        one if layer.traits.reads_inputs else None for layer, one in zip(layers, found, strict=True)
    ]


def streams(layers: Sequence[object], context: Context) -> list[Context]:
    """The context of each layer, with a random stream of its own."""
    return [context.replace(rng=rng) for rng in context.rng.spawn(len(layers))]


def learn_inverses(
    layers: Sequence[Layer],
    params: Sequence[Params],
    chunks: Iterable[tuple[Array, Any]],
    context: Context,
) -> list[Params]:
    """Params of a list with what its inverses have to know, as `Layer.learn_inverse` of one."""
    params, contexts = list(params), streams(layers, context)
    steps = [(targets, inputs_of_each(layers, params, inputs)) for targets, inputs in chunks]
    for i in reversed(range(len(layers))):
        pairs = [(targets, inputs[i]) for targets, inputs in steps]
        params[i] = _ready(layers[i], params[i], pairs, contexts[i])
        steps = [
            (inverted(layers[i], params[i], targets, inputs[i], contexts[i]), inputs)
            for targets, inputs in steps
        ]
    return params


def invert(
    layers: Sequence[Layer], params: Sequence[Params], targets: Array, inputs: Any, context: Context
) -> Array:
    """Targets for the first layer's input, as `Layer.invert` of one."""
    before, contexts = inputs_of_each(layers, params, inputs), streams(layers, context)
    for i in reversed(range(len(layers))):
        targets = inverted(layers[i], params[i], targets, before[i], contexts[i])
    return targets


def inverted(layer: Layer, params: Params, targets: Any, inputs: Any, context: Context) -> Array:
    """What `Layer.invert` returns, if it is what a layer has to return."""
    below = layer.invert(params, targets, inputs, context)
    if len(getattr(below, "shape", ())) > 1 and len(below) == len(targets):
        return below
    raise ValueError(
        f"{type(layer).__name__}.invert returned {told(below)}. It has to return targets for the "
        f"input of the layer and nothing else: an array of {len(targets)} rows, as many as the "
        "targets have. sklearn_zorb.testing.check_layer checks it."
    )


def _ready(layer: Layer, params: Params, chunks: Any, context: Context) -> Params:
    """Params with what `invert` has to know, if `Layer.learn_inverse` returns params."""
    params = layer.learn_inverse(params, chunks, context)
    if isinstance(params, dict):
        return params
    raise ValueError(
        f"{type(layer).__name__}.learn_inverse returned {told(params)}. It has to return params "
        "and nothing else: a dict of arrays."
    )


def told(value: Any) -> str:
    """A value in an error: its type and shape, and those of its parts."""
    if isinstance(value, tuple):
        return f"({', '.join(map(told, value))})"
    shape = getattr(value, "shape", None)
    return type(value).__name__ + ("" if shape is None else f" of shape {shape}")


def lower(
    layer: Layer, params: Params, targets: Targets, inputs: Any, context: Context
) -> tuple[Targets, Params]:
    """`Targets` for the input of one layer, and its params with what its inverse learned.

    Distinct rows are inverted once, unless the inverse reads the inputs of each row. Those too
    many to keep are inverted when they are read.
    """
    if layer.traits.reads_inputs and store_of(targets) is not None:
        return _lower_there(layer, params, targets, inputs, context), params
    if layer.traits.reads_inputs:
        whole = targets[:]
        params = _ready(layer, params, [(whole, inputs)], context)
        return Targets(inverted(layer, params, whole, inputs, context)), params
    chunks = ((chunk, None) for chunk in targets.chunks(context.memory))
    params = _ready(layer, params, chunks, context)
    below = targets.through(lambda rows: inverted(layer, params, rows, None, context))
    return below.kept(context.memory), params


def _lower_there(
    layer: Layer, params: Params, targets: Targets, inputs: Any, context: Context
) -> Targets:
    """Targets for the input of a layer whose inverse reads it, of rows that lie elsewhere."""
    if type(layer).learn_inverse is not Layer.learn_inverse:
        raise ValueError(
            f"{type(layer).__name__} holds layers whose inverse reads their inputs, such as "
            "MaxPool2D, which takes all rows in one place: put these layers into the list itself."
        )

    def inverse(targets: Any, inputs: Any) -> Array:
        return inverted(layer, params, targets[:], inputs[:], context)

    return Targets(View(inverse, targets, inputs))


def carry_down(
    layers: Sequence[Layer],
    params: Sequence[Params],
    targets: Targets,
    inputs: Any,
    context: Context,
) -> tuple[Targets, list[Params]]:
    """`Targets` for the first layer's input, and params with what the inverses learned."""
    params, contexts = list(params), streams(layers, context)
    before = inputs_of_each(layers, params, inputs)
    for i in reversed(range(len(layers))):
        targets, params[i] = lower(layers[i], params[i], targets, before[i], contexts[i])
    return targets, params


def cast(params: Any, dtype: DTypeLike) -> Any:
    """Params with every floating-point array in `dtype`, nested ones too."""
    if isinstance(params, dict):
        return {name: cast(value, dtype) for name, value in params.items()}
    if isinstance(params, list | tuple):
        return [cast(value, dtype) for value in params]
    if isinstance(params, float):
        return np.asarray(params, dtype)
    floating = getattr(params, "dtype", None) is not None and params.dtype.kind == "f"
    return params.astype(dtype) if floating else params


def keyed(params: Iterable[Params]) -> Params:
    """The params of a list as a dict, to stand in the params of a composite layer."""
    return {str(i): layer_params for i, layer_params in enumerate(params)}
