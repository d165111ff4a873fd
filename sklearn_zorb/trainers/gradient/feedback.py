"""Feedback alignment: errors come back through fixed random matrices."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._compat import Interval
from ...layers import Layer, Traits
from ...layers.linear import LinearLayer
from ...lists import with_leaves
from .objective import Objective, merge
from .trainer import GradientTrainer
from .update import Update

if TYPE_CHECKING:
    from ...layers.base import Context
    from ...typing import Array, Float, Params, Shape, Stream
    from .objective import Aux, Batch, Tree

FEEDBACK = "feedback"


class FixedFeedback(Layer):
    """A layer with weights that hands errors down through its fixed feedback."""

    traits = Traits(learns=True)

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.output_shape(input_shape)

    def trainable(self, params: Params) -> Params:
        return self.layer.trainable(params)

    def forward(self, params: Params, inputs: Any, *, rng: Stream | None = None) -> Array:
        """Forward by the weights; a derivative to the inputs by the feedback in their place."""
        from jax import lax

        plain = {name: value for name, value in params.items() if name != FEEDBACK}
        outputs = self.layer.forward(plain, lax.stop_gradient(inputs))
        back = self.layer.forward(lax.stop_gradient(merge(plain, params[FEEDBACK])), inputs)
        return outputs + (back - lax.stop_gradient(back))


def with_feedback(layer: Layer) -> Layer:
    """The layer, wrapped if it has weights."""
    return FixedFeedback(layer) if isinstance(layer, LinearLayer) else layer


def random_feedback(params: Params, rng: np.random.Generator, scale: float | None) -> Params:
    """Random weights for each layer with weights, nested as in params, and nothing else."""
    if "weights" in params:
        weights = np.asarray(params["weights"])
        spread = weights.std() if scale is None else scale / np.sqrt(weights.shape[1])
        random = rng.normal(scale=spread, size=weights.shape).astype(weights.dtype)
        return {FEEDBACK: {"weights": random}}
    inner = {
        name: random_feedback(nested, rng, scale)
        for name, nested in params.items()
        if isinstance(nested, dict)
    }
    return {name: nested for name, nested in inner.items() if nested}


@dataclass(frozen=True, kw_only=True)
class FeedbackUpdate(Update):
    """The gradient of the loss through fixed feedback, layer by layer."""

    scale: float | None

    def memory(self, objective: Objective, params: Tree, moved: Tree, context: Context) -> Tree:
        return [random_feedback(layer_params, context.rng, self.scale) for layer_params in params]

    def loss(
        self, objective: Objective, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Any, Aux]:
        network = objective.network
        layers = [with_leaves(layer, with_feedback) for layer in network.layers]
        fixed = Objective(network.with_layers(layers), objective.task)
        params = [
            merge(layer_params, extra) for layer_params, extra in zip(params, memory, strict=True)
        ]
        return fixed.loss(params, batch, key)


@dataclass(eq=False, repr=False)
class FeedbackAlignment(GradientTrainer):
    r"""Backpropagate through fixed random matrices in place of the transposed weights.

    .. math:: \delta_l = (\delta_{l+1} B_{l+1}) \odot f'(a_l), \qquad
              \Delta W_l = -\eta\, h_{l-1}^\top \delta_l.

    The forward weights come to align with the feedback :math:`B`, which is never learned: no
    error needs to know the weights of the layer above. It reaches every layer with weights,
    convolutions and those inside composite layers too.

    Parameters
    ----------
    scale : float or None, default=None
        Standard deviation of the feedback times the square root of a layer's units; None
        takes the spread of the layer's initial weights.
    batch_size, max_epochs, tol, patience, tol_loss : as in `Backprop`
    early_stopping, validation_fraction, diagnostics : as in `Backprop`
    optimizer, learning_rate, schedule, optimizer_params : as in `Backprop`
    straight_through : as in `Backprop`

    References
    ----------
    .. [1] T. P. Lillicrap, D. Cownden, D. B. Tweed and C. J. Akerman, "Random synaptic
       feedback weights support error backpropagation for deep learning", Nature
       Communications 7 (2016).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import FeedbackAlignment
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = FeedbackAlignment()
    >>> model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.9...
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "scale": [None, Interval(Real, 0, None, closed="neither")],
    }

    scale: Float | None = None
    _: KW_ONLY
    straight_through: bool = False

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        return FeedbackUpdate.of(self)
