"""Zeroth-order relaxed backpropagation."""

from time import perf_counter

from ..layers import sequence
from ..layers.rows import Columns, as_array
from ..linalg import to_numpy
from ..targets import Targets
from .base import Trainer, TrainingResult


class ZORB(Trainer):
    r"""Zeroth-order relaxed backpropagation: one closed-form solve a layer.

    Targets travel down from the output, :math:`T_{i-1} = f_i^{-1}(T_i)` for an activation
    and :math:`T_{i-1} = (T_i - b_i) W_i^+` for a dense layer, through weights that are still
    random. Each layer, input side first, is then solved by ridge regression,

    .. math:: \min_{W, b} \|X_{i-1} W + b - T_i\|^2 + \alpha \|W\|^2,

    and takes the relaxed update :math:`W_i = (1 - \rho) W_i^{init} + \rho c W`, where c
    restores the spread of the initial pre-activations. The read-out is not relaxed.

    Parameters
    ----------
    n_sweeps : int, default=1
        How often the list is swept; from the second sweep on, targets travel down through
        the solved weights.

    Notes
    -----
    The penalty, the cut-offs and the relaxation are part of the context that the estimator
    passes, since layers may override them.

    References
    ----------
    .. [1] V. Ranganathan and A. Lewandowski, "ZORB: A Derivative-Free Backpropagation
       Algorithm for Neural Networks", arXiv:2011.08895.
    """

    def __init__(self, n_sweeps=1):
        self.n_sweeps = n_sweeps

    def fit(self, network, params, inputs, targets, context, *, on_step=None):
        params, history, outputs = list(params), [], None
        last = None
        for sweep in range(self.n_sweeps):
            recorder = _Recorder(network, params, history, sweep, on_step)
            front = self._hidden_targets(network, params, inputs, targets, context, last)
            blocks = {}

            def visit(i, rows, report, blocks=blocks, recorder=recorder):
                if i in network.taps:
                    blocks[i] = rows
                return recorder(i, report)

            stream, *readout_streams = context.rng.spawn(3)
            hidden, rows = sequence.solve(
                network.hidden, params[: network.readout], inputs, front,
                context.replace(rng=stream), visit=visit,
            )  # fmt: skip
            params[: network.readout] = hidden
            seen = Columns([*(blocks[i] for i in network.taps if i in blocks), rows])
            readout_context = context.replace(rng=readout_streams[0], loo_outputs=True)
            outputs = self._solve_readout(network, params, rows, seen, targets, readout_context)
            last = (rows, seen)
            recorder(network.readout, outputs.report)
            if recorder.stopped:
                break
        status = "stopped by callback" if recorder.stopped else "converged"
        return TrainingResult(params, history, status, outputs.loo_outputs)

    def _hidden_targets(self, network, params, inputs, targets, context, last):
        """Targets for the output of the last hidden layer."""
        layers = network.layers[network.readout :]
        own = params[network.readout :]
        before = None
        if last is not None:
            # solved weights see every block: what the others contribute is taken away
            rows, seen = last
            weights = own[0]["weights"]
            width = int(weights.shape[0]) - _width(rows)
            everything = as_array(seen)
            rest = everything[:, :width] @ weights[:width]
            before = everything
            below = self._readout_targets(network, params, rows, everything, targets, context)
            targets = Targets(below[:] - rest)
            layers, own = layers[:1], [{**own[0], "weights": weights[width:]}]
        elif sequence.needs_inputs(layers):
            before = _flat(sequence.forward(network.hidden, params[: network.readout],
                                            as_array(inputs)))  # fmt: skip
            targets = Targets(targets[:])
        values, changed = sequence.invert(
            layers, own, targets.values, before, rng=context.rng.spawn(1)[0],
            backward_rcond=context.backward_rcond,
        )  # fmt: skip
        params[network.readout + 1 :] = changed[1:] or params[network.readout + 1 :]
        shape = network.shapes()[network.readout]
        return targets.with_values(values.reshape(len(values), *shape))

    def _readout_targets(self, network, params, rows, seen, targets, context):
        """Targets for the read-out itself, through the activation that follows it."""
        if not network.tail:
            return targets
        before = None
        if sequence.needs_inputs(network.tail):
            readout, own = network.layers[network.readout], params[network.readout]
            fits = own["weights"].shape[0] == seen.shape[1]
            before = readout.forward(own, as_array(seen) if fits else _flat(as_array(rows)))
            targets = Targets(targets[:])
        values, tail = sequence.invert(
            network.tail, params[network.readout + 1 :], targets.values, before
        )
        params[network.readout + 1 :] = tail
        return targets.with_values(values)

    def _solve_readout(self, network, params, rows, seen, targets, context):
        """Solve the read-out on everything it sees; it is never relaxed."""
        below = self._readout_targets(network, params, rows, seen, targets, context)
        layer = network.layers[network.readout]
        context = context.replace(relaxation=1.0)
        started = perf_counter()
        solved = layer.solve(params[network.readout], seen, below, context)
        solved.report["seconds"] = perf_counter() - started
        params[network.readout] = solved.params
        if solved.loo_outputs is not None:
            solved.loo_outputs = to_numpy(solved.loo_outputs)
        return solved


class _Recorder:
    """Files each layer's report in the history and tells the callback."""

    def __init__(self, network, params, history, sweep, on_step):
        self.network, self.params, self.history = network, params, history
        self.sweep, self.on_step = sweep, on_step
        self.stopped = False
        self._last = perf_counter()

    def __call__(self, index, report):
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
        if self.on_step is not None and self.on_step(entry, self.params):
            self.stopped = True
        return self.stopped


def _width(rows):
    width = 1
    for size in rows.shape[1:]:
        width *= int(size)
    return width


def _flat(rows):
    return rows.reshape(len(rows), -1) if rows.ndim > 2 else rows
