"""Direct feedback alignment: the output error goes to every layer at once."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..._compat import Interval, StrOptions
from ...layers import BatchNorm
from .trainer import GradientTrainer
from .update import Update

if TYPE_CHECKING:
    from ...layers.base import Context
    from ...network import Network
    from ...typing import Float
    from .objective import Aux, Batch, Objective, Tree


@dataclass(frozen=True, kw_only=True)
class DirectUpdate(Update):
    """Layers learn from the output error, or from a random read-out, through fixed weights.

    ``starts`` are the layers at which a block begins: one with weights, and all that follows
    up to the next. No error passes from one block to another.
    """

    feedback: str
    scale: float
    starts: tuple[int, ...]

    def memory(self, objective: Objective, params: Tree, moved: Tree, context: Context) -> Tree:
        network = objective.network
        shapes = network.shapes
        n_outputs = int(shapes[network.readout + 1][0])
        matrices = {}
        for i in dict.fromkeys([*self.starts[1:], network.readout]):
            width = math.prod(shapes[i])
            spread = self.scale / np.sqrt(n_outputs if self.feedback == "direct" else width)
            feedback = context.rng.normal(scale=spread, size=(n_outputs, width))
            matrices[str(i)] = feedback.astype(context.dtype)
        return matrices

    def loss(
        self, objective: Objective, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Any, Aux]:
        """A sum of local losses whose gradient is the rule's."""
        import jax
        from jax import lax

        inputs, targets, weights = batch
        ends = {}

        def cut(i: int, rows: Any) -> Any:
            if i in self.starts[1:] or i == objective.network.readout:
                ends[i] = rows.reshape(rows.shape[0], -1)
                return lax.stop_gradient(rows)
            return rows

        outputs, moments = objective.outputs(params, inputs, key=key, weights=weights, visit=cut)
        loss, aux = objective.weigh(params, outputs, targets, weights, moments)
        total = loss
        frozen = lax.stop_gradient(params)
        if self.feedback == "direct":
            error = jax.grad(lambda z: weights @ objective.losses(frozen, z, targets))(
                lax.stop_gradient(outputs)
            )
        for i, rows in ends.items():
            if self.feedback == "direct":
                total = total + (rows * (error @ memory[str(i)])).sum()
            else:
                local = rows @ memory[str(i)].T
                total = total + weights @ objective.losses(frozen, local, targets)
        return total, aux


@dataclass(eq=False, repr=False)
class DirectFeedbackAlignment(GradientTrainer):
    r"""Train each layer by the output error, sent through a fixed random matrix.

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
    batch_size, max_epochs, tol, patience, tol_loss : as in `Backprop`
    early_stopping, validation_fraction, diagnostics : as in `Backprop`
    optimizer, learning_rate, schedule, optimizer_params : as in `Backprop`
    straight_through : as in `Backprop`

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
    >>> print(model.score(X, y))
    0.9...
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "feedback": [StrOptions({"direct", "random_readout"})],
        "scale": [Interval(Real, 0, None, closed="neither")],
    }

    feedback: Literal["direct", "random_readout"] = "direct"
    scale: Float = 1.0
    _: KW_ONLY
    straight_through: bool = False

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        return DirectUpdate.of(self, starts=block_starts(objective.network, moved))


def block_starts(network: Network, moved: Tree) -> tuple[int, ...]:
    """Indices of the hidden layers with weights, at which blocks begin."""
    import jax

    return tuple(
        i
        for i, layer in enumerate(network.hidden)
        if jax.tree.leaves(moved[i]) and not isinstance(layer, BatchNorm)
    )
