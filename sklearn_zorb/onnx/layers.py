"""Converters of layers whose forward is no plain arithmetic on arrays."""

from ..layers import Conv2D, EstimatorLayer, Parallel, Skip, Stack, Trees
from .registry import converter_of, converts, sequence


@converts(Parallel, Skip)
def branches(graph, layer, params, inputs):
    shape = inputs.shape[1:]
    outputs = [sequence(graph, *pair, inputs, shape) for pair in layer.with_params(params)]
    return graph.concat(outputs, axis=-1)


@converts(Stack)
def stack(graph, layer, params, inputs):
    shape, total = inputs.shape[1:], 0.0
    for weight, block, own in layer.asked(params):
        total = total + weight * sequence(graph, block, own, inputs, shape)
    return total


@converts(Conv2D)
def conv2d(graph, layer, params, inputs):
    # runtimes have convolutions in single precision only
    outputs = layer.rows(params, inputs) @ params["weights"] + params["intercept"]
    return outputs.reshape(-1, *layer.output_shape(inputs.shape[1:]))


@converts(Trees, EstimatorLayer)
def foreign(graph, layer, params, inputs):
    if "estimator" not in params:
        return inputs @ params["surrogate"]
    model = params["estimator"]
    return converter_of(model)(graph, model, inputs)
