"""A layer of one's own that learns: columns less their medians."""

import numpy as np

from sklearn_zorb.layers import Layer, Solved, Traits


class Centre(Layer):
    """f(x) = x - m, with m the median of each column where the layer stands."""

    traits = Traits(
        learns=True, reads_targets=False, fits_targets=False, reads_inputs=False, streams=False
    )

    def init(self, rng, input_shape, data=None):
        return {"middle": np.zeros(input_shape)}

    def forward(self, params, inputs, *, rng=None):
        return inputs - params["middle"].astype(inputs.dtype)

    def invert(self, params, targets, inputs, context):
        return targets + params["middle"].astype(targets.dtype)

    def solve(self, params, inputs, targets, context):
        return Solved({"middle": np.median(inputs[:], axis=0)})
