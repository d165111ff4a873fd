"""Target propagation around layers that are solved: trees among layers that take steps."""

import functools
import math
from copy import copy
from dataclasses import dataclass

import numpy as np

from ...layers import Context, Identity, Layer, sequence
from ...linalg import to_numpy
from ...lists import leaves
from ...network import Network
from ...rows import Rows, Targets
from ..gradient.batches import Batches
from ..gradient.objective import Objective, trainable
from ..gradient.run import Run
from .target_rules import descend, half_square

SOLVED_TARGETS = ("difference", "reconstruction", "candidates")
CHUNK_ROWS = 1024


def solved_layers(network, update):
    """Indices of the hidden layers that are solved on all rows.

    They are those that have nothing to move, and those for which `update` says "solve".
    """
    return tuple(
        i
        for i, (name, layer) in enumerate(zip(network.names, network.hidden, strict=False))
        if layer.traits.learns
        and layer.traits.reads_targets
        and (
            (update if isinstance(update, str) else update.get(name)) == "solve"
            or any(type(leaf).trainable is Layer.trainable for leaf in leaves([layer]))
        )
    )


@functools.lru_cache(maxsize=64)
def compiled_outputs(objective):
    """Outputs of a part of a network, as in prediction."""
    import jax

    return jax.jit(lambda params, rows: objective.outputs(params, rows)[0])


@functools.lru_cache(maxsize=64)
def compiled_targets(objective, steps):
    """Targets for the input of a part of a network, by gradient steps on its loss."""
    import jax

    def targets(params, rows, wanted):
        def loss(rows):
            outputs, _ = objective.outputs(params, rows)
            return objective.losses(params, outputs, wanted).sum()

        return descend(loss, rows, steps)

    return jax.jit(targets)


@functools.lru_cache(maxsize=64)
def compiled_noise(objective):
    """Outputs of a part of a network, with the noise that it has in training."""
    import jax

    def outputs(params, rows, key, number):
        for i, layer in enumerate(objective.network.hidden):
            own_key = jax.random.fold_in(jax.random.fold_in(key, number), i)
            rows = layer.forward(params[i], rows, rng=own_key)
        return rows

    return jax.jit(outputs)


@dataclass(frozen=True)
class Steps:
    """What `descend` reads."""

    target_rate: float
    n_target_steps: int


def by_chunks(function, *tables, dtype):
    """A function of rows, applied to chunks of one shape; a NumPy array."""
    n_rows = tables[0].shape[0]
    size, found = min(CHUNK_ROWS, n_rows), []
    for start in range(0, n_rows, size):
        # the last chunk overlaps the one before
        part = slice(max(0, min(start, n_rows - size)), start + size)
        chunks = [table[part] for table in tables]
        chunks = [c.toarray() if hasattr(c, "toarray") else np.asarray(c) for c in chunks]
        chunks = [c.astype(dtype, copy=False) if c.dtype.kind == "f" else c for c in chunks]
        outputs = np.asarray(function(*chunks))
        found.append(outputs[start - part.start :])
    return np.concatenate(found)


class Part:
    """Layers that learn by mini-batches, between two solved ones.

    Parameters
    ----------
    network : Network
        Ends in the target of the solved layer above, as a regression.
    run : Run or None
        None where the layers have nothing to learn.
    """

    def __init__(self, network, params, run, dtype):
        self.network, self.run, self.dtype = network, run, dtype
        self.fixed = params

    @property
    def params(self):
        return self.fixed if self.run is None else self.run._present()

    def outputs(self, rows):
        if self.run is None:
            return sequence.forward(self.network.hidden, self.fixed[:-1], rows)
        outputs, params = compiled_outputs(self.run.objective), self.params
        return by_chunks(lambda rows: outputs(params, rows), rows, dtype=self.dtype)

    def learn(self, rows, wanted, weights, epoch):
        """One epoch towards targets."""
        if self.run is None:
            return
        self.run.batches = Batches(
            rows, Targets(wanted), weights, self.run.trainer.batch_size, self.dtype
        )
        self.run._epoch(epoch)

    def wanted_below(self, rows, wanted, steps):
        """Targets for the rows that come from below."""
        objective = Objective(self.network, "regression")
        targets, params = compiled_targets(objective, steps), self.params
        return by_chunks(lambda x, t: targets(params, x, t), rows, wanted, dtype=self.dtype)

    def noisy(self, rows, key):
        """One more pass, with the noise of its stochastic layers."""
        noisy, params = compiled_noise(Objective(self.network, "regression")), self.params
        # each chunk draws from a key of its own
        numbers = np.arange(rows.shape[0])
        return by_chunks(lambda x, i: noisy(params, x, key, i[0]), rows, numbers, dtype=self.dtype)


