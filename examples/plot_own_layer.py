"""
A layer of your own
===================

A layer is a class with a few pure methods.

This one learns from data, too: it places the knots of a linear spline at the quantiles of every
column, so that a read-out on it is an additive model of bent lines.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.layers import Layer, Traits
from sklearn_zorb.linalg import namespace
from sklearn_zorb.testing import check_layer


class Hinges(Layer):
    """Each column beside max(x - knot, 0) for knots at its quantiles."""

    traits = Traits(reads_inputs=False)

    def __init__(self, knots=8):
        self.knots = knots

    def output_shape(self, input_shape):
        return (input_shape[0] * (1 + self.knots),)

    def init(self, rng, input_shape, data=None):
        rows = rng.normal(size=(100, *input_shape)) if data is None else data[0][:]
        inner = np.linspace(0, 1, self.knots + 2)[1:-1]
        return {"knots": np.quantile(rows, inner, axis=0)}

    def forward(self, params, inputs, *, rng=None):
        xp = namespace(inputs)
        bends = [xp.maximum(inputs - knot.astype(inputs.dtype), 0) for knot in params["knots"]]
        return xp.concatenate([inputs, *bends], axis=1)

    def invert(self, params, targets, inputs, context):
        width = targets.shape[1] // (1 + self.knots)
        return targets[:, :width]


check_layer(Hinges(), (3,))

# %%
# `check_layer` above has called every method and found the contract kept. In a network the
# layer stands like any other; its constructor argument is a nested parameter,
# ``hinges_1__knots``.

rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, size=(300, 1))
y = np.abs(X[:, 0]) + np.sin(2 * X[:, 0]) + rng.normal(scale=0.3, size=300)
model = ZORBRegressor([Hinges()], random_state=0)

grid = np.linspace(-3, 3, 400)[:, None]
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.scatter(X, y, s=8, color="0.75", label="300 rows")
for knots, color in zip((1, 4, 16), ("C0", "C1", "C3"), strict=True):
    model.set_params(hinges_1__knots=knots).fit(X, y)
    label = f"knots={knots}: left-out R² {model.loo_score_:.2f}"
    ax.plot(grid, model.predict(grid), color=color, lw=2, label=label)
ax.set(xlabel="x", ylabel="y", title="A linear spline, solved in closed form")
ax.legend(frameon=False)
plt.show()
