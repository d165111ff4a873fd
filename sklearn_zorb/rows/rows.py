"""Rows on their way through layers: kept where they fit, computed again where they do not."""

from __future__ import annotations

import math
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..linalg import get_backend, is_jax, namespace
from ..linalg.threads import for_each
from ..memory import CACHE_BYTES, CHUNK_BYTES, Memory
from .programs import run_program
from .remote import here, store_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import DTypeLike

    from ..layers.base import Context, Layer
    from ..typing import Params, Shape
    from .remote import Block, Remote, Store


# numbers beyond which the pixels of one image under all filters are many
WIDE = 10_000


def output_shapes(layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    """Shape of one sample before each layer, and after the last."""
    shapes = [tuple(input_shape)]
    for layer in layers:
        shapes.append(tuple(layer.output_shape(shapes[-1])))
    return shapes


def apply(layers: Sequence[Layer], params: Sequence[Params], rows: Any) -> Any:
    """The output of layers in order; for arrays of JAX by one compiled program."""
    if is_jax(rows):
        return run_program(layers, params, rows)
    n_wide = 0 if sp.issparse(rows) or len(rows) < 2 else n_wide_layers(layers, rows.shape[1:])
    if n_wide:
        read = partial(_through, layers[:n_wide], params[:n_wide], rows)
        row_bytes = rows.dtype.itemsize * peak_width(layers[:n_wide], rows.shape[1:])
        rows = _in_parts(read, Memory().chunks(len(rows), row_bytes, CACHE_BYTES, least=1))
    return _through(layers[n_wide:], params[n_wide:], rows)


def _through(layers: Any, params: Any, rows: Any, part: Any = None) -> Any:
    """What layers make of an array, or of a part of it."""
    rows = rows if part is None else rows[part]
    for layer, layer_params in zip(layers, params, strict=True):
        rows = layer.forward(layer_params, rows)
    return rows


class Rows:
    """A table of samples, at hand or computed when it is read.

    Slices of rows are arrays, or sparse matrices where the source is one.

    Parameters
    ----------
    source : array, sparse matrix, memory map, Remote, Rows, or tuple of Rows
        Anything that is sliced by rows. A tuple stands for its parts side by side, each
        flattened.
    layers, params : sequences
        Layers not yet applied, in order, and their params.
    shape : tuple of int or None
        Shape of one sample; None is that of the source.
    dtype : numpy.dtype or None
        Precision that slices of the source are converted to.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import ReLU
    >>> from sklearn_zorb.rows import Rows
    >>> rows = Rows(np.array([[-1.0, 2.0], [3.0, -4.0]]))
    >>> rows.then(ReLU(), {}).beside(rows)[1:].tolist()
    [[3.0, 0.0, 3.0, -4.0]]
    """

    def __init__(
        self,
        source: Any,
        layers: Sequence[Layer] = (),
        params: Sequence[Params] = (),
        shape: Shape | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.source, self.layers, self.params = source, tuple(layers), tuple(params)
        self.dtype = dtype
        self.blocks: Any = source if isinstance(source, tuple) else None
        if shape is None and self.blocks is not None:
            shape = (sum(math.prod(block.shape[1:]) for block in self.blocks),)
        first = source if self.blocks is None else self.blocks[0]
        self.shape = (first.shape[0], *(first.shape[1:] if shape is None else shape))

    @classmethod
    def of(cls, table: Any) -> Rows:
        """`table` itself where it is `Rows` already."""
        return table if isinstance(table, cls) else cls(table)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def for_jax(self) -> bool:
        """Whether slices are arrays of JAX."""
        sources = self.blocks or (self.source,)
        return any(one.for_jax if isinstance(one, Rows) else is_jax(one) for one in sources)

    @property
    def store(self) -> Store | None:
        """Where the rows lie; None where they are here."""
        return store_of(*(self.blocks or (self.source,)))

    def remotes(self) -> Iterator[Remote]:
        """The tables that blocks of a store must have."""
        for source in self.blocks or (self.source,):
            if hasattr(source, "remotes"):
                yield from source.remotes()

    def at(self, block: Block) -> Rows:
        """Those of the rows that lie in a block of a store."""
        if self.blocks is None:
            source = here(self.source, block)
        else:
            source = tuple(here(one, block) for one in self.blocks)
        return Rows(source, self.layers, self.params, self.shape[1:], self.dtype)

    def __getitem__(self, part: Any) -> Any:
        if self.blocks is not None:
            rows = side_by_side([block[part] for block in self.blocks])
        else:
            rows = self.source[part]
        if self.dtype is not None and rows.dtype != self.dtype:
            rows = rows.astype(self.dtype)
        if not self.layers:
            return rows
        read = partial(_applied_to, self.layers, self.params, rows)
        return _in_parts(read, self._fitting(rows))

    def _fitting(self, rows: Any) -> list[slice]:
        """Parts of rows at hand whose pixels, on their way through layers, stay in bounds."""
        if is_jax(rows) or sp.issparse(rows):
            return [slice(None)]
        row_bytes = rows.dtype.itemsize * self._width
        few = len(rows) * row_bytes <= CHUNK_BYTES
        return [slice(None)] if few else Memory().chunks(len(rows), row_bytes, self._most)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def then(self, layer: Layer, params: Params) -> Rows:
        """The output of a layer for these rows, not yet computed."""
        shape = layer.output_shape(self.shape[1:])
        layers = (*self.layers, layer)
        return Rows(self.source, layers, (*self.params, params), shape, self.dtype)

    def beside(self, *others: Rows) -> Rows:
        """These rows and others, each flattened, side by side."""
        return Rows((self, *others))

    def kept(self, context: Context) -> Rows:
        """The same with nothing left to compute, where the budget of the context allows.

        Rows go through all layers chunk by chunk: what lies between, such as the pixels of
        every filter before a pooling, is still in the cache when the next layer reads it.
        """
        itemsize, memory, store = np.dtype(context.dtype).itemsize, context.memory, self.store
        n_bytes = itemsize * math.prod(self.shape)
        if not (self.layers or self.blocks):
            return self
        if store is not None:
            return Rows(store.keep(self)) if store.spares(n_bytes) else self
        if not memory.keep(n_bytes):
            return self
        return Rows(self.computed(context))

    def computed(self, context: Context) -> Any:
        """All rows as one array, made chunk by chunk."""
        itemsize, memory = np.dtype(context.dtype).itemsize, context.memory
        row_bytes = itemsize * self._width
        # a device is fed by large chunks, a processor by what its cache holds
        name = context.backend
        most = self._most if name == "numpy" else get_backend(name).chunk_bytes
        return _in_parts(self.__getitem__, memory.chunks(len(self), row_bytes, most))

    @property
    def _most(self) -> float:
        """Bytes of a chunk: of the cache, unless params that each chunk reads anew do not fit."""
        largest = max((_n_bytes(params) for params in self.params), default=0)
        return CACHE_BYTES if largest <= CHUNK_BYTES else CHUNK_BYTES

    @cached_property
    def _width(self) -> int:
        """Numbers that a row of a chunk takes at once."""
        source = self.shape[1:] if self.blocks is not None else self.source.shape[1:]
        n_wide = n_wide_layers(self.layers, source)
        shape = output_shapes(self.layers[:n_wide], source)[-1]
        through = math.prod(source) + math.prod(shape) if n_wide else 0
        return max(through, peak_width(self.layers[n_wide:], shape))


def _applied_to(layers: Any, params: Any, rows: Any, part: slice) -> Any:
    return apply(layers, params, rows[part])


def _n_bytes(params: Any) -> int:
    """Bytes of nested params."""
    if isinstance(params, dict):
        return sum(map(_n_bytes, params.values()))
    return getattr(params, "nbytes", 0)


def _in_parts(read: Callable[[slice], Any], parts: Sequence[slice]) -> Any:
    """All rows that ``read(part)`` gives, made part by part."""
    first, *others = parts
    block = read(first)
    if not others:
        return block
    if isinstance(block, np.ndarray):
        outputs = np.empty((others[-1].stop, *block.shape[1:]), block.dtype)
        outputs[first] = block

        def fill(part: slice) -> None:
            outputs[part] = read(part)

        for_each(fill, others)
        return outputs
    blocks = [block, *map(read, others)]
    if sp.issparse(block):
        return sp.vstack(blocks, format="csr")
    return namespace(block).concatenate(blocks)


def working_width(layers: Sequence[Layer], input_shape: Shape) -> int:
    """Numbers that one sample takes on its way through layers, those inside composite ones too."""
    shapes = output_shapes(layers, input_shape)
    width = sum(math.prod(shape) for shape in shapes)
    for layer, shape in zip(layers, shapes, strict=False):
        width += sum(working_width(block, shape) for block in layer.children())
    return width


def n_wide_layers(layers: Sequence[Layer], input_shape: Shape) -> int:
    """How many of the layers, from the first on, work on images that take much on their way.

    These go through a few at a time, whatever the chunk: under many filters one is work enough.
    """
    shapes, count = output_shapes(layers, input_shape), 0
    for i, layer in enumerate(layers):
        if len(shapes[i]) > 1 and working_width([layer], shapes[i]) > WIDE:
            count = i + 1
    return count


def peak_width(layers: Sequence[Layer], input_shape: Shape) -> int:
    """Numbers that one sample takes at once: the input and output of the widest of the layers.

    What came before has gone: the allocator hands out its pages, still in the cache, again.
    """
    shapes = output_shapes(layers, input_shape)
    widths = [working_width(layers[i : i + 1], shapes[i]) for i in range(len(layers))]
    return max(widths, default=math.prod(input_shape))


def side_by_side(blocks: Sequence[Any]) -> Any:
    """Arrays of equal length, flattened and joined; sparse if one of them is."""
    if len(blocks) == 1 and blocks[0].ndim == 2:
        return blocks[0]
    if any(sp.issparse(block) for block in blocks):
        return sp.hstack(blocks, format="csr")
    flat = [block.reshape(len(block), math.prod(block.shape[1:])) for block in blocks]
    return namespace(flat[0]).concatenate(flat, axis=1)
