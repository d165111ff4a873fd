"""A list of layers with its read-out: what a training rule is given to train."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from ._compat import check_parameters
from .layers import Dense, Sigmoid, Softmax, Stack, sequence
from .layers.split_readout import SplitReadout
from .lists import find, resolve_layers, walk
from .memory import as_text
from .rows import Rows, apply, n_wide_layers, output_shapes, side_by_side, working_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .layers.base import InitialData, Layer
    from .memory import Memory
    from .typing import Array, LayersLike, Params, Shape

    # a name and its layer
    Pair: TypeAlias = tuple[str, Layer]

LEAK = (
    "layer {name!r} puts left-out predictions of {model} side by side with other features. They "
    "still depend a little on the y of their own row, which a read-out that may subtract can "
    "use: scores on training rows, loo_score_ among them, will be too good and predictions "
    "worse. Put the two into blocks of a Stack, whose weights are not negative."
)


@dataclass(frozen=True)
class Network:
    """The frozen structure of a network; its params travel beside it.

    Attributes
    ----------
    names : tuple of str
    layers : tuple of Layer
        Scaling and shaping, the hidden layers, the read-out and its activation.
    readout : int
        Index of the read-out.
    taps : tuple of int
        Indices of the layers whose inputs the read-out sees side by side.
    input_shape : tuple of int
        Shape of one sample.
    """

    names: tuple[str, ...]
    layers: tuple[Layer, ...]
    readout: int
    taps: tuple[int, ...]
    input_shape: Shape

    @classmethod
    def build(
        cls,
        front: Sequence[Pair],
        hidden: Sequence[Pair],
        readout: Pair,
        tail: Sequence[Pair],
        input_shape: Shape,
        taps: str = "all",
    ) -> Self:
        """Assemble from lists of (name, layer) pairs and check every shape.

        Parameters
        ----------
        front, hidden, tail : lists of (name, layer)
            What prepares the rows, what is trained, and what follows the read-out.
        readout : (name, layer)
        input_shape : tuple of int
        taps : {"all", "last"}
            Whether the read-out sees the input and every flat hidden block, or the last. A
            `Stack` sees the last: what else it should see stands in its blocks.
        """
        _refuse_inner_stacks([*front, *hidden], readout)
        names, layers = zip(*[*front, *hidden, readout, *tail], strict=True)
        index = len(front) + len(hidden)
        shapes = _shapes(names[:index], layers[:index], input_shape)
        _shapes(names[index + 1 :], layers[index + 1 :], (readout[1].units,))
        honest = [find([layer], _is_honest) for layer in layers[:index]]
        _warn_of_leaks(names, layers, honest)
        points: tuple[int, ...] = (index,)
        if taps == "all" and not isinstance(readout[1], Stack):
            points = tap_points(layers[:index], shapes, len(front))
            if any(honest) and type(readout[1]) is Dense:
                layers = _split_honest(layers, honest, points, shapes)
        return cls(tuple(names), tuple(layers), index, points, tuple(input_shape))

    @classmethod
    def of(cls, layers: LayersLike, input_shape: Shape, n_outputs: int) -> Self:
        """The network of a whole list, whose read-out sees the last block.

        Parameters
        ----------
        layers : list of Layer, list of (name, layer) or str
            Ends in ``Dense()``, in a `Dense` of `n_outputs` units, either of which a `Softmax`
            or `Sigmoid` may follow, or in a `Stack`. Not changed.
        input_shape : tuple of int
        n_outputs : int
        """
        pairs = resolve_layers(layers)
        check_layers(pairs)
        hidden, readout, tail = split_readout(pairs, n_outputs)
        if readout is None:
            raise ValueError(
                f"layers={layers!r} have no read-out of {n_outputs} outputs; end them in Dense(), "
                f"in Dense({n_outputs}) or in a Stack, before a Softmax or Sigmoid if there is one."
            )
        fill_widths(hidden, readout, n_outputs)
        return cls.build([], hidden, readout, tail, input_shape, "last")

    def refuse_size(self, n_rows: int, memory: Memory) -> None:
        """ValueError, before anything is allocated, where layers take more memory than there is."""
        needed, shapes = 0.0, list(self.shapes)
        if not self.stacked:
            shapes[self.readout] = (sum(math.prod(shapes[i]) for i in self.taps),)
        for name, layer, shape in zip(self.names, self.layers, shapes, strict=False):
            needed += _least_bytes([layer], shape, n_rows)
            if needed > memory.room:
                limited = math.isfinite(memory.limit)
                raise ValueError(
                    f"layer {name!r}: {layer!r} takes {as_text(needed)} of memory or more, with "
                    f"the layers before it, of {as_text(memory.room)} that "
                    f"{'memory_limit allows' if limited else 'this machine has'}; make it smaller."
                )

    def with_layers(self, layers: Iterable[Layer]) -> Self:
        """The same structure with other layers in the same places."""
        return replace(self, layers=tuple(layers))

    def behind(self, start: int) -> Self:
        """The network without its first `start` layers, whose inputs the read-out does not see."""
        return replace(
            self, names=self.names[start:], layers=self.layers[start:],
            readout=self.readout - start, taps=tuple(tap - start for tap in self.taps),
            input_shape=self.shapes[start],
        )  # fmt: skip

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The layers before the read-out."""
        return self.layers[: self.readout]

    @property
    def tail(self) -> tuple[Layer, ...]:
        """The layers after the read-out."""
        return self.layers[self.readout + 1 :]

    @property
    def stacked(self) -> bool:
        """Whether the read-out is a `Stack`, which takes rows of any shape."""
        return isinstance(self.layers[self.readout], Stack)

    def init(self, rng: np.random.Generator, data: InitialData | None) -> list[Params]:
        """Initial params; the read-out's for the last hidden block only.

        Targets travel down through those. Its solved weights see every tapped block.
        """
        streams, last = rng.spawn(3), self.shapes[self.readout]
        seen = last if self.stacked else (math.prod(last),)
        parts = (self.hidden, self.layers[self.readout : self.readout + 1], self.tail)
        shapes = (self.input_shape, seen, self.shapes[self.readout + 1])
        params = []
        for layers, stream, shape, examples in zip(
            parts, streams, shapes, (data, None, None), strict=True
        ):
            params += sequence.init(layers, stream, shape, examples)
        return params

    def seen(self, blocks: Mapping[int, Rows], last: Rows) -> Rows:
        """What the read-out sees: `Rows` by the index of the layer they reach, and the last."""
        return Rows((*(blocks[i] for i in self.taps if i < self.readout), last))

    def tapped(self, params: Sequence[Params], inputs: Any) -> Any:
        """What the read-out sees of arrays of rows, side by side."""
        blocks, start = [], 0
        for stop in (*(tap for tap in self.taps if tap < self.readout), self.readout):
            inputs = apply(self.layers[start:stop], params[start:stop], inputs)
            blocks.append(inputs)
            start = stop
        return blocks[-1] if self.stacked else side_by_side(blocks)

    def forward(self, params: Sequence[Params], inputs: Any) -> Array:
        """Output of the read-out, before what follows it."""
        seen = self.tapped(params, inputs)
        return self.layers[self.readout].forward(params[self.readout], seen)

    def finish(self, params: Sequence[Params], outputs: Array) -> Array:
        """What follows the read-out."""
        return sequence.forward(self.tail, params[self.readout + 1 :], outputs)

    def outputs(self, params: Sequence[Params], inputs: Any) -> Array:
        """Outputs of the whole network."""
        outputs = self.forward(params, inputs)
        return self.finish(params, outputs) if self.tail else outputs

    @cached_property
    def working_width(self) -> int:
        """Numbers that predicting one sample keeps at a time, at most."""
        # of images under filters, which go through a few at a time, what goes in and comes out
        n_wide = n_wide_layers(self.hidden, self.input_shape)
        shape = output_shapes(self.hidden[:n_wide], self.input_shape)[-1]
        width = math.prod(self.input_shape) if n_wide else 0
        width += working_width(self.hidden[n_wide:], shape)
        shape = self.shapes[self.readout] if self.stacked else (width,)
        return width + working_width(self.layers[self.readout :], shape)

    @cached_property
    def shapes(self) -> list[Shape]:
        """Shape before every layer and after the last."""
        shapes = output_shapes(self.hidden, self.input_shape)
        flat = sum(math.prod(shapes[i]) for i in self.taps)
        seen = shapes[-1] if self.stacked else (flat,)
        tail = output_shapes(self.layers[self.readout :], seen)
        return shapes + tail[1:]


