"""The table of what has a converter of its own, and the way through a list of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..layers.base import Layer
    from ..typing import Method, Params, Shape
    from .tensor import Graph

# functions by the exact class that they convert: a subclass may do something else
CONVERTERS: dict[type, Callable[..., Any]] = {}


def converts(*classes: type) -> Callable[[Method], Method]:
    """Make a function the converter of some classes.

    A layer whose `forward` is arithmetic on an array namespace needs none: it is called on arrays
    that stand for tensors of the graph, as JAX calls it on tracers.

    Parameters
    ----------
    *classes : type
        Classes of layers. A subclass of them is another class.

    Returns
    -------
    decorator : callable
        For a function ``convert(graph, layer, params, inputs)`` that returns the outputs as a
        tensor; ``inputs.shape`` is that of a sample behind 0.

    Examples
    --------
    >>> from sklearn_zorb.layers import Layer
    >>> from sklearn_zorb.onnx import converts
    >>> class Cube(Layer):
    ...     def forward(self, params, inputs, *, rng=None):
    ...         return inputs**3
    >>> @converts(Cube)
    ... def cube(graph, layer, params, inputs):
    ...     return inputs * inputs * inputs
    """

    def register(function: Method) -> Method:
        CONVERTERS.update(dict.fromkeys(classes, function))
        return function

    return register


def converter_of(item: object) -> Callable[..., Any]:
    """The converter of an object; NotImplementedError that names its class where there is none."""
    found = CONVERTERS.get(type(item))
    if found is None:
        raise NotImplementedError(f"{type(item).__name__} has no ONNX converter")
    return found


def converted(
    graph: Graph, layer: Layer, params: Params, inputs: Tensor, input_shape: Shape
) -> Tensor:
    """The outputs of a layer, as a tensor.

    Parameters
    ----------
    graph : Graph
    layer : Layer
    params : dict
    inputs : Tensor
    input_shape : tuple of int
        Of one sample.
    """
    converter = CONVERTERS.get(type(layer))
    inputs = Tensor(graph, inputs.name, (0, *input_shape))
    if converter is not None:
        return converter(graph, layer, params, inputs)
    try:
        return layer.forward(params, inputs)  # type: ignore  # a tensor stands for an array
    except Exception as error:
        raise NotImplementedError(
            f"{type(layer).__name__} has no ONNX converter, and its forward cannot be exported "
            f"({error}): give it one with sklearn_zorb.onnx.converts"
        ) from error


def sequence(
    graph: Graph,
    layers: Sequence[Layer],
    params: Sequence[Params],
    inputs: Tensor,
    input_shape: Shape,
) -> Tensor:
    """The outputs of a list of layers."""
    for layer, layer_params in zip(layers, params, strict=True):
        inputs = converted(graph, layer, layer_params, inputs, input_shape)
        input_shape = layer.output_shape(input_shape)
    return inputs
