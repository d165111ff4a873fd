"""A layer of one's own: the activation softsign."""

from sklearn_zorb.layers import Layer, Traits
from sklearn_zorb.linalg import namespace


class Softsign(Layer):
    """f(z) = z / (1 + |z|), which stays between -1 and 1."""

    traits = Traits(reads_inputs=False)

    def __init__(self, limit=0.99):
        self.limit = limit

    def forward(self, params, inputs, *, rng=None):
        return inputs / (1 + abs(inputs))

    def invert(self, params, targets, inputs, context):
        reached = namespace(targets).clip(targets, -self.limit, self.limit)
        return reached / (1 - abs(reached))
