"""Feedback alignment: errors come back through fixed random matrices."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..._compat import Interval
from ...layers import Layer, Traits
from ...layers.linear import LinearLayer
from ...lists import with_leaves
from .objective import Objective, merge
from .rule import Rule
from .trainer import GradientTrainer

FEEDBACK = "feedback"


def through_fixed_weights(layer, params, feedback, inputs):
    """Output of a layer whose derivative to its input is that with other weights.

    Forward :math:`f(x; W)`, backward :math:`\\partial f(x; W) / \\partial W` for the params
    and :math:`\\partial f(x; B) / \\partial x` for the input.
    """
    import jax

    @jax.custom_vjp
    def apply(params, feedback, inputs):
        return layer.forward(params, inputs)

    def forward(params, feedback, inputs):
        return layer.forward(params, inputs), (params, feedback, inputs)

    def backward(kept, error):
        params, feedback, inputs = kept
        own = jax.vjp(lambda p: layer.forward(merge(params, p), inputs), layer.trainable(params))[1]
        below = jax.vjp(lambda x: layer.forward(merge(params, feedback), x), inputs)[1]
        gradient = jax.tree.map(jax.numpy.zeros_like, params)
        return merge(gradient, own(error)[0]), jax.tree.map(
            jax.numpy.zeros_like, feedback
        ), below(error)[0]  # fmt: skip

    apply.defvjp(forward, backward)
    return apply(params, feedback, inputs)


class _Fixed(Layer):
    """A layer with weights that hands errors down through its fixed feedback."""

    traits = Traits(learns=True)

    def __init__(self, layer):
        self.layer = layer

    def output_shape(self, input_shape):
        return self.layer.output_shape(input_shape)

    def trainable(self, params):
        return self.layer.trainable(params)

    def forward(self, params, inputs, *, rng=None):
        own = {name: value for name, value in params.items() if name != FEEDBACK}
        return through_fixed_weights(self.layer, own, params[FEEDBACK], inputs)


def _with_feedback(layer):
    """The layer, wrapped if it has weights."""
    return _Fixed(layer) if isinstance(layer, LinearLayer) else layer


def random_feedback(params, rng, scale):
    """Random weights for each layer with weights, nested as in params, and nothing else."""
    if "weights" in params:
        weights = np.asarray(params["weights"])
        spread = weights.std() if scale is None else scale / np.sqrt(weights.shape[1])
        random = rng.normal(scale=spread, size=weights.shape).astype(weights.dtype)
        return {FEEDBACK: {"weights": random}}
    inner = {
        name: random_feedback(own, rng, scale)
        for name, own in params.items()
        if isinstance(own, dict)
    }
    return {name: own for name, own in inner.items() if own}


@dataclass(frozen=True)
class Sequential(Rule):
    """Gradient of the loss through fixed feedback, layer by layer."""

    diagnostics: bool = False

    def direction(self, objective, moved, params, memory, batch, key):
        import jax

        network = objective.network
        layers = [with_leaves(layer, _with_feedback) for layer in network.layers]
        wrapped = network.with_layers(layers)
        fixed = Objective(wrapped, objective.task)
        with_feedback = [merge(own, extra) for own, extra in zip(params, memory, strict=True)]

        def loss(moved):
            return fixed.loss(merge(with_feedback, moved), batch, key)

        gradient, aux = jax.grad(loss, has_aux=True)(moved)
        return gradient, aux, memory


class FeedbackAlignment(GradientTrainer):
    r"""Backpropagation through fixed random matrices in place of the transposed weights.

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
    optimizer : str or callable, default="adam"
        As in `Backprop`.
    learning_rate : float or None, default=None
    batch_size : "auto" or int, default="auto"
    max_epochs : int, default=200
    schedule : str, callable or None, default=None
    tol : float or None, default=1e-4
    patience : int, default=10
    tol_loss : float or None, default=None
    early_stopping : bool, default=False
    validation_fraction : float, default=0.1
    straight_through : bool, default=False
    optimizer_params : dict or None, default=None
    diagnostics : bool, default=False
        Whether the history tells what each step took from the loss of its own batch, in the
        mean over the epoch (``error_reduction``), which takes one more pass.

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
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "scale": [None, Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        scale=None,
        optimizer="adam",
        learning_rate=None,
        batch_size="auto",
        max_epochs=200,
        schedule=None,
        tol=1e-4,
        patience=10,
        tol_loss=None,
        early_stopping=False,
        validation_fraction=0.1,
        straight_through=False,
        optimizer_params=None,
        diagnostics=False,
    ):
        self.scale = scale
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.schedule = schedule
        self.tol = tol
        self.patience = patience
        self.tol_loss = tol_loss
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.straight_through = straight_through
        self.optimizer_params = optimizer_params
        self.diagnostics = diagnostics

    def _rule(self, objective, moved):
        return Sequential(self.diagnostics)

    def _memory(self, objective, params, moved, context):
        return [random_feedback(own, context.rng, self.scale) for own in params]
