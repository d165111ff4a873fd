"""A read-out that keeps left-out predictions apart from other columns."""

import numpy as np

from ..linalg import namespace, to_numpy
from .base import Layer, Solved
from .dense import Dense
from .stack import combine


class SplitReadout(Dense):
    """A read-out whose ridge never sees plain and left-out columns together.

    One ridge of the first `split` columns and one of the others are combined by
    non-negative weights that sum to one, as the blocks of a `Stack`; the result is as linear
    in all columns as one ridge would be.

    Parameters
    ----------
    units : int or None, default=None
    split : int, default=0
        Number of columns that are not left-out predictions.
    shrinkage : float, default=5.0
        As in `Stack`.
    use_bias, initializer, alpha, relaxation, rcond
        As in `Dense`.
    """

    def __init__(
        self,
        units=None,
        *,
        split=0,
        shrinkage=5.0,
        use_bias=True,
        initializer="glorot_uniform",
        alpha=None,
        relaxation=None,
        rcond=None,
    ):
        super().__init__(
            units,
            use_bias=use_bias,
            initializer=initializer,
            alpha=alpha,
            relaxation=relaxation,
            rcond=rcond,
        )
        self.split = split
        self.shrinkage = shrinkage

    def solve(self, params, inputs, targets, context):
        context = context.replace(left_out=True)
        parts = ((0, self.split), (self.split, inputs.shape[1]))
        solved = [
            super(SplitReadout, self).solve(
                params, inputs.then(_Columns(*part), {}), targets, context
            )
            for part in parts
        ]
        left_out = [np.asarray(to_numpy(part.left_out), dtype=np.float64) for part in solved]
        weights, combined, report = combine(left_out, targets, context, self.shrinkage)
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

    def __init__(self, start, stop):
        self.start = start
        self.stop = stop

    def output_shape(self, input_shape):
        return (self.stop - self.start,)

    def forward(self, params, inputs, *, rng=None):
        return inputs[:, self.start : self.stop]
