"""Targets for blocks of layers, and the local steps that meet them."""

from dataclasses import dataclass
from typing import Any

from ...layers import Dense
from ..gradient.objective import merge
from ..gradient.rule import Rule
from .reverse import guess
from .target_rules import TARGET_RULES, descend, half_square


@dataclass(frozen=True)
class LocalRule(Rule):
    """The step of `TargetPropagation` for one batch."""

    starts: tuple
    rules: tuple
    target_rate: float
    n_target_steps: int
    alpha: float
    delta: bool
    updates: tuple
    update_rate: float
    alpha_update: float
    order: str
    noise: float
    regularize: float
    tie: bool
    alternate_every: int
    n_candidates: int
    candidates: str
    candidate_spread: float
    reverse_optimizer: Any
    reverse_rate: float
    diagnostics: bool
    n_updates: int = 1

    @property
    def figures(self):
        if not self.diagnostics:
            return ()
        blocks = (f"local_reduction_{j + 1}" for j in range(len(self.starts)))
        return ("error_reduction", *blocks)

    @property
    def previews(self):
        return self.order == "update_first"

    def direction(self, objective, moved, params, memory, batch, key, preview=None):
        run = _Pass(self, objective, merge(params, moved), memory["reverse"], batch, key)

        def towards(targets):
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

    def again(self, objective, moved, params, batch, key, aux):
        states, targets, forward = aux["kept"]
        run = _Pass(self, objective, merge(params, moved), {}, batch, key, states)
        return _scaled(self._towards(run, moved, params, targets), forward)

    def adjusted(self, updates, direction):
        """Ridge solutions are steps of their own: the optimiser has no part in them."""
        updates = list(updates)
        for start, update in zip(self.starts, self.updates, strict=True):
            if update == "least_squares":
                updates[start] = {
                    name: -self.update_rate * direction[start][name] for name in updates[start]
                }
        return updates

    def _towards(self, run, moved, params, targets):
        """The direction that brings every block to its target; none for a target of None."""
        import jax

        gradient = jax.grad(lambda moved: run.local_loss(merge(params, moved), targets))(moved)
        return run.solved(gradient, targets)

    def _train_reverse(self, run, memory, targets):
        """One step of Adam on the reconstruction losses."""
        import jax

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
        transformation = self.reverse_optimizer.build()
        updates, state = transformation.update(gradient, state, memory["reverse"])
        reverse = jax.tree.map(lambda p, u: p + u.astype(p.dtype), memory["reverse"], updates)
        return {**memory, "reverse": reverse, "state": state}

    def reductions(self, objective, moved, params, batch, key, aux):
        """What the step took from the loss of the batch and from each local loss."""
        after = merge(params, moved)
        states, targets, _ = aux["kept"]
        run = _Pass(self, objective, params, {}, batch, key, states)
        figures = {"error_reduction": aux["loss"] - objective.loss(after, batch, key)[0]}
        for j, target in enumerate(targets):
            errors = [
                batch[2] @ half_square(state - target)
                for state in (states[j + 1], run.block(j, after, states[j]))
            ]
            figures[f"local_reduction_{j + 1}"] = errors[0] - errors[1]
        return figures


def _scaled(tree, factor):
    import jax

    return jax.tree.map(lambda g: g * factor, tree)


