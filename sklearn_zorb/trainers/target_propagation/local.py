"""Targets for blocks of layers, and the local steps that meet them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...layers import Dense
from ..gradient.objective import merge
from ..gradient.optimizers import make_optimizer
from ..gradient.update import Update
from .reverse import guess, initial_reverse
from .target_rules import TARGET_RULES, descend, half_square

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...layers.base import Context
    from ...typing import Params
    from ..gradient.objective import Aux, Batch, Objective, Tree

# what trains the inverses
ADAM = make_optimizer("adam", None)


@dataclass(frozen=True, kw_only=True)
class LocalUpdate(Update):
    """The step of `TargetPropagation` for one batch.

    Attributes
    ----------
    starts : tuple of int
        Indices of the layers at which blocks begin.
    rules, updates : tuple of str
        For each block, how its target is carried down, and how it comes to meet it.
    """

    starts: tuple[int, ...]
    rules: tuple[str, ...]
    updates: tuple[str, ...]
    target_rate: float
    n_target_steps: int
    alpha: float
    delta: bool
    update_rate: float
    alpha_update: float
    order: str
    reverse_units: int | None
    reverse_rate: float
    noise: float
    regularize: float
    tie: bool
    alternate_every: int | None
    n_candidates: int
    candidates: str
    candidate_spread: float

    @property
    def figures(self) -> tuple[str, ...]:
        if not self.diagnostics:
            return ()
        blocks = (f"local_reduction_{j + 1}" for j in range(len(self.starts)))
        return ("error_reduction", *blocks)

    @property
    def previews(self) -> bool:  # type: ignore[override]  # it depends on the order
        return self.order == "update_first"

    def memory(self, objective: Objective, params: Tree, moved: Tree, context: Context) -> Tree:
        reverse = initial_reverse(self, objective.network, context)
        state = ADAM.build().init(reverse)
        return {"reverse": reverse, "state": state, "step": np.int32(0)}

    def direction(
        self,
        objective: Objective,
        moved: Tree,
        params: Tree,
        memory: Tree,
        batch: Batch,
        key: Any,
        preview: Callable[[Tree], Tree] | None = None,
    ) -> tuple[Tree, Aux, Tree]:
        run = Pass(self, objective, merge(params, moved), memory["reverse"], batch, key)

        def towards(targets: Sequence[Any]) -> Tree:
            return self._towards(run, moved, params, targets)

        targets = run.targets() if preview is None else run.later_targets(
            lambda targets: merge(params, preview(towards(targets)))
        )  # fmt: skip
        memory = self._train_reverse(run, memory, targets)
        forward = 1
        if self.alternate_every:
            forward = (memory["step"] // self.alternate_every) % 2 == 0
        aux = {**run.aux, "kept": (run.states, targets, forward)}
        gradient = _scaled(towards(targets), forward)
        return gradient, aux, {**memory, "step": memory["step"] + 1}

    def again(
        self, objective: Objective, moved: Tree, params: Tree, batch: Batch, key: Any, aux: Aux
    ) -> Tree:
        states, targets, forward = aux["kept"]
        run = Pass(self, objective, merge(params, moved), {}, batch, key, states)
        return _scaled(self._towards(run, moved, params, targets), forward)

    def adjusted(self, updates: Tree, direction: Tree) -> Tree:
        """Ridge solutions are steps of their own: the optimiser has no part in them."""
        updates = list(updates)
        for start, update in zip(self.starts, self.updates, strict=True):
            if update == "least_squares":
                updates[start] = {
                    name: -self.update_rate * direction[start][name] for name in updates[start]
                }
        return updates

    def _towards(self, run: Pass, moved: Tree, params: Tree, targets: Sequence[Any]) -> Tree:
        """The direction that brings every block to its target; none for a target of None."""
        import jax

        gradient = jax.grad(lambda moved: run.local_loss(merge(params, moved), targets))(moved)
        return run.solved(gradient, targets)

    def _train_reverse(self, run: Pass, memory: Tree, targets: Sequence[Any]) -> Tree:
        """One step of Adam on the reconstruction losses."""
        import jax
        import optax

        if not memory["reverse"]:
            return memory
        gradient = jax.grad(run.reverse_loss)(memory["reverse"], targets)
        state = memory["state"]
        state.hyperparams["learning_rate"] = jax.numpy.full_like(
            state.hyperparams["learning_rate"], self.reverse_rate
        )
        if self.alternate_every:
            backward = (memory["step"] // self.alternate_every) % 2 == 1
            gradient = jax.tree.map(lambda g: g * backward, gradient)
        transformation = ADAM.build()
        updates, state = transformation.update(gradient, state, memory["reverse"])
        reverse = optax.apply_updates(memory["reverse"], updates)
        return {**memory, "reverse": reverse, "state": state}

    def reductions(
        self, objective: Objective, moved: Tree, params: Tree, batch: Batch, key: Any, aux: Aux
    ) -> dict[str, Any]:
        """What the step took from the loss of the batch and from each local loss."""
        after = merge(params, moved)
        states, targets, _ = aux["kept"]
        run = Pass(self, objective, params, {}, batch, key, states)
        figures = {"error_reduction": aux["loss"] - objective.loss(after, batch, key)[0]}
        for j, target in enumerate(targets):
            errors = [
                batch[2] @ half_square(state - target)
                for state in (states[j + 1], run.block(j, after, states[j]))
            ]
            figures[f"local_reduction_{j + 1}"] = errors[0] - errors[1]
        return figures


def _scaled(tree: Tree, factor: Any) -> Tree:
    import jax

    return jax.tree.map(lambda g: g * factor, tree)


class Pass:
    """One batch on its way up: the state after every block, and what the rules do with it."""

    def __init__(
        self,
        update: LocalUpdate,
        objective: Objective,
        params: Tree,
        reverse: Tree,
        batch: Batch,
        key: Any,
        states: list[Any] | None = None,
    ) -> None:
        self.update, self.objective, self.params, self.reverse = update, objective, params, reverse
        self.inputs, self.wanted, self.weights = batch
        self.key = key
        self.ends = (*update.starts[1:], objective.network.readout)
        self.states = states or self._ascend()

    def _ascend(self) -> list[Any]:
        rows, states, network = self.inputs, [], self.objective.network
        moments: list[Params] = [{} for _ in network.layers]
        for i in range(network.readout):
            if i in self.update.starts:
                states.append(rows)
            rows, moments[i] = self._advance(i, self.params, rows)
        states.append(rows)
        outputs = self._readout(self.params, rows)
        _, self.aux = self.objective.weigh(self.params, outputs, self.wanted, self.weights, moments)
        return states

    def _advance(self, i: int, params: Tree, rows: Any, key: Any = None) -> tuple[Any, Params]:
        key = self.key if key is None else key
        return self.objective.advance(i, params, rows, key, self.weights)

    def block(self, j: int, params: Tree, rows: Any, *, key: Any = None, skip: int = 0) -> Any:
        """Output of block j; without its first layers where `skip` says so."""
        for i in range(self.update.starts[j] + skip, self.ends[j]):
            rows, _ = self._advance(i, params, rows, key)
        return rows

    def _readout(self, params: Tree, rows: Any) -> Any:
        index = self.objective.network.readout
        flat = rows.reshape(rows.shape[0], -1)
        return self.objective.network.layers[index].forward(params[index], flat)

    def targets(self) -> list[Any]:
        """A target for the output of every block."""
        found = [self.top_target()]
        for j in range(len(self.update.starts) - 1, 0, -1):
            found.insert(0, TARGET_RULES[self.update.rules[j]](self, j, found[0]))
        return found

    def later_targets(self, stepped: Callable[[list[Any]], Tree]) -> list[Any]:
        """The same, each through layers that have already taken their step.

        Parameters
        ----------
        stepped : callable
            Params after the steps towards the targets known so far; None for the others.
        """
        depth = len(self.update.starts)
        params, found = self.params, [None] * depth
        self.params = stepped(found)
        found[-1] = self.top_target()
        for j in range(depth - 1, 0, -1):
            self.params = params
            self.params = stepped(found)
            found[j - 1] = TARGET_RULES[self.update.rules[j]](self, j, found[j])
        self.params = params
        return found

    def top_target(self) -> Any:
        """The last hidden output, moved against the gradient of the loss."""

        def loss(rows: Any) -> Any:
            outputs = self._readout(self.params, rows)
            return self.objective.losses(self.params, outputs, self.wanted).sum()

        return descend(loss, self.states[-1], self.update.target_rate, self.update.n_target_steps)

    def local_loss(self, params: Tree, targets: Sequence[Any]) -> Any:
        """Sum of the local losses and of the read-out's, each on fixed inputs."""
        total = self.weights @ self.objective.losses(
            self.params, self._readout(params, self.states[-1]), self.wanted
        )
        for j, target in enumerate(targets):
            if target is not None:
                missing = self.block(j, params, self.states[j]) - target
                total = total + self.weights @ half_square(missing)
        return total

    def solved(self, gradient: Tree, targets: Sequence[Any]) -> Tree:
        """The gradient, with the negative ridge solution where a `Dense` block is to have it."""
        from jax import numpy as jnp

        gradient = list(gradient)
        # sums over the rows that there are: those that fill up a batch weigh nothing
        scale = self.weights * (self.weights > 0).sum()
        for j, target in enumerate(targets):
            if self.update.updates[j] != "least_squares" or target is None:
                continue
            first = self.update.starts[j]
            rows, change = self.states[j], self.change_before(j, target)
            centred = "intercept" in gradient[first]
            total = jnp.maximum(scale.sum(), 1e-12)
            means = [scale @ a / total if centred else 0.0 for a in (rows, change)]
            rows, change = rows - means[0], change - means[1]
            gram = rows.T @ (scale[:, None] * rows)
            ridge = gram + self.update.alpha_update * jnp.eye(len(gram), dtype=gram.dtype)
            step = jnp.linalg.solve(ridge, rows.T @ (scale[:, None] * change))
            layer_gradient = {"weights": -step}
            if centred:
                layer_gradient["intercept"] = -(means[1] - means[0] @ step)
            gradient[first] = layer_gradient
        return gradient

    def dense(self, j: int) -> bool:
        return isinstance(self.objective.network.layers[self.update.starts[j]], Dense)

    def change_before(self, j: int, target: Any) -> Any:
        """How the output of the first layer of block j moves to meet a target of the block."""
        import jax

        first = self.update.starts[j]
        before, _ = self._advance(first, self.params, self.states[j])

        def loss(rows: Any) -> Any:
            return half_square(self.block(j, self.params, rows, skip=1) - target).sum()

        return -self.update.target_rate * jax.grad(loss)(before)

    def guess(self, reverse: Tree, j: int, rows: Any) -> Any:
        """The learned inverse of block j, applied to rows."""
        learned = reverse[str(j)]
        tied = None if "weights" in learned else self.params[self.update.starts[j]]["weights"].T
        return guess(learned, rows, tied).reshape(self.states[j].shape)

    def reverse_loss(self, reverse: Tree, targets: Sequence[Any]) -> Any:
        """How well the inverses reconstruct what each block was given."""
        import jax

        total = 0.0
        for name in reverse:
            j = int(name)
            rows = self.states[j + 1]
            if self.update.noise:
                key = jax.random.fold_in(self.key, 1000 + j)
                rows = rows + self.update.noise * jax.random.normal(key, rows.shape, rows.dtype)
            missing = self.guess(reverse, j, rows) - self.states[j]
            total = total + self.weights @ half_square(missing)
            if self.update.regularize:
                near = self.guess(reverse, j, targets[j]) - self.guess(reverse, j, rows)
                total = total + self.update.regularize * (self.weights @ half_square(near))
        return total
