"""Rows on their way through layers: kept where they fit, recomputed where they do not."""

import numpy as np
import scipy.sparse as sp

from ..linalg import namespace


class Rows:
    """The output of layers, computed for those rows that are read.

    Parameters
    ----------
    source : array-like of shape (n_samples, ...)
        Anything that is sliced by rows.
    layers, params : sequences
        Applied in order to a slice of the source.
    shape : tuple of int
        Shape of one sample's output.
    """

    def __init__(self, source, layers, params, shape):
        self.source, self.layers, self.params = source, tuple(layers), tuple(params)
        self.shape = (source.shape[0], *shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        outputs = self.source[rows]
        for layer, params in zip(self.layers, self.params, strict=True):
            outputs = layer.forward(params, outputs)
        return outputs

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype=dtype)


class Columns:
    """Several blocks of rows side by side, each flattened: what a read-out on all layers sees."""

    def __init__(self, blocks):
        self.blocks = tuple(blocks)
        self.widths = [int(np.prod(block.shape[1:])) for block in self.blocks]
        self.shape = (self.blocks[0].shape[0], sum(self.widths))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return side_by_side([block[rows] for block in self.blocks])

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype=dtype)


def side_by_side(blocks):
    """Arrays of equal length, flattened and joined; sparse if one of them is."""
    if len(blocks) == 1 and blocks[0].ndim == 2:
        return blocks[0]
    if any(sp.issparse(block) for block in blocks):
        return sp.hstack(blocks, format="csr")
    flat = [block.reshape(len(block), -1) for block in blocks]
    return namespace(flat[0]).concatenate(flat, axis=1)


def as_array(rows):
    """One array of `rows`, in the array type that a slice has."""
    return rows[:] if isinstance(rows, Rows | Columns) else rows


def advance(inputs, layer, params, context):
    """The output of `layer` for all rows: an array if memory allows, else `Rows`."""
    shape = layer.output_shape(inputs.shape[1:])
    n_rows, itemsize = inputs.shape[0], np.dtype(context.dtype).itemsize
    width = int(np.prod(shape))
    if not context.memory.keep(n_rows * width * itemsize):
        if isinstance(inputs, Rows):
            source, layers, states = inputs.source, inputs.layers, inputs.params
        else:
            source, layers, states = inputs, (), ()
        return Rows(source, (*layers, layer), (*states, params), shape)
    row_bytes = itemsize * (width + int(np.prod(inputs.shape[1:])))
    parts = list(context.memory.chunks(n_rows, row_bytes))
    if len(parts) <= 1:
        return layer.forward(params, inputs[:] if isinstance(inputs, Rows) else inputs)
    first = layer.forward(params, inputs[parts[0]])
    if sp.issparse(first):
        return sp.vstack(
            [first, *(layer.forward(params, inputs[part]) for part in parts[1:])], format="csr"
        )
    if not isinstance(first, np.ndarray):
        rest = [layer.forward(params, inputs[part]) for part in parts[1:]]
        return namespace(first).concatenate([first, *rest])
    outputs = np.empty((n_rows, *first.shape[1:]), dtype=first.dtype)
    outputs[parts[0]] = first
    for part in parts[1:]:
        outputs[part] = layer.forward(params, inputs[part])
    return outputs
