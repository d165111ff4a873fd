"""Features that do not tell an image from its mirror image, or from one a few pixels aside."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..linalg import namespace
from .base import shape_error
from .composite import Branches
from .windows import POSITIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..rows import Rows, Targets
    from ..typing import Array, Int, LayerList, Params, Shape, Stream
    from .base import Context, Solved


class _ViewAverage(Branches):
    """Base of layers that average what layers inside make of several views of an image."""

    block_parameter = "layers"
    many_blocks = False

    @abstractmethod
    def other_views(self, images: Array) -> Iterator[Array]:
        """Give the images mirrored or moved, one view after the other."""

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise shape_error(self, input_shape, "it needs images of (height, width, channels)")
        return super().output_shape(input_shape)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        of_one = partial(super().forward, params, rng=rng)
        total, count = of_one(inputs), 1
        for view in self.other_views(inputs):
            total, count = total + of_one(view), count + 1
        return total / count

    def solve(
        self, params: Params, inputs: Rows, targets: Targets | None, context: Context
    ) -> Solved:
        # what the layers hand on are features of one view only
        return replace(super().solve(params, inputs, targets, context), outputs=None)


class FlipAverage(_ViewAverage):
    r"""Average what layers make of an image and of its mirror image.

    :math:`x \mapsto \tfrac12 (f(x) + f(\bar x))`, where :math:`\bar x` has its columns in
    reverse order: an object and its mirror image have the same features, in training and
    prediction alike, at twice the cost of f. The layers f are solved on images as they are,
    and targets for the output are targets for f. Do not use it where left and right differ, as in
    letters and digits.

    Parameters
    ----------
    layers : list of layers or of (name, layer) pairs
        f, which takes images, channels last.

    See Also
    --------
    ShiftAverage : The same for images that are moved.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import FlipAverage, Flatten
    >>> layer = FlipAverage([Flatten()])
    >>> image = np.array([[1.0, 5.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> params = layer.init(np.random.default_rng(0), (2, 2, 1))
    >>> layer.forward(params, image).tolist()
    [[3.0, 3.0, 2.5, 2.5]]
    """

    def __init__(self, layers: LayerList) -> None:
        self.layers = layers

    def other_views(self, images: Array) -> Iterator[Array]:
        yield images[:, :, ::-1]


class ShiftAverage(_ViewAverage):
    r"""Average what layers make of an image and of the same image moved by a few pixels.

    :math:`x \mapsto \tfrac15 (f(x) + \sum_d f(x_d))`, where :math:`x_d` is the image moved by
    `pixels` up, down, to the left or to the right, and pixels at the edge are repeated. Features
    then depend less on where exactly an object lies, in training and prediction alike, at five
    times the cost of f. The layers f are solved on images as they are, and targets for the output
    are targets for f. Mean pooling in regions that overlap, ``AvgPool2D[regions=4, overlap=.5]``,
    does much the same at no cost.

    Parameters
    ----------
    layers : list of layers or of (name, layer) pairs
        f, which takes images, channels last.
    pixels : int, default=1
        How far images are moved.

    See Also
    --------
    FlipAverage : The same for mirror images.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Flatten, ShiftAverage
    >>> layer = ShiftAverage([Flatten()])
    >>> image = np.zeros((1, 5, 5, 1))
    >>> image[0, 2, 2] = 1
    >>> params = layer.init(np.random.default_rng(0), (5, 5, 1))
    >>> layer.forward(params, image).reshape(5, 5)[1:4, 1:4].tolist()
    [[0.0, 0.2, 0.0], [0.2, 0.2, 0.2], [0.0, 0.2, 0.0]]
    """

    _parameter_constraints = {"pixels": [POSITIVE]}

    def __init__(self, layers: LayerList, *, pixels: Int = 1) -> None:
        self.layers = layers
        self.pixels = pixels

    def other_views(self, images: Array) -> Iterator[Array]:
        n = int(self.pixels)
        padded = namespace(images).pad(images, ((0, 0), (n, n), (n, n), (0, 0)), mode="edge")
        height, width = images.shape[1:3]
        for down, across in ((0, n), (2 * n, n), (n, 0), (n, 2 * n)):
            yield padded[:, down : down + height, across : across + width]
