"""Zeroth-order relaxed backpropagation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import clone

from ..._compat import Interval, StrOptions
from ...layers import sequence, sweep
from ...linalg import to_numpy
from ...lists import find
from ...rows import Rows, Targets
from ...rows.remote import mapped, mean
from ..base import Trainer, TrainingResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...layers.base import Context, Solved
    from ...network import Network
    from ...typing import Array, Float, Int, Params
    from ..base import OnStep

# relative singular values of solved weights that are rounding: the columns of a read-out for
# classes sum to zero but for that, hidden weights at relaxation 1 have the rank of the targets.
# What is missing, divided by it, would be of any size
SOLVED_RCOND = 1e-6


class ZORB(Trainer):
    r"""Solve each layer once, in closed form: zeroth-order relaxed backpropagation.

    Targets travel down from the output, :math:`T_{i-1} = f_i^{-1}(T_i)` for an activation
    and :math:`T_{i-1} = (T_i - b_i) W_i^+` for a dense layer, through weights that are still
    random. Each layer, input side first, is then solved by ridge regression,

    .. math:: \min_{W, b} \|X_{i-1} W + b - T_i\|^2 + \alpha \|W\|^2,

    and takes the relaxed update :math:`W_i = (1 - \rho) W_i^{init} + \rho c W`, where c
    restores the spread of the initial pre-activations; their mean is scaled as the targets
    are. The read-out is not relaxed.

    Parameters
    ----------
    n_sweeps : int, default=1
        How often the list is swept at most. From the second sweep on, targets are differences
        to the present outputs, :math:`X_{j-1} + f_j^{-1}(T_j) - f_j^{-1}(X_j)` (difference
        target propagation), carried down through solved weights, and a layer adds the share
        :math:`\rho` of the ridge solution for what it misses. Sweeping ends, and the sweep
        before counts, when the read-out's leave-one-out error does not fall.
    alpha : "loo", float or None, default=None
        Ridge penalty of every solve. This, and what follows, None takes from the estimator:
        its own parameters in `ZORBClassifier`, and their defaults in `NetworkClassifier`.
        Layers may override them.
    relaxation : float or None, default=None
        The share :math:`\rho`. 1 is the published rule; 0 an extreme learning machine, whose
        hidden layers stay random.
    rcond : float or None, default=None
        Relative cut-off on singular values in solves with ``alpha=0``.
    backward_rcond : float or None, default=None
        The same for the pseudoinverses that carry targets down. Where the estimator has none
        either, it is 1e-6 from the second sweep on: what solved weights hold below that is
        rounding.

    References
    ----------
    .. [1] V. Ranganathan and A. Lewandowski, "ZORB: A Derivative-Free Backpropagation
       Algorithm for Neural Networks", arXiv:2011.08895.
    """

    _parameter_constraints = {
        "n_sweeps": [Interval(Integral, 1, None, closed="left")],
        "alpha": [None, StrOptions({"loo"}), Interval(Real, 0, None, closed="left")],
        "relaxation": [None, Interval(Real, 0, 1, closed="both")],
        "rcond": [None, Interval(Real, 0, 1, closed="left")],
        "backward_rcond": [None, Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        n_sweeps: Int = 1,
        *,
        alpha: Float | Literal["loo"] | None = None,
        relaxation: Float | None = None,
        rcond: Float | None = None,
        backward_rcond: Float | None = None,
    ) -> None:
        self.n_sweeps = n_sweeps
        self.alpha = alpha
        self.relaxation = relaxation
        self.rcond = rcond
        self.backward_rcond = backward_rcond

    resumes = True

    def n_steps(self, network: Network) -> int:
        return self.n_sweeps * (sum(layer.traits.learns for layer in network.hidden) + 1)

    def _fit(
        self,
        network: Network,
        params: Sequence[Params],
        inputs: Rows,
        targets: Targets,
        context: Context,
        *,
        on_step: OnStep | None = None,
        state: Any = None,
    ) -> TrainingResult:
        context = own_context(self, context)
        history = History(network, on_step)
        first = 0 if state is None else _go_on(network, state, history)
        best: Any = None
        # nothing travels down through a stack that is solved: one sweep is all
        for number in range(1 if network.stacked else self.n_sweeps):
            history.sweep = number
            swept = self._sweep(network, params, inputs, targets, context, history, best, first)
            first = 0
            if best is not None and not swept.error < best.error:
                return best.result(history.entries, "no further gain")
            best, params = swept, swept.params
            if history.stopped:
                return best.result(history.entries, "stopped by callback")
        return best.result(history.entries, "converged")

    def _sweep(
        self,
        network: Network,
        params: Sequence[Params],
        inputs: Rows,
        targets: Targets,
        context: Context,
        history: History,
        before: Sweep | None,
        first: int,
    ) -> Sweep:
        """Solve layers from `first` on; `before` is the former sweep, whose params are refined."""
        spawned = context.replace(rng=context.rng.spawn(1)[0], refine=before is not None)
        goal = targets
        if before is None:
            top, params = _first_targets(network, params, inputs, goal, spawned)
        else:
            if spawned.backward_rcond is None:
                spawned = spawned.replace(backward_rcond=SOLVED_RCOND)
            goal = _within_reach(network, targets, before.left_out, context)
            top, params = _refined_targets(network, params, before.seen, goal, spawned)
        params, seen = solve_hidden(network, params, inputs, top, spawned, history, first)
        params, solved = solve_readout(network, params, seen, goal, spawned)
        history.add(network.readout, solved, params)
        error = _shortfall(network, targets, solved, context) if self.n_sweeps > 1 else np.inf
        return Sweep(params, error, solved.left_out, seen)


def _go_on(network: Network, state: dict[str, Any], history: History) -> int:
    """The first layer to solve in a fit that goes on; layers solved before go into the history.

    A layer whose training outputs differ from `forward` is solved again, as those were lost.
    """
    if not (isinstance(state, dict) and {"first", "history"} <= state.keys()):
        raise ValueError(f"state={state!r}; pass what an interrupted fit of ZORB left, or None.")
    hidden = network.hidden
    drawn = [
        i for i, layer in enumerate(hidden) if find([layer], lambda one: one.traits.draws_rows)
    ]
    first = min(state["first"], *drawn, len(hidden)) if drawn else state["first"]
    history.entries += [entry for entry in state["history"] if entry["index"] < first]
    return first


def _draws_rows(layer: Any) -> bool:
    return layer.traits.draws_rows


@dataclass
class Sweep:
    """The result of a sweep: params, their left-out error, and the inputs of the read-out."""

    params: list[Params]
    error: float
    left_out: Any
    seen: Rows

    def result(self, history: list[dict[str, Any]], status: str) -> TrainingResult:
        return TrainingResult(self.params, history, status, self.left_out)


def own_context(rule: Trainer, context: Context) -> Context:
    """The context with a rule's own settings in front of the estimator's."""

    def given(*names: str) -> dict[str, Any]:
        values = {name: getattr(rule, name, None) for name in names}
        return {name: value for name, value in values.items() if value is not None}

    changes, solver = given("relaxation", "backward_rcond"), given("alpha", "rcond")
    if solver:
        changes["solver"] = clone(context.solver).set_params(**solver)
    return context.replace(**changes)


def _first_targets(
    network: Network, params: Sequence[Params], inputs: Rows, targets: Targets, context: Context
) -> tuple[Targets, Sequence[Params]]:
    """Targets for the last hidden output, through a read-out that is still random."""
    hidden = params[: network.readout]
    if network.stacked and not any(layer.traits.learns for layer in network.hidden):
        return targets, params
    layers, before = network.layers[network.readout :], None
    if sequence.reads_inputs(layers):
        before = sweep.at_hand(sequence.through(network.hidden, hidden, inputs))
        before = before if network.stacked else mapped(_flat, before)
    spawned = context.replace(rng=context.rng.spawn(1)[0])
    targets, above = sequence.carry_down(
        layers, params[network.readout :], targets, before, spawned
    )
    shape = network.shapes[network.readout]
    if targets.shape[1:] != shape:
        targets = targets.through(lambda rows: rows.reshape(len(rows), *shape))
        targets = targets.kept(context.memory)
    return targets, [*hidden, *above]


def _refined_targets(
    network: Network, params: Sequence[Params], seen: Rows, targets: Targets, context: Context
) -> tuple[Targets, Sequence[Params]]:
    """Targets for the last hidden output: moved by what the solved read-out still misses."""
    layer, readout_params = network.layers[network.readout], params[network.readout]
    below, params = _readout_targets(network, params, seen, targets, context)
    part = {
        "weights": readout_params["weights"][-math.prod(seen.blocks[-1].shape[1:]) :],
        "intercept": np.zeros_like(readout_params["intercept"]),
    }

    def moved(last: Any, below: Any, seen: Rows) -> Any:
        last, missing = last[:], below[:] - layer.forward(readout_params, seen[:])
        change = layer.invert(part, missing, None, context)
        return last + change.reshape(last.shape)

    return Targets(mapped(moved, seen.blocks[-1], below, seen)), params


def _flat(rows: Any) -> Any:
    rows = rows[:]
    return rows.reshape(len(rows), -1)


def solve_hidden(
    network: Network,
    params: Sequence[Params],
    inputs: Rows,
    targets: Targets,
    context: Context,
    history: History,
    first: int = 0,
) -> tuple[list[Params], Rows]:
    """One sweep over the hidden layers from one on; also what the read-out will see."""
    blocks, above = {}, params[network.readout :]

    def visit(i: int, rows: Rows, solved: Solved | None, hidden_params: Any) -> bool:
        if i in network.taps:
            blocks[i] = rows
        return history.add(i, solved, [*hidden_params, *above])

    spawned = context.replace(rng=context.rng.spawn(1)[0])
    hidden, rows = sweep.solve(
        network.hidden, params[: network.readout], inputs, targets, spawned,
        visit=visit, taps=network.taps, first=first,
    )  # fmt: skip
    return [*hidden, *above], network.seen(blocks, rows)


def _readout_targets(
    network: Network, params: Sequence[Params], seen: Rows, targets: Targets, context: Context
) -> tuple[Targets, Sequence[Params]]:
    """Targets for the read-out itself, through the activation that follows it."""
    if not network.tail:
        return targets, params
    before, stop = None, network.readout + 1
    if sequence.reads_inputs(network.tail):
        readout_params = params[network.readout]
        # before its first solve the read-out knows the last block only
        solved = readout_params["weights"].shape[0] == seen.shape[1]
        rows = seen if solved else Rows(seen.blocks[-1:])
        before = mapped(
            lambda rows: network.layers[network.readout].forward(readout_params, rows[:]), rows
        )
    targets, tail = sequence.carry_down(network.tail, params[stop:], targets, before, context)
    return targets, [*params[:stop], *tail]


def solve_readout(
    network: Network, params: Sequence[Params], seen: Rows, targets: Targets, context: Context
) -> tuple[list[Params], Solved]:
    """Solve the read-out on everything it sees, afresh in each sweep and never relaxed."""
    below, params = _readout_targets(network, params, seen, targets, context)
    rows = seen.blocks[-1] if network.stacked else seen
    spawned = context.replace(rng=context.rng.spawn(1)[0])
    layer = network.layers[network.readout]
    solved = sweep.solve_readout(layer, params[network.readout], rows, below, spawned)
    solved.left_out = to_numpy(solved.left_out)
    return [*params[: network.readout], solved.params, *params[network.readout + 1 :]], solved


def _within_reach(network: Network, targets: Targets, outputs: Any, context: Context) -> Targets:
    """Class targets; where outputs exceed them, the outputs.

    An output beyond its 0 or 1 is on the right side: pulling it back would spend the fit on rows
    that are right already. Least squares on such targets minimises the squared hinge.
    """
    if not _has_margin(network, outputs, context):
        return targets

    def within(targets: Targets, outputs: Array) -> Any:
        wanted = targets[:]
        exceeded = np.maximum(outputs, wanted), np.minimum(outputs, wanted)
        return np.where(wanted > 0.5, *exceeded)

    return Targets(mapped(within, targets, outputs))


def _shortfall(network: Network, targets: Targets, solved: Solved, context: Context) -> float:
    """The left-out error of a sweep; of classes, only where outputs fall short."""
    outputs = solved.left_out
    if not _has_margin(network, outputs, context):
        return solved.report["loo_error"]
    wanted = _within_reach(network, targets, outputs, context)

    def squares(wanted: Any, outputs: Array) -> Any:
        return ((wanted[:] - outputs) ** 2).mean(axis=1)

    return float(mean(squares, context.sample_weight, wanted, outputs))


def _has_margin(network: Network, outputs: Any, context: Context) -> bool:
    return outputs is not None and not network.tail and context.task != "regression"


class History:
    """Files the report of each layer and tells the callback."""

    def __init__(self, network: Network, on_step: OnStep | None) -> None:
        self.network, self.on_step = network, on_step
        self.entries: list[dict[str, Any]] = []
        self.sweep, self.stopped = 0, False
        self._last = perf_counter()

    def add(self, index: int, solved: Solved | None, params: Sequence[Params]) -> bool:
        """Whether training is to stop, after a layer of which `solved` is None or its report."""
        now = perf_counter()
        seconds, self._last = now - self._last, now
        if solved is None:
            return self.stopped
        place = {"sweep": self.sweep, "layer": self.network.names[index], "index": index}
        self.entries.append({**place, **solved.report, "seconds": seconds})
        if self.on_step is not None and self.on_step(self.entries[-1], lambda: list(params)):
            self.stopped = True
        return self.stopped
