"""Zeroth-order relaxed backpropagation."""

from dataclasses import dataclass
from numbers import Integral, Real
from time import perf_counter

import numpy as np
from sklearn.base import clone

from .._compat import Interval, StrOptions
from ..layers import sequence
from ..layers.rows import Columns, as_array
from ..linalg import to_numpy
from ..targets import Targets
from .base import Trainer, TrainingResult

# relative singular values of solved weights that are rounding: the columns of a read-out for
# classes sum to zero but for that, hidden weights at relaxation 1 have the rank of the targets.
# What is missing, divided by it, would be of any size
SOLVED_RCOND = 1e-6


class ZORB(Trainer):
    r"""Zeroth-order relaxed backpropagation: one closed-form solve a layer.

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
        n_sweeps=1,
        *,
        alpha=None,
        relaxation=None,
        rcond=None,
        backward_rcond=None,
    ):
        self.n_sweeps = n_sweeps
        self.alpha = alpha
        self.relaxation = relaxation
        self.rcond = rcond
        self.backward_rcond = backward_rcond

    def n_steps(self, network):
        return self.n_sweeps * (sum(layer.solvable for layer in network.hidden) + 1)

    def _fit(self, network, params, inputs, targets, context, *, on_step=None):
        context = self._own_context(context)
        history, best, seen, goal = [], None, None, targets
        # nothing travels down through a stack that is solved: one sweep is all
        for sweep in range(1 if network.stacked else self.n_sweeps):
            recorder = _Recorder(network, history, sweep, on_step)
            own = context.replace(rng=context.rng.spawn(1)[0], refine=sweep > 0)
            if sweep > 0:
                if own.backward_rcond is None:
                    own = own.replace(backward_rcond=SOLVED_RCOND)
                goal = _within_reach(network, targets, best.loo_outputs, context)
            if sweep == 0:
                front, params = self._first_targets(network, params, inputs, goal, own)
            else:
                front, params = self._refined_targets(network, params, seen, goal, own)
            params, seen = self._solve_hidden(network, params, inputs, front, own, recorder)
            params, solved = self._solve_readout(network, params, seen, goal, own)
            recorder(network.readout, solved.report, params)
            error = _shortfall(network, targets, solved, context) if self.n_sweeps > 1 else np.inf
            if best is not None and not error < best.error:
                return self._result(best, history, "no further gain")
            best = _Sweep(params, error, solved.loo_outputs)
            if recorder.stopped:
                return self._result(best, history, "stopped by callback")
        return self._result(best, history, "converged")

    def _own_context(self, context):
        """The context with this rule's own settings in front of the estimator's."""
        solver, changes = context.solver, {}
        own = {name: getattr(self, name) for name in ("alpha", "rcond")}
        own = {name: value for name, value in own.items() if value is not None}
        if own:
            changes["solver"] = clone(solver).set_params(**own)
        for name in ("relaxation", "backward_rcond"):
            if getattr(self, name) is not None:
                changes[name] = getattr(self, name)
        return context.replace(**changes)

    def _result(self, best, history, status):
        return TrainingResult(best.params, history, status, best.loo_outputs)

    def _first_targets(self, network, params, inputs, targets, context):
        """Targets for the last hidden output, through a read-out that is still random."""
        layers, own = network.layers[network.readout :], params[network.readout :]
        before = None
        if network.stacked and not any(layer.solvable for layer in network.hidden):
            return targets, params
        if sequence.needs_inputs(layers):
            rows = sequence.forward(network.hidden, params[: network.readout], as_array(inputs))
            before, targets = rows if network.stacked else _flat(rows), Targets(targets[:])
        values, own = sequence.invert(
            layers, own, targets.values, before, rng=context.rng.spawn(1)[0],
            backward_rcond=context.backward_rcond, memory=context.memory,
        )  # fmt: skip
        shape = network.shapes()[network.readout]
        params = [*params[: network.readout], *own]
        if values.shape[1:] != shape:
            values = values[:].reshape(len(values), *shape)
        return targets.with_values(values), params

    def _refined_targets(self, network, params, seen, targets, context):
        """The last hidden output, moved by what the solved read-out still misses."""
        layer, own = network.layers[network.readout], params[network.readout]
        below, params = self._readout_targets(network, params, seen, targets)
        everything, last = as_array(seen), seen.blocks[-1]
        missing = below[:] - layer.forward(own, everything)
        part = {
            "weights": own["weights"][-_width(last) :],
            "intercept": np.zeros_like(own["intercept"]),
        }
        change, _ = layer.invert(part, missing, None, backward_rcond=context.backward_rcond)
        last = as_array(last)
        return Targets(last + change.reshape(last.shape)), params

    def _solve_hidden(self, network, params, inputs, front, context, recorder):
        """One sweep over the hidden layers; also what the read-out will see."""
        blocks = {}

        def visit(i, rows, report, own):
            if i in network.taps:
                blocks[i] = rows
            return recorder(i, report, [*own, *params[network.readout :]])

        hidden, rows = sequence.solve(
            network.hidden, params[: network.readout], inputs, front,
            context.replace(rng=context.rng.spawn(1)[0]), visit=visit, taps=network.taps,
        )  # fmt: skip
        seen = Columns([*(blocks[i] for i in network.taps if i in blocks), rows])
        return [*hidden, *params[network.readout :]], seen

    def _readout_targets(self, network, params, seen, targets):
        """Targets for the read-out itself, through the activation that follows it."""
        if not network.tail:
            return targets, params
        before = None
        if sequence.needs_inputs(network.tail):
            readout, own = network.layers[network.readout], params[network.readout]
            # before its first solve the read-out knows the last block only
            solved = own["weights"].shape[0] == seen.shape[1]
            before = readout.forward(own, as_array(seen if solved else Columns(seen.blocks[-1:])))
            targets = Targets(targets[:])
        values, tail = sequence.invert(
            network.tail, params[network.readout + 1 :], targets.values, before
        )
        return targets.with_values(values), [*params[: network.readout + 1], *tail]

    def _solve_readout(self, network, params, seen, targets, context):
        """Solve the read-out on everything it sees, afresh in each sweep and never relaxed."""
        below, params = self._readout_targets(network, params, seen, targets)
        layer = network.layers[network.readout]
        context = context.replace(
            relaxation=1.0, refine=False, loo_outputs=True, rng=context.rng.spawn(1)[0]
        )
        rows = seen.blocks[-1] if network.stacked else seen
        solved = layer.solve(params[network.readout], rows, below, context)
        if solved.loo_outputs is not None:
            solved.loo_outputs = to_numpy(solved.loo_outputs)
        params = list(params)
        params[network.readout] = solved.params
        return params, solved


def _within_reach(network, targets, outputs, context):
    """Class targets, exceeded ones moved to where the outputs are.

    An output beyond its 0 or 1 is on the right side: asking it back would spend the fit on
    rows that are settled. Least squares on such targets minimises the squared hinge.
    """
    if not _has_margin(network, outputs, context):
        return targets
    wanted = targets[:]
    return Targets(np.where(wanted > 0.5, np.maximum(outputs, wanted), np.minimum(outputs, wanted)))


def _shortfall(network, targets, solved, context):
    """What a sweep is worth: its left-out error, beyond the margin only for classes."""
    outputs = solved.loo_outputs
    if not _has_margin(network, outputs, context):
        return solved.report["loo_error"]
    missing = (_within_reach(network, targets, outputs, context)[:] - outputs) ** 2
    return float(np.average(missing.mean(axis=1), weights=context.sample_weight))


def _has_margin(network, outputs, context):
    return outputs is not None and not network.tail and context.task != "regression"


@dataclass
class _Sweep:
    """What a sweep left: its params and what they are worth."""

    params: list
    error: float
    loo_outputs: np.ndarray | None


class _Recorder:
    """Files each layer's report in the history and tells the callback."""

    def __init__(self, network, history, sweep, on_step):
        self.network, self.history = network, history
        self.sweep, self.on_step = sweep, on_step
        self.stopped = False
        self._last = perf_counter()

    def __call__(self, index, report, params):
        now = perf_counter()
        seconds, self._last = now - self._last, now
        if report is None:
            return self.stopped
        entry = {
            "sweep": self.sweep,
            "layer": self.network.names[index],
            "index": index,
            **report,
            "seconds": seconds,
        }
        self.history.append(entry)
        if self.on_step is not None and self.on_step(entry, params):
            self.stopped = True
        return self.stopped


def _width(rows):
    width = 1
    for size in rows.shape[1:]:
        width *= int(size)
    return width


def _flat(rows):
    return rows.reshape(len(rows), -1) if rows.ndim > 2 else rows
