"""Targets below a layer: kept where they fit, inverted chunk by chunk where they do not."""

import math

import numpy as np


class Lowered:
    """Targets below a layer, computed for those rows that are read.

    Parameters
    ----------
    values : array or Lowered of shape (n, ...)
        Targets for the layer's output.
    inverse : callable
        Targets for the layer's input, from some of the values.
    """

    def __init__(self, values, inverse):
        self.values, self.inverse = values, inverse
        first = inverse(values[:1])
        self.shape, self.dtype, self.ndim = (len(values), *first.shape[1:]), first.dtype, first.ndim

    def __len__(self):
        return len(self.values)

    def __getitem__(self, rows):
        return self.inverse(self.values[rows])

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype=dtype)


def lower(layer, params, values, inputs, memory=None, *, rng=None, **options):
    """Targets for the input of `layer`, and its params: its inverse, whole where memory allows.

    `values` may be `Lowered` themselves; `inputs` are None where the inverse does not read
    them. Without `memory` everything is whole.
    """
    # of rows that are inverted one by one nothing is drawn
    options["rng"] = None if layer.inverts_rows else rng
    if memory is None or memory.limit == np.inf or inputs is not None or not layer.inverts_rows:
        return layer.invert(params, values[:], inputs, **options)
    row_bytes = values.dtype.itemsize * math.prod(values.shape[1:])
    chunks = (values[part] for part in memory.chunks(len(values), row_bytes))
    params = layer.learn_targets(params, chunks)
    below = Lowered(values, layer.inverter(params, **options))
    # the inverse of an activation holds two more arrays of the size of its result
    whole = memory.keep(3 * below.dtype.itemsize * math.prod(below.shape))
    return (below[:] if whole else below), params
