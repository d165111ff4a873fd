"""A read-out that keeps left-out predictions apart from other columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..linalg import namespace
from ..rows.remote import mapped
from .base import Layer, Solved
from .dense import Dense
from .stack import combine, in_double

if TYPE_CHECKING:
    import numpy as np

    from ..rows import Rows, Targets
    from ..typing import Array, Params, Shape, Stream
    from .base import Context, InitialData

SHRINKAGE = 5.0  # that of a Stack


class SplitReadout(Layer):
    """A linear read-out whose ridge never sees plain and left-out columns together.

    One ridge of the first `split` columns and one of the others are combined by
    non-negative weights that sum to one, as the blocks of a `Stack`; the result is as linear
    in all columns as one ridge would be, and in all but the solve it is `readout`.

    Parameters
    ----------
    readout : Dense
    split : int
        Number of columns that are not left-out predictions.
    """

    traits = Dense.traits

    def __init__(self, readout: Dense, split: int) -> None:
        self.readout = readout
        self.split = split

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.readout.output_shape(input_shape)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        return self.readout.init(rng, input_shape, data)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        return self.readout.forward(params, inputs)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        return self.readout.invert(params, targets, inputs, context)

    def solve(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> Solved:
        context = context.replace(left_out=True)
        parts = (_Columns(0, self.split), _Columns(self.split, inputs.shape[1]))
        solved = [
            self.readout.solve(params, inputs.then(part, {}), targets, context) for part in parts
        ]
        left_out = [mapped(in_double, part.left_out) for part in solved]
        weights, combined, report = combine(left_out, targets, context, SHRINKAGE)
        plain, honest = (
            {name: weight * value for name, value in part.params.items()}
            for weight, part in zip(weights.astype(context.dtype), solved, strict=True)
        )
        xp = namespace(plain["weights"])
        params = {
            "weights": xp.concatenate([plain["weights"], honest["weights"]]),
            "intercept": plain["intercept"] + honest["intercept"],
        }
        report["blocks"] = [part.report for part in solved]
        return Solved(params, left_out=combined, report=report)


class _Columns(Layer):
    """Some columns of flat rows, as a layer."""

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.stop - self.start,)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        return inputs[:, self.start : self.stop]
