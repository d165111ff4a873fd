"""Direct feedback alignment: the output error goes to every layer at once."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..._compat import Interval, StrOptions
from ...layers import BatchNorm
from .objective import merge
from .rule import Rule
from .trainer import GradientTrainer


@dataclass(frozen=True)
class Direct(Rule):
    """Layers learn from the output error, or from a random read-out, through fixed weights.

    ``starts`` are the layers at which a block begins: one with weights, and all that follows
    up to the next. No error passes from one block to another.
    """

    kind: str
    starts: tuple

    diagnostics: bool = False

    def direction(self, objective, moved, params, memory, batch, key):
        import jax

        def loss(moved):
            own = merge(params, moved)
            return self._loss(objective, own, memory, batch, key)

        gradient, aux = jax.grad(loss, has_aux=True)(moved)
        return gradient, aux, memory

    def _loss(self, objective, params, memory, batch, key):
        """A sum of local losses whose gradient is the rule's."""
        import jax
        from jax import lax

        inputs, targets, weights = batch
        ends = {}

        def cut(i, rows):
            if i in self.starts[1:] or i == objective.network.readout:
                ends[i] = rows.reshape(rows.shape[0], -1)
                return lax.stop_gradient(rows)
            return rows

        outputs, moments = objective.outputs(params, inputs, key=key, weights=weights, visit=cut)
        loss, aux = objective.weigh(params, outputs, targets, weights, moments)
        total = loss
        frozen = lax.stop_gradient(params)
        if self.kind == "direct":
            error = jax.grad(lambda z: weights @ objective.losses(frozen, z, targets))(
                lax.stop_gradient(outputs)
            )
        for i, rows in ends.items():
            if self.kind == "direct":
                total = total + (rows * (error @ memory[str(i)])).sum()
            else:
                local = rows @ memory[str(i)].T
                total = total + weights @ objective.losses(frozen, local, targets)
        return total, aux


class DirectFeedbackAlignment(GradientTrainer):
    r"""Every layer learns from the output error through a fixed random matrix of its own.

    With ``feedback="direct"``, Nøkland's rule, the error :math:`e = \partial L / \partial z`
    at the read-out reaches the pre-activations of layer l as

    .. math:: \delta_l = (e B_l) \odot f'(a_l), \qquad \Delta W_l = -\eta\, h_{l-1}^\top
              \delta_l.

    With ``feedback="random_readout"``, as in Zenkai, layer l minimises the loss of a fixed
    random read-out :math:`h_l B_l^\top` of its own output. The read-out itself is trained by
    its gradient in both. A block is a layer with weights and what follows it up to the next;
    within a composite layer, derivatives are exact.

    Parameters
    ----------
    feedback : {"direct", "random_readout"}, default="direct"
    scale : float, default=1.0
        Standard deviation of :math:`B_l` times the square root of the number of outputs
        ("direct") or of the width of the layer ("random_readout").
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
    .. [1] A. Nøkland, "Direct Feedback Alignment Provides Learning in Deep Neural Networks",
       NeurIPS 2016, arXiv:1609.01596.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import DirectFeedbackAlignment
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = DirectFeedbackAlignment()
    >>> model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "feedback": [StrOptions({"direct", "random_readout"})],
        "scale": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        feedback="direct",
        *,
        scale=1.0,
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
        self.feedback = feedback
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
        return Direct(self.feedback, block_starts(objective.network, moved), self.diagnostics)

    def _memory(self, objective, params, moved, context):
        network = objective.network
        shapes = network.shapes
        n_outputs = int(shapes[network.readout + 1][0])
        ends = [*block_starts(network, moved)[1:], network.readout]
        matrices = {}
        for i in dict.fromkeys(ends):
            width = math.prod(shapes[i])
            spread = self.scale / np.sqrt(n_outputs if self.feedback == "direct" else width)
            matrices[str(i)] = context.rng.normal(scale=spread, size=(n_outputs, width)).astype(
                context.dtype
            )
        return matrices


def block_starts(network, moved):
    """Indices of the hidden layers with weights, at which blocks begin."""
    import jax

    return tuple(
        i
        for i, layer in enumerate(network.hidden)
        if jax.tree.leaves(moved[i]) and not isinstance(layer, BatchNorm)
    )
