"""The base of every rule that has a step direction for each batch."""

from numbers import Integral, Real

from ..._compat import Interval, StrOptions
from ...linalg import get_backend
from ...lists import with_leaves
from ..base import Trainer
from .optimizers import SCHEDULES
from .run import Run, split_rows
from .structure import check_differentiable, check_movable, straight_through


class GradientTrainer(Trainer):
    """Base of rules that give a direction for each batch and step along it.

    A subclass gives `_rule`, a hashable object with
    ``direction(objective, trainable, params, memory, batch, key) -> (direction, aux,
    memory)``, pure JAX, and may give `_memory`, what the rule keeps between batches.
    """

    output = "logits"
    incremental = True
    needs_derivatives = True
    # whether the rule solves layers that have nothing to move
    solves = False
    straight_through = False
    # learning rates for full batches and for mini-batches, where none is given
    _rates = (1e-2, 1e-3)

    _parameter_constraints = {
        "optimizer": [str, callable],
        "optimizer_params": [None, dict],
        "learning_rate": [None, Interval(Real, 0, None, closed="neither")],
        "schedule": [None, StrOptions(set(SCHEDULES)), callable],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "tol": [None, Interval(Real, 0, None, closed="left")],
        "tol_loss": [None, Real],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "straight_through": ["boolean"],
        "diagnostics": ["boolean"],
    }

    def _rule(self, objective, moved):
        raise NotImplementedError

    def _memory(self, objective, params, moved, context):
        """What the rule keeps between batches: fixed feedback, seeds; a tree of arrays."""
        return {}

    def _base_rate(self, full):
        return self.learning_rate or self._rates[0 if full else 1]

    def _rates_now(self, base):
        """What to lower where training diverges, and where it stands."""
        return f"learning_rate (now {base:g})"

    def n_steps(self, network):
        return self.max_epochs

    def _fit(self, network, params, inputs, targets, context, *, on_step=None, state=None):
        network = self._prepare(network)
        rows, held, context = split_rows(self, inputs, targets, context)
        with get_backend("jax").scope():
            return self._run(network, params, rows, held, context, on_step, state).train()

    def _run(self, *parts):
        return Run(self, *parts)

    def _prepare(self, network):
        """The network with substitutes for steps where asked, and checked."""
        if network.stacked:
            raise ValueError(
                f"{type(self).__name__} cannot train a Stack; pass trainer=ZORB(), or end the "
                "layers in Dense() or without a read-out."
            )
        if self.straight_through:
            layers = [with_leaves(layer, straight_through) for layer in network.layers]
            network = network.with_layers(layers)
        if not self.solves:
            check_movable(network, type(self).__name__)
        if self.needs_derivatives:
            check_differentiable(network, type(self).__name__)
        return network
