"""Features that do not tell left from right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .base import shape_error
from .composite import Branches

if TYPE_CHECKING:
    from ..rows import Rows, Targets
    from ..typing import Array, LayerList, Params, Shape, Stream
    from .base import Context, Solved


class FlipAverage(Branches):
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

    block_parameter = "layers"
    many_blocks = False

    def __init__(self, layers: LayerList) -> None:
        self.layers = layers

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise shape_error(self, input_shape, "it needs images of (height, width, channels)")
        return super().output_shape(input_shape)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        ahead = super().forward(params, inputs, rng=rng)
        return (ahead + super().forward(params, inputs[:, :, ::-1], rng=rng)) / 2

    def solve(
        self, params: Params, inputs: Rows, targets: Targets | None, context: Context
    ) -> Solved:
        # what the layers hand on are features of one side only
        return replace(super().solve(params, inputs, targets, context), outputs=None)
