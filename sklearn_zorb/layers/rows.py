"""Rows on their way through layers: kept where they fit, recomputed where they do not."""

import math

import numpy as np
import scipy.sparse as sp

from ..linalg import get_backend, namespace
from ..linalg.threads import for_each
from ..memory import CACHE_BYTES
from .compiled import apply


def output_shapes(layers, input_shape):
    """Shape of one sample before each layer, and after the last."""
    shapes = [tuple(input_shape)]
    for layer in layers:
        shapes.append(tuple(layer.output_shape(shapes[-1])))
    return shapes


def working_width(layers, input_shape):
    """Numbers that one sample takes on its way through layers, those inside composite ones too."""
    shapes = output_shapes(layers, input_shape)
    width = sum(math.prod(shape) for shape in shapes)
    for layer, shape in zip(layers, shapes, strict=False):
        if hasattr(layer, "_branches"):
            width += sum(working_width(branch, shape) for branch in layer._branches())
    return width


def peak_width(layers, input_shape):
    """Numbers that one sample takes at once: the input and output of the widest of the layers.

    What came before has gone: the allocator hands out its pages, still in the cache, again.
    """
    shapes = output_shapes(layers, input_shape)
    places = range(len(layers))
    return max(working_width(layers[i : i + 1], shapes[i]) for i in places)


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
        return apply(self.layers, self.params, self.source[rows])

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype=dtype)


class Columns:
    """Several blocks of rows side by side, each flattened: what a read-out on all layers sees."""

    def __init__(self, blocks):
        self.blocks = tuple(blocks)
        self.widths = [math.prod(block.shape[1:]) for block in self.blocks]
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
    return rows if hasattr(rows, "dtype") else rows[:]


def through(inputs, layer, params):
    """The output of `layer`, not yet computed."""
    shape = layer.output_shape(inputs.shape[1:])
    if isinstance(inputs, Rows):
        return Rows(inputs.source, (*inputs.layers, layer), (*inputs.params, params), shape)
    return Rows(inputs, (layer,), (params,), shape)


def settle(rows, context):
    """What `Rows` stand for, computed chunk by chunk, where memory allows to keep it.

    Only the last output is ever whole: what lies between, such as the pixels of every filter
    before a pooling, goes from one layer to the next while it is still in the cache.
    """
    itemsize, memory = np.dtype(context.dtype).itemsize, context.memory
    if not memory.keep(itemsize * math.prod(rows.shape)):
        return rows
    row_bytes = itemsize * peak_width(rows.layers, rows.source.shape[1:])
    # a device is fed by large chunks, a processor by what its cache holds
    name = context.backend
    most = CACHE_BYTES if name == "numpy" else get_backend(name).chunk_bytes
    first, *others = list(memory.chunks(len(rows), row_bytes, most)) or [slice(0)]
    block = rows[first]
    if not others:
        return block
    if isinstance(block, np.ndarray):
        outputs = np.empty((len(rows), *block.shape[1:]), block.dtype)
        outputs[first] = block

        def fill(part):
            outputs[part] = rows[part]

        for_each(fill, others)
        return outputs
    blocks = [block, *(rows[part] for part in others)]
    if sp.issparse(block):
        return sp.vstack(blocks, format="csr")
    return namespace(block).concatenate(blocks)


def advance(inputs, layer, params, context):
    """The output of `layer` for all rows: an array if memory allows, else `Rows`."""
    return settle(through(inputs, layer, params), context)