def check_layers(pairs: Sequence[Pair]) -> None:
    """Check the hyperparameters of every layer of (name, layer) pairs, and of those inside."""
    for layer in walk([layer for _, layer in pairs]):
        check_parameters(layer)


def _refuse_inner_stacks(hidden: Sequence[Pair], readout: Pair) -> None:
    """ValueError for a `Stack` that other layers follow or hold, given (name, layer) pairs.

    Its outputs on training rows know the targets of those rows, and a layer behind it would
    trust them.
    """
    inside = [(readout[0], layer) for block in readout[1].children() for layer in block]
    for name, layer in [*hidden, *inside]:
        if any(isinstance(one, Stack) for one in walk([layer])):
            raise ValueError(
                f"layer {name!r} is or holds a Stack, which is a read-out: it may only stand last "
                "in the whole list, and inside no other layer. Blocks of a Stack within a block "
                "can be blocks of the outer Stack."
            )


def _is_honest(layer: Layer) -> bool:
    return layer.traits.honest


def _warn_of_leaks(
    names: Sequence[str], layers: Sequence[Layer], honest: Sequence[Layer | None]
) -> None:
    """A warning for each composite layer that joins left-out predictions to other columns."""
    for name, layer, found in zip(names, layers, honest, strict=False):
        if found is not None and found is not layer:
            text = LEAK.format(name=name, model=type(found).__name__)
            warnings.warn(text, UserWarning, stacklevel=2)


