"""Pooling layers."""

from __future__ import annotations

from itertools import repeat
from numbers import Real
from operator import add
from typing import TYPE_CHECKING, Any

from .._compat import Interval
from ..linalg import namespace
from .base import Layer
from .windows import SIZES, Windows, pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..typing import Array, Float, Int, Params, Shape, Stream
    from .base import Context


class _Pool(Layer):
    """Base of layers that make one number, for each channel, of all pixels in a window."""

    _parameter_constraints = {
        "pool_size": SIZES,
        "stride": [None, *SIZES],
        "regions": [None, *SIZES],
        "overlap": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        pool_size: Int | Sequence[Int] = 2,
        *,
        stride: Int | Sequence[Int] | None = None,
        regions: Int | Sequence[Int] | None = None,
        overlap: Float = 0.0,
    ) -> None:
        self.pool_size = pool_size
        self.stride = stride
        self.regions = regions
        self.overlap = overlap

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self._windows(input_shape).counts, int(input_shape[2]))

    def _windows(self, input_shape: Shape) -> Windows:
        if self.regions is not None:
            return Windows.of_regions(
                self, input_shape, pair("regions", self.regions), self.overlap
            )
        size = pair("pool_size", self.pool_size)
        stride = size if self.stride is None else pair("stride", self.stride)
        return Windows.over(self, input_shape, size, stride)


class MaxPool2D(_Pool):
    r"""Take the maximum of each window, :math:`Z_p = \max_{i \in p} X_i`, channels last.

    The inverse target is the image nearest to the input: the largest pixel of a window, the
    first one among equals, takes the target, and others that exceed it come down to it.
    Where windows overlap, a pixel takes the mean of what they ask for; pixels under no
    window stay as they are.

    Parameters
    ----------
    pool_size : int or pair of int, default=2
        Height and width of the window.
    stride : int, pair of int or None, default=None
        Step from one window to the next; None means `pool_size`.
    regions : int, pair of int or None, default=None
        Number of windows, down and across, in place of their size and step: they cover the whole
        image, and overlap where its length is not a multiple.
    overlap : float, default=0.0
        Share of each of the `regions` that is the next one's too, at least 0 and below 1; rounded
        to whole pixels. Of no effect without `regions`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Context, MaxPool2D
    >>> image = np.array([[1.0, 5.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> MaxPool2D().forward({}, image).ravel().tolist()
    [5.0]
    >>> nearest = MaxPool2D().invert({}, np.full((1, 1, 1, 1), 2.5), image, Context())
    >>> nearest[0, :, :, 0].tolist()
    [[1.0, 2.5], [2.5, 2.0]]
    """

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        return self._windows(inputs.shape[1:]).combined(inputs, namespace(inputs).maximum)

    def invert(self, params: Params, targets: Array, inputs: Any, context: Context) -> Array:
        windows = self._windows(inputs.shape[1:])
        return windows.average(self._proposals(windows, targets, inputs), inputs)

    def _proposals(self, windows: Windows, targets: Array, inputs: Array) -> Iterator[Array]:
        xp = namespace(targets)
        largest = windows.combined(inputs, xp.maximum)
        taken = xp.zeros(targets.shape, dtype=bool)
        for pixels in windows.shifts(inputs):
            first = (pixels == largest) & ~taken
            taken = taken | first
            yield xp.where(first, targets, xp.minimum(pixels, targets))


class AvgPool2D(_Pool):
    r"""Take the mean of each window, :math:`Z_p = \frac{1}{|p|} \sum_{i \in p} X_i`, channels last.

    The inverse target is the image nearest to the input: every pixel of a window moves by
    the difference between the target and the window's mean. Where windows overlap, a pixel
    moves by the mean of what they ask for; pixels under no window stay as they are.

    Parameters
    ----------
    pool_size : int or pair of int, default=2
        Height and width of the window.
    stride : int, pair of int or None, default=None
        Step from one window to the next; None means `pool_size`.
    regions : int, pair of int or None, default=None
        Number of windows, down and across, in place of their size and step: they cover the whole
        image, and overlap where its length is not a multiple.
    overlap : float, default=0.0
        Share of each of the `regions` that is the next one's too, at least 0 and below 1; rounded
        to whole pixels. Of no effect without `regions`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import AvgPool2D, Context
    >>> image = np.array([[1.0, 5.0], [3.0, 3.0]]).reshape(1, 2, 2, 1)
    >>> AvgPool2D().forward({}, image).ravel().tolist()
    [3.0]
    >>> nearest = AvgPool2D().invert({}, np.full((1, 1, 1, 1), 4.0), image, Context())
    >>> nearest[0, :, :, 0].tolist()
    [[2.0, 6.0], [4.0, 4.0]]
    """

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        windows = self._windows(inputs.shape[1:])
        return windows.combined(inputs, add) / (windows.size[0] * windows.size[1])

    def invert(self, params: Params, targets: Array, inputs: Any, context: Context) -> Array:
        windows = self._windows(inputs.shape[1:])
        moves = targets - self.forward(params, inputs)
        each = repeat(moves, windows.size[0] * windows.size[1])
        return inputs + windows.average(each)
