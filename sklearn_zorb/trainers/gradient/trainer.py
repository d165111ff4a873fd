"""The base of every rule that takes a step for each batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

from ..._compat import Interval, StrOptions
from ...linalg import get_backend
from ...lists import with_leaves
from ..base import Trainer
from .optimizers import SCHEDULES
from .run import Run, split_rows
from .structure import check_differentiable, check_movable, straight_through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...layers.base import Context
    from ...network import Network
    from ...rows import Rows, Targets
    from ...typing import Float, Int, Params
    from ..base import OnStep, TrainingResult
    from .objective import Objective, Tree
    from .update import Update


# the arguments of a rule are fields, from which its constructor follows; scikit-learn reads that
@dataclass(eq=False, repr=False, kw_only=True)
class BatchTrainer(Trainer):
    """Base of rules that take a step for each batch, epoch after epoch.

    A subclass gives `make_update`, and says what it needs of the layers.

    Attributes
    ----------
    needs_derivatives : bool
        Whether every layer has to have a derivative.
    solves : bool
        Whether the rule solves layers in which nothing can be moved.
    straight_through : bool
        Whether `Sign` and `Step` pass gradients on as a clipped identity does.
    """

    output = "logits"
    incremental = True
    needs_derivatives = True
    solves = False
    straight_through = False

    batch_size: Int | Literal["auto"] = "auto"
    max_epochs: Int = 200
    tol: Float | None = 1e-4
    patience: Int = 10
    tol_loss: Float | None = None
    early_stopping: bool = False
    validation_fraction: Float = 0.1
    diagnostics: bool = False

    _parameter_constraints = {
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "tol": [None, Interval(Real, 0, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "tol_loss": [None, Real],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "diagnostics": ["boolean"],
        "straight_through": ["boolean"],
    }

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        """Make the `Update` for the weights `moved`."""
        raise NotImplementedError

    def base_rate(self, full: bool) -> float:
        """Give the learning rate before its schedule, for full batches or for mini-batches."""
        raise NotImplementedError

    def brakes(self, base: float) -> str:
        """Name what to lower where the training diverges, and where it stands."""
        return f"learning_rate (now {base:g})"

    def n_steps(self, network: Network) -> int:
        return int(self.max_epochs)

    def _fit(
        self,
        network: Network,
        params: Sequence[Params],
        inputs: Rows,
        targets: Targets,
        context: Context,
        *,
        on_step: OnStep | None = None,
        state: dict[str, Any] | None = None,
    ) -> TrainingResult:
        network = self._prepared(network)
        rows, held, context = split_rows(self, inputs, targets, context)
        with get_backend("jax").scope():
            return self._new_run(network, params, rows, held, context, on_step, state).train()

    def _new_run(self, *parts: Any) -> Run:
        return Run(self, *parts)

    def _prepared(self, network: Network) -> Network:
        """The network with substitutes for steps where asked, and checked."""
        rule = type(self).__name__
        if network.stacked:
            raise ValueError(
                f"{rule} cannot train a Stack; pass trainer=ZORB(), or end the layers in Dense() "
                "or without a read-out."
            )
        if self.straight_through:
            layers = [with_leaves(layer, straight_through) for layer in network.layers]
            network = network.with_layers(layers)
        if not self.solves:
            check_movable(network, rule)
        if self.needs_derivatives:
            check_differentiable(network, rule)
        return network


@dataclass(eq=False, repr=False, kw_only=True)
class GradientTrainer(BatchTrainer):
    """Base of rules that give an optimiser of optax a direction for each batch.

    Attributes
    ----------
    default_rates : tuple of (float, float)
        Learning rates for full batches and for mini-batches, where none is given.
    """

    default_rates = (1e-2, 1e-3)

    optimizer: str | Callable[..., Any] = "adam"
    learning_rate: Float | None = None
    schedule: str | Callable[[float], float] | None = None
    optimizer_params: dict[str, Any] | None = None

    _parameter_constraints = {
        **BatchTrainer._parameter_constraints,
        "optimizer": [str, callable],
        "learning_rate": [None, Interval(Real, 0, None, closed="neither")],
        "schedule": [None, StrOptions(set(SCHEDULES)), callable],
        "optimizer_params": [None, dict],
    }

    def base_rate(self, full: bool) -> float:
        return float(self.learning_rate or self.default_rates[0 if full else 1])