def split_readout(
    pairs: Sequence[Pair], n_outputs: int | None = None
) -> tuple[Sequence[Pair], Pair | None, Sequence[Pair]]:
    """Hidden layers, read-out and tail of (name, layer) pairs; a read-out of None is none.

    A read-out is a `Stack` at the end, or ``Dense()`` without units, which a `Softmax` or
    `Sigmoid` may follow. A `Dense` of `n_outputs` units is one too, where that is given.
    """
    if pairs and isinstance(pairs[-1][1], Stack):
        return pairs[:-1], pairs[-1], []
    for length in (1, 2):
        tail = pairs[len(pairs) - length + 1 :]
        last = pairs[-length][1] if len(pairs) >= length else None
        if not isinstance(last, Dense) or last.units not in (None, n_outputs):
            continue
        if all(isinstance(layer, Softmax | Sigmoid) for _, layer in tail):
            return pairs[:-length], pairs[-length], tail
    return pairs, None, []


def ends_in(tail: Sequence[Pair], kind: type) -> bool:
    """Whether what follows the read-out ends in a layer of a class, such as `Softmax`."""
    return bool(tail) and isinstance(tail[-1][1], kind)


def fill_widths(hidden: Sequence[Pair], readout: Pair, n_outputs: int) -> None:
    """Give the layers of (name, layer) pairs that take their width from the targets theirs.

    They are the read-out, and layers that hand on predictions. The layers are changed: they
    have to be the network's own copies.
    """
    for layer in walk([layer for _, layer in [*hidden, readout]]):
        open_width = getattr(layer, "units", 0) is None
        if open_width and (layer is readout[1] or layer.traits.honest):
            layer.set_params(units=n_outputs)


def tap_points(layers: Sequence[Layer], shapes: Sequence[Shape], start: int) -> tuple[int, ...]:
    """Where a read-out on all blocks looks: the input, each flat block, and the last one."""
    learners = [
        i
        for i in range(start + 1, len(layers))
        if layers[i].traits.learns and layers[i].traits.reads_targets and len(shapes[i]) == 1
    ]
    return tuple(dict.fromkeys([min(start, len(layers)), *learners, len(layers)]))


def _split_honest(
    layers: Sequence[Layer],
    honest: Sequence[Layer | None],
    taps: Sequence[int],
    shapes: Sequence[Shape],
) -> tuple[Layer, ...]:
    """The layers, with a read-out that keeps left-out predictions apart from other columns."""
    index = len(honest)
    first = next(i for i, found in enumerate(honest) if found is not None)
    plain = [i for i in taps if i <= first]
    split = sum(math.prod(shapes[i]) for i in plain)
    readout = SplitReadout(layers[index], split)
    return (*layers[:index], readout, *layers[index + 1 :])


def _least_bytes(layers: Sequence[Layer], input_shape: Shape, n_rows: int) -> float:
    """Memory that layers, and those inside of them, take at the least."""
    total, shapes = 0.0, output_shapes(layers, input_shape)
    for layer, shape in zip(layers, shapes, strict=False):
        total += layer.least_bytes(shape, n_rows)
        total += sum(_least_bytes(block, shape, n_rows) for block in layer.children())
    return total


def _shapes(names: Sequence[str], layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    """Shapes through the layers; an error names the layer that does not fit."""
    shapes = [tuple(input_shape)]
    for name, layer in zip(names, layers, strict=True):
        try:
            shapes.append(tuple(layer.output_shape(shapes[-1])))
        except ValueError as error:
            raise ValueError(f"layer {name!r}: {error}") from None
    return shapes


def fits(params: Any, fresh: Any) -> bool:
    """Whether params have all that fresh ones have, in the same shapes.

    A solved layer has more than it began with.
    """
    if isinstance(fresh, dict):
        return isinstance(params, dict) and params.keys() >= fresh.keys() and all(
            fits(params[name], fresh[name]) for name in fresh
        )  # fmt: skip
    if isinstance(fresh, list):
        return params is not None and len(params) == len(fresh) and all(
            map(fits, params, fresh)
        )  # fmt: skip
    return np.shape(params) == np.shape(fresh)