class Solved:
    """A solved layer, and what its fit made of rows that it had not seen."""

    def __init__(self, layer, params):
        self.layer, self.params, self.outputs = layer, params, None
        if "estimator" in params:
            # a copy leaves behind the outputs for the rows of a former call
            self.params = {**params, "estimator": copy(params["estimator"])}

    def hand_on(self, rows):
        """What the layer above is given while it learns."""
        return self.layer.forward(self.params, rows) if self.outputs is None else self.outputs

    def inverse(self, wanted, rows):
        """Inputs for which the outputs would be as wanted; the present ones are `rows`."""
        own = Context()
        rows = rows if self.layer.traits.reads_inputs else None
        params = self.layer.learn_inverse(self.params, [(wanted, rows)], own)
        return np.asarray(self.layer.invert(params, wanted, rows, own))

    def solve(self, rows, wanted, context):
        solved = self.layer.solve(self.params, Rows(rows), Targets(wanted), context)
        self.params = solved.params
        self.outputs = None if solved.outputs is None else to_numpy(solved.outputs[:])


class Rounds(Run):
    """A run of what stands above the last solved layer, with all that is beneath it.

    An epoch of it takes one of every part and solves every solved layer once.

    Parameters
    ----------
    cuts : tuple of int
        Indices of the solved layers.
    """

    def __init__(self, trainer, cuts, network, params, rows, held, context, on_step, state):
        self.trainer, self.whole, self.cuts = trainer, network, cuts
        self.rows, self.held = rows, held
        self.steps = Steps(trainer.target_rate, trainer.n_target_steps)
        shapes = network.shapes
        if state is not None and state.get("cuts") != cuts:
            state = None
        below = state["below"] if state is not None else [None] * len(cuts)
        self.parts, self.solved, start = [], [], 0
        inputs = rows[0]
        for cut, kept in zip(cuts, below, strict=True):
            part = self._part(network, shapes, start, cut, params, inputs, context, kept)
            self.parts.append(part)
            self.solved.append(Solved(network.layers[cut], params[cut]))
            inputs = self.solved[-1].hand_on(part.outputs(inputs))
            start = cut + 1
        top = Network(
            network.names[start:], network.layers[start:], network.readout - start,
            (network.readout - start,), shapes[start],
        )  # fmt: skip
        ends = None if held is None else (self._climb(held[0]), *held[1:])
        super().__init__(
            trainer, top, params[start:], (inputs, *rows[1:]), ends, context, on_step,
            state,
        )  # fmt: skip
        self.solver_context = context.replace(
            sample_weight=rows[2], relaxation=trainer.update_rate, refine=True, left_out=False
        )

    def _part(self, network, shapes, start, cut, params, inputs, context, state):
        """What stands between two solved layers, with a run of its own if it can learn."""
        sub = Network(
            (*network.names[start:cut], "target"), (*network.layers[start:cut], Identity()),
            cut - start, (cut - start,), shapes[start],
        )  # fmt: skip
        own, run = [*params[start:cut], {}], None
        if any(trainable(sub, own)):
            wanted = np.zeros((inputs.shape[0], math.prod(shapes[cut])), context.dtype)
            rows = (inputs, Targets(wanted), self.rows[2])
            local = context.replace(task="regression")
            run = Run(self.trainer, sub, own, rows, None, local, None, state)
        return Part(sub, own, run, context.dtype)

    def _climb(self, rows):
        """The rows as they reach the top, in prediction."""
        for part, solved in zip(self.parts, self.solved, strict=True):
            rows = solved.layer.forward(solved.params, part.outputs(rows))
        return rows

    def _epoch(self, epoch):
        if self.trainer.order == "target_first":
            entry = self._targets_first(epoch)
        else:
            entry = self._updates_first(epoch)
        if self.held is not None:
            ends = (self._climb(self.held[0]), *self.held[1:])
            self.validation = Batches(*ends, "auto", self.context.dtype)
        return entry

    def _targets_first(self, epoch):
        """All targets on the way down, all updates on the way up, on what then comes from below."""
        below, inputs = self._ascend()
        above = [self._top_targets(inputs)]
        aims = []
        for k in range(len(self.parts) - 1, -1, -1):
            aims.insert(0, self._inverse(k, *below[k], above[0], epoch))
            if k > 0:
                above.insert(0, self.parts[k].wanted_below(below[k][0], aims[0], self.steps))
        inputs = self.rows[0]
        for k, (part, solved) in enumerate(zip(self.parts, self.solved, strict=True)):
            part.learn(inputs, aims[k], self.rows[2], epoch)
            reached = part.outputs(inputs)
            solved.solve(reached, above[k], self._own_context())
            inputs = solved.hand_on(reached)
        return self._top_epoch(inputs, epoch)

    def _updates_first(self, epoch):
        """On the way down, each part learns and each layer is solved, then hands down targets."""
        below, inputs = self._ascend()
        entry = self._top_epoch(inputs, epoch)
        above = self._top_targets(inputs)
        for k in range(len(self.parts) - 1, -1, -1):
            part, solved = self.parts[k], self.solved[k]
            rows, reached = below[k]
            solved.solve(reached, above, self._own_context())
            aim = self._inverse(k, rows, reached, above, epoch)
            part.learn(rows, aim, self.rows[2], epoch)
            if k > 0:
                above = part.wanted_below(rows, aim, self.steps)
        return entry

    def _ascend(self):
        """What every part and every solved layer is given, and what reaches the top."""
        below, inputs = [], self.rows[0]
        for part, solved in zip(self.parts, self.solved, strict=True):
            reached = part.outputs(inputs)
            below.append((inputs, reached))
            inputs = solved.hand_on(reached)
        return below, inputs

    def _top_epoch(self, inputs, epoch):
        self.batches = Batches(inputs, *self.rows[1:], self.trainer.batch_size, self.context.dtype)
        return super()._epoch(epoch)

    def _own_context(self):
        return self.solver_context.replace(rng=self.context.rng.spawn(1)[0])

    def _top_targets(self, inputs):
        targets, params = compiled_targets(self.objective, self.steps), Run._present(self)
        wanted = np.asarray(self.rows[1])
        return by_chunks(
            lambda x, t: targets(params, x, t), inputs, wanted, dtype=self.context.dtype
        )

    def _inverse(self, k, inputs, reached, wanted, epoch):
        """Targets for the rows that reach solved layer k; None if nothing learns below it."""
        import jax

        part, solved, trainer = self.parts[k], self.solved[k], self.trainer
        if part.run is None and k == 0:
            return None
        rules = trainer.targets
        name = self.whole.names[self.cuts[k]]
        chosen = rules if isinstance(rules, str) else rules.get(name, "difference")
        if chosen != "candidates":
            found = solved.inverse(wanted, reached)
            if chosen == "reconstruction":
                return found
            # what the inverse makes of the present output is taken away: whatever it misses,
            # an output that meets its target asks for no change
            present = solved.layer.forward(solved.params, reached)
            return reached + (found - solved.inverse(present, reached))
        keys = jax.random.split(
            jax.random.fold_in(self.key, 1000 * epoch + k), trainer.n_candidates - 1
        )
        if trainer.candidates == "passes":
            more = [part.noisy(inputs, key) for key in keys]
        else:
            spread = trainer.candidate_spread
            more = [
                reached + spread * np.asarray(jax.random.normal(key, reached.shape, reached.dtype))
                for key in keys
            ]
        return nearest(solved, np.stack([reached, *more]), wanted)

    def _present(self):
        params = []
        for part, solved in zip(self.parts, self.solved, strict=True):
            params += [*part.params[:-1], solved.params]
        return [*params, *super()._present()]

    def _finite(self):
        runs = [part.run for part in self.parts if part.run is not None]
        return super()._finite() and all(run._finite() for run in runs)

    def _kept(self):
        below = [
            (None if part.run is None else part.run._kept(), solved.params)
            for part, solved in zip(self.parts, self.solved, strict=True)
        ]
        return super()._kept(), below

    def _restore(self, kept):
        top, below = kept
        super()._restore(top)
        for part, solved, (run, params) in zip(self.parts, self.solved, below, strict=True):
            solved.params = params
            if part.run is not None:
                part.run._restore(run)

    def _state(self):
        below = [None if part.run is None else part.run._state() for part in self.parts]
        return {**super()._state(), "cuts": self.cuts, "below": below}


def nearest(solved, found, wanted):
    """For each row, the candidate whose output comes closest to its target; the first of equals."""
    errors = [half_square(solved.layer.forward(solved.params, rows) - wanted) for rows in found]
    return found[np.argmin(errors, axis=0), np.arange(found.shape[1])]