class _Pass:
    """One batch on its way up: the state after every block, and what the rules do with it."""

    def __init__(self, rule, objective, params, reverse, batch, key, states=None):
        self.rule, self.objective, self.params, self.reverse = rule, objective, params, reverse
        self.inputs, self.wanted, self.weights = batch
        self.key, self.moments = key, {}
        self.ends = (*rule.starts[1:], objective.network.readout)
        self.states = states or self._ascend()

    def _ascend(self):
        rows = self.inputs
        for i in range(self.rule.starts[0]):
            rows = self.objective.advance(
                i, self.params, rows, self.key, self.weights, self.moments
            )
        states = [rows]
        for j in range(len(self.rule.starts)):
            states.append(self.block(j, self.params, states[-1], moments=self.moments))
        outputs = self._readout(self.params, states[-1])
        _, self.aux = self.objective.weigh(
            self.params, outputs, self.wanted, self.weights, self.moments
        )
        return states

    def block(self, j, params, rows, *, key=None, moments=None, skip=0):
        """Output of block j; without its first layers where `skip` says so."""
        key = self.key if key is None else key
        for i in range(self.rule.starts[j] + skip, self.ends[j]):
            rows = self.objective.advance(i, params, rows, key, self.weights, moments)
        return rows

    def _readout(self, params, rows):
        index = self.objective.network.readout
        flat = rows.reshape(rows.shape[0], -1)
        return self.objective.network.layers[index].forward(params[index], flat)

    def targets(self):
        """A target for the output of every block."""
        found = [self.top_target()]
        for j in range(len(self.rule.starts) - 1, 0, -1):
            found.insert(0, TARGET_RULES[self.rule.rules[j]](self, j, found[0]))
        return found

    def later_targets(self, stepped):
        """The same, each through layers that have already taken their step.

        Parameters
        ----------
        stepped : callable
            Params after the steps towards the targets known so far; None for the others.
        """
        depth = len(self.rule.starts)
        params, found = self.params, [None] * depth
        self.params = stepped(found)
        found[-1] = self.top_target()
        for j in range(depth - 1, 0, -1):
            self.params = params
            self.params = stepped(found)
            found[j - 1] = TARGET_RULES[self.rule.rules[j]](self, j, found[j])
        self.params = params
        return found

    def top_target(self):
        """The last hidden output, moved against the gradient of the loss."""

        def loss(rows):
            outputs = self._readout(self.params, rows)
            return self.objective.losses(self.params, outputs, self.wanted).sum()

        return descend(loss, self.states[-1], self.rule)

    def local_loss(self, params, targets):
        """Sum of the local losses and of the read-out's, each on fixed inputs."""
        total = self.weights @ self.objective.losses(
            self.params, self._readout(params, self.states[-1]), self.wanted
        )
        for j, target in enumerate(targets):
            if target is not None:
                missing = self.block(j, params, self.states[j]) - target
                total = total + self.weights @ half_square(missing)
        return total

    def solved(self, gradient, targets):
        """The gradient, with the negative ridge solution where a `Dense` block is to have it."""
        from jax import numpy as jnp

        gradient = list(gradient)
        # sums over the rows that there are: those that fill up a batch weigh nothing
        scale = self.weights * (self.weights > 0).sum()
        for j, target in enumerate(targets):
            if self.rule.updates[j] != "least_squares" or target is None:
                continue
            first = self.rule.starts[j]
            rows, change = self.states[j], self.change_before(j, target)
            centred = "intercept" in gradient[first]
            total = jnp.maximum(scale.sum(), 1e-12)
            means = [scale @ a / total if centred else 0.0 for a in (rows, change)]
            rows, change = rows - means[0], change - means[1]
            gram = rows.T @ (scale[:, None] * rows)
            ridge = gram + self.rule.alpha_update * jnp.eye(len(gram), dtype=gram.dtype)
            step = jnp.linalg.solve(ridge, rows.T @ (scale[:, None] * change))
            own = {"weights": -step}
            if centred:
                own["intercept"] = -(means[1] - means[0] @ step)
            gradient[first] = own
        return gradient

    def dense(self, j):
        return isinstance(self.objective.network.layers[self.rule.starts[j]], Dense)

    def change_before(self, j, target):
        """How the output of the first layer of block j moves to meet a target of the block."""
        import jax

        first = self.rule.starts[j]
        before = self.objective.advance(first, self.params, self.states[j], self.key, self.weights)

        def loss(rows):
            return half_square(self.block(j, self.params, rows, skip=1) - target).sum()

        return -self.rule.target_rate * jax.grad(loss)(before)

    def guess(self, reverse, j, rows):
        """What the learned inverse of block j makes of rows."""
        own = reverse[str(j)]
        tied = None if "weights" in own else self.params[self.rule.starts[j]]["weights"].T
        return guess(own, rows, tied).reshape(self.states[j].shape)

    def reverse_loss(self, reverse, targets):
        """How well the inverses reconstruct what each block was given."""
        import jax

        total = 0.0
        for name in reverse:
            j = int(name)
            rows = self.states[j + 1]
            if self.rule.noise:
                key = jax.random.fold_in(self.key, 1000 + j)
                rows = rows + self.rule.noise * jax.random.normal(key, rows.shape, rows.dtype)
            missing = self.guess(reverse, j, rows) - self.states[j]
            total = total + self.weights @ half_square(missing)
            if self.rule.regularize:
                near = self.guess(reverse, j, targets[j]) - self.guess(reverse, j, rows)
                total = total + self.rule.regularize * (self.weights @ half_square(near))
        return total
