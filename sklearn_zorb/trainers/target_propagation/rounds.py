"""Target propagation around layers that are solved: trees among layers that take steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...layers import Identity
from ...lists import leaves
from ...network import Network
from ...rows import Targets
from ..gradient.batches import Batches
from ..gradient.objective import trainable
from ..gradient.run import Run
from ..gradient.structure import has_weights
from .stage import Stage, by_chunks, compiled_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...layers.base import Context, Layer
    from ...typing import Params
    from ..base import OnStep
    from ..gradient.run import Held
    from .target_propagation import TargetPropagation

SOLVED_TARGETS = ("difference", "reconstruction", "candidates")


def solved_layers(network: Network, update: str | dict[str, str]) -> tuple[int, ...]:
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
            or not all(map(has_weights, leaves([layer])))
        )
    )


def part_of(network: Network, start: int, stop: int, name: str, last: Layer) -> Network:
    """Some layers of a network, with a layer of this name behind them as their read-out."""
    names, layers = (*network.names[start:stop], name), (*network.layers[start:stop], last)
    index = stop - start
    return Network(names, layers, index, (index,), network.shapes[start])


class Rounds(Run):
    """A run of what stands above the last solved layer, with all that is beneath it.

    An epoch of it takes one of every part and solves every solved layer once.

    Parameters
    ----------
    cuts : tuple of int
        Indices of the solved layers.
    """

    def __init__(
        self,
        trainer: TargetPropagation,
        cuts: tuple[int, ...],
        network: Network,
        params: Sequence[Params],
        rows: Held,
        held: Held | None,
        context: Context,
        on_step: OnStep | None,
        state: dict[str, Any] | None,
    ) -> None:
        self.trainer, self.cuts, self.context = trainer, cuts, context
        self.rows, self.held, self.whole = rows, held, network
        self.steps = (float(trainer.target_rate), int(trainer.n_target_steps))
        if state is not None and state.get("cuts") != cuts:
            state = None
        below = state["below"] if state is not None else [None] * len(cuts)
        self.stages: list[Stage] = []
        start, inputs = 0, rows[0]
        for cut, kept in zip(cuts, below, strict=True):
            stage = self._stage(start, cut, params, inputs, kept)
            self.stages.append(stage)
            inputs = stage.handed_on(stage.reached(inputs))
            start = cut + 1
        top = Network(
            network.names[start:], network.layers[start:], network.readout - start,
            (network.readout - start,), network.shapes[start],
        )  # fmt: skip
        ends = None if held is None else (self._climb(held[0]), *held[1:])
        super().__init__(
            trainer, top, params[start:], (inputs, *rows[1:]), ends, context, on_step, state
        )
        self.solver_context = context.replace(
            sample_weight=rows[2], relaxation=trainer.update_rate, refine=True, left_out=False
        )

    def _stage(
        self, start: int, cut: int, params: Sequence[Params], inputs: Any, state: Any
    ) -> Stage:
        """The solved layer at `cut` with what stands beneath it, back to `start`."""
        network, context = self.whole, self.context
        part = part_of(network, start, cut, "target", Identity())
        below, run = [*params[start:cut], {}], None
        if any(trainable(part, below)):
            width = math.prod(network.shapes[cut])
            wanted = np.zeros((inputs.shape[0], width), context.dtype)
            rows = (inputs, Targets(wanted), self.rows[2])
            local = context.replace(task="regression")
            run = Run(self.trainer, part, below, rows, None, local, None, state)
        return Stage(part, below, run, network.layers[cut], params[cut], context.dtype)

    def _climb(self, rows: Any) -> Any:
        """The rows as they reach the top, in prediction."""
        for stage in self.stages:
            rows = stage.outputs(stage.reached(rows))
        return rows

    def epoch(self, number: int) -> dict[str, Any]:
        if self.trainer.order == "target_first":
            entry = self._targets_first(number)
        else:
            entry = self._updates_first(number)
        if self.held is not None:
            ends = (self._climb(self.held[0]), *self.held[1:])
            self.validation = Batches(*ends, "auto", self.context.dtype)
        return entry

    def _targets_first(self, number: int) -> dict[str, Any]:
        """All targets on the way down, all updates on the way up, on what then comes from below."""
        below, inputs = self._ascend()
        wanted, todo = self._top_targets(inputs), []
        for k in reversed(range(len(self.stages))):
            aim = self._inverse(k, *below[k], wanted, number)
            todo.append((self.stages[k], aim, wanted))
            if k > 0:
                wanted = self.stages[k].wanted_below(below[k][0], aim, *self.steps)
        inputs = self.rows[0]
        for stage, aim, wanted in reversed(todo):
            stage.learn(inputs, aim, self.rows[2], number)
            reached = stage.reached(inputs)
            stage.solve(reached, wanted, self._own_context())
            inputs = stage.handed_on(reached)
        return self._top_epoch(inputs, number)

    def _updates_first(self, number: int) -> dict[str, Any]:
        """On the way down, each part learns and each layer is solved, then hands down targets."""
        below, inputs = self._ascend()
        entry = self._top_epoch(inputs, number)
        wanted = self._top_targets(inputs)
        for k in reversed(range(len(self.stages))):
            stage, (rows, reached) = self.stages[k], below[k]
            stage.solve(reached, wanted, self._own_context())
            aim = self._inverse(k, rows, reached, wanted, number)
            stage.learn(rows, aim, self.rows[2], number)
            if k > 0:
                wanted = stage.wanted_below(rows, aim, *self.steps)
        return entry

    def _ascend(self) -> tuple[list[tuple[Any, Any]], Any]:
        """What every part and every solved layer is given, and what reaches the top."""
        below, inputs = [], self.rows[0]
        for stage in self.stages:
            reached = stage.reached(inputs)
            below.append((inputs, reached))
            inputs = stage.handed_on(reached)
        return below, inputs

    def _top_epoch(self, inputs: Any, number: int) -> dict[str, Any]:
        self.batches = Batches(inputs, *self.rows[1:], self.trainer.batch_size, self.context.dtype)
        return super().epoch(number)

    def _own_context(self) -> Context:
        return self.solver_context.replace(rng=self.context.rng.spawn(1)[0])

    def _top_targets(self, inputs: Any) -> np.ndarray:
        targets, params = compiled_targets(self.objective, *self.steps), super().present_params()
        wanted = np.asarray(self.rows[1])
        return by_chunks(
            lambda x, t: targets(params, x, t), inputs, wanted, dtype=self.context.dtype
        )

    def _inverse(self, k: int, inputs: Any, reached: Any, wanted: Any, number: int) -> Any:
        """Targets for the rows that reach solved layer k; None if nothing learns below it."""
        stage, rules = self.stages[k], self.trainer.targets
        if stage.run is None and k == 0:
            return None
        name = self.whole.names[self.cuts[k]]
        rule = rules if isinstance(rules, str) else rules.get(name, "difference")
        if rule == "candidates":
            return stage.nearest(self._candidates(k, inputs, reached, number), wanted)
        found = stage.inverse(wanted, reached)
        if rule == "reconstruction":
            return found
        # what the inverse makes of the present output is taken away: whatever it misses,
        # an output that meets its target asks for no change
        return reached + (found - stage.inverse(stage.outputs(reached), reached))

    def _candidates(self, k: int, inputs: Any, reached: Any, number: int) -> np.ndarray:
        """The rows that reach solved layer k, and others that could."""
        import jax

        trainer, key = self.trainer, jax.random.fold_in(self.key, 1000 * number + k)
        keys = jax.random.split(key, trainer.n_candidates - 1)
        if trainer.candidates == "passes":
            more = [self.stages[k].noisy(inputs, key) for key in keys]
        else:
            normal = [jax.random.normal(key, reached.shape, reached.dtype) for key in keys]
            more = [reached + trainer.candidate_spread * np.asarray(noise) for noise in normal]
        return np.stack([reached, *more])

    def present_params(self) -> list[Params]:
        params = []
        for stage in self.stages:
            params += [*stage.below[:-1], stage.params]
        return [*params, *super().present_params()]

    def finite(self) -> bool:
        runs = [stage.run for stage in self.stages if stage.run is not None]
        return super().finite() and all(run.finite() for run in runs)

    def kept(self) -> Any:
        return super().kept(), [stage.kept() for stage in self.stages]

    def restore(self, kept: Any) -> None:
        top, below = kept
        super().restore(top)
        for stage, state in zip(self.stages, below, strict=True):
            stage.restore(state)

    def state(self) -> dict[str, Any]:
        below = [None if stage.run is None else stage.run.state() for stage in self.stages]
        return {**super().state(), "cuts": self.cuts, "below": below}
