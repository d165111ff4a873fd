"""Windows that slide over images, channels last: cut out as rows, and put back as means."""

from __future__ import annotations

from functools import reduce
from itertools import product
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from .._compat import Interval
from ..linalg import is_jax, namespace
from .base import shape_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..typing import Array, Float, Int, Shape
    from .base import Layer

# what numbers and sizes may be; the two numbers of a pair are checked by `pair`
POSITIVE = Interval(Integral, 1, None, closed="left")
SIZES = [POSITIVE, tuple, list]


class Windows(NamedTuple):
    """The geometry of one layer on images of one size.

    Each pair is (vertical, horizontal). An element of the window is named by its offset
    (i, j); elements are always taken row by row.
    """

    image: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    @classmethod
    def over(
        cls,
        layer: Layer,
        input_shape: Shape,
        size: tuple[int, int],
        stride: tuple[int, int],
        padding: str | Int = 0,
    ) -> Self:
        """The windows of `layer`; raises ValueError if they do not fit `input_shape`."""
        if len(input_shape) != 3:
            raise shape_error(
                layer,
                input_shape,
                "it needs images of shape (height, width, channels): pass input_shape to the "
                "estimator, or put Reshape((height, width, channels)) before it",
            )
        image = tuple(int(length) for length in input_shape[:2])
        axes = tuple(zip(image, size, stride, strict=True))
        pads = tuple(_pads(*axis, padding) for axis in axes)
        windows = cls(image, tuple(size), tuple(stride), pads)
        if min(windows.counts) < 1:
            raise shape_error(
                layer,
                input_shape,
                f"its window of {size[0]} x {size[1]} does not fit into that image: make the "
                f"window smaller, or the layers before it wider",
            )
        return windows

    @classmethod
    def of_regions(
        cls, layer: Layer, input_shape: Shape, regions: tuple[int, int], overlap: Float
    ) -> Windows:
        """So many windows, down and across, that cover an image.

        Each is as small as can be, where a share `overlap` of it is the next one's too.
        """
        if len(input_shape) != 3:
            return cls.over(layer, input_shape, regions, regions)  # which says what is wrong
        if regions[0] > input_shape[0] or regions[1] > input_shape[1]:
            raise shape_error(layer, input_shape, f"it has no {regions[0]} x {regions[1]} regions")
        rest = 1 - float(overlap)
        axes = list(zip(input_shape[:2], regions, strict=True))
        steps = (rest * side / (1 + (n - 1) * rest) for side, n in axes)
        # a share like 0.9 is a little off, and a whole number of pixels is not to become one less
        stride = [max(1, int(step + 1e-9)) for step in steps]
        size = [side - (n - 1) * step for (side, n), step in zip(axes, stride, strict=True)]
        return cls.over(layer, input_shape, (size[0], size[1]), (stride[0], stride[1]))

    @property
    def counts(self) -> tuple[int, ...]:
        """How many windows there are, down and across."""
        axes = zip(self.image, self.size, self.stride, self.pads, strict=True)
        return tuple((n + sum(pad) - k) // s + 1 for n, k, s, pad in axes)

    def shifts(self, images: Array) -> Iterator[Any]:
        """For each element of the window, the pixels it falls on: (n, *counts, channels)."""
        padded = self._pad(images)
        for where in self._places():
            yield padded[where]

    def combined(self, images: Array, combine: Callable[[Any, Any], Any]) -> Any:
        """The pixels of each window as one: those of a column first, then the columns."""
        padded = self._pad(images)
        for axis, steps in enumerate(zip(self.size, self.stride, self.counts, strict=True), 1):
            before = (slice(None),) * axis
            lines = ((*before, _every(offset, *steps[1:])) for offset in range(steps[0]))
            padded = reduce(combine, (padded[line] for line in lines))
        return padded

    def patches(self, images: Array) -> Array:
        """Design rows (n * windows, elements * channels), sample by sample."""
        channels = images.shape[-1]
        width = self.size[0] * self.size[1] * channels
        if not isinstance(images, np.ndarray):
            stacked = namespace(images).stack(list(self.shifts(images)), axis=3)
            return stacked.reshape(-1, width)
        padded = self._pad(images)
        # with columns and channels on one axis, each line of a window is one run of memory
        lines = padded.reshape(*padded.shape[:2], -1)
        window = (self.size[0], self.size[1] * channels)
        every = np.lib.stride_tricks.sliding_window_view(lines, window, axis=(1, 2))
        return every[:, :: self.stride[0], :: self.stride[1] * channels].reshape(-1, width)

    def average(self, pieces: Iterable[Array], outside: Array | None = None) -> Array:
        """Images each pixel of which is the mean of what the windows over it propose.

        Parameters
        ----------
        pieces : iterable of arrays of shape (n, *counts, channels)
            One for each element of the window.
        outside : array of shape (n, *image, channels) or None
            What pixels under no window take; None means zero.
        """
        total: Any = None
        for where, piece in zip(self._places(), pieces, strict=True):
            if total is None:
                lengths = (n + sum(pad) for n, pad in zip(self.image, self.pads, strict=True))
                shape = (piece.shape[0], *lengths, piece.shape[-1])
                total = namespace(piece).zeros(shape, dtype=piece.dtype)
            total = _add(total, where, piece)
        (top, _), (left, _) = self.pads
        total = total[:, top : top + self.image[0], left : left + self.image[1]]
        cover = self.coverage()[:, :, None]
        mean = total / np.maximum(cover, 1).astype(total.dtype)
        if outside is None or cover.all():
            return mean
        return namespace(total).where(cover > 0, mean, outside)

    def coverage(self) -> np.ndarray:
        """How many windows each pixel is under: array of shape `image`."""
        lines = []
        axes = zip(self.image, self.size, self.stride, self.pads, self.counts, strict=True)
        for n, k, s, (before, after), count in axes:
            line = np.zeros(before + n + after, dtype=int)
            for offset in range(k):
                line[_every(offset, s, count)] += 1
            lines.append(line[before : before + n])
        return np.outer(*lines)

    def _pad(self, images: Array) -> Array:
        if not any(map(sum, self.pads)):
            return images
        return namespace(images).pad(images, ((0, 0), *self.pads, (0, 0)))

    def _places(self) -> Iterator[tuple[slice, ...]]:
        """Index of the pixels of each element, in the padded images."""
        for offsets in product(*map(range, self.size)):
            axes = zip(offsets, self.stride, self.counts, strict=True)
            yield (slice(None), *(_every(*axis) for axis in axes))


def pair(name: str, value: Any) -> tuple[int, int]:
    """(vertical, horizontal) from one positive integer or two."""
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or not all(isinstance(n, Integral) and int(n) >= 1 for n in both):
        raise ValueError(f"{name}={value!r}; pass a positive integer or a pair of them.")
    return int(both[0]), int(both[1])


def _pads(length: int, size: int, stride: int, padding: str | Int) -> tuple[int, int]:
    """Pixels to add before and after one axis."""
    if padding == "valid":
        return (0, 0)
    if padding == "same":
        count = -(-length // stride)
        missing = max((count - 1) * stride + size - length, 0)
        return (missing // 2, missing - missing // 2)
    return (int(padding), int(padding))


def _every(offset: int, stride: int, count: int) -> slice:
    return slice(offset, offset + stride * (count - 1) + 1, stride)


def _add(total: Any, where: tuple[slice, ...], piece: Array) -> Any:
    """`total` with `piece` added at `where`; in place unless it is a JAX array."""
    if is_jax(total):
        return total.at[where].add(piece)
    total[where] += piece
    return total
