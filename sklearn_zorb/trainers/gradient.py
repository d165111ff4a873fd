"""The loop that every rule with a step direction shares: batches, optimiser, stopping."""

import functools
import warnings
from collections import Counter
from numbers import Integral, Real
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._compat import Interval, StrOptions
from ..layers import sequence
from ..linalg import get_backend, to_numpy
from .base import Trainer, TrainingResult
from .batches import Batches
from .objective import Objective, merge, running_moments, trainable, with_moments
from .optimizers import SCHEDULES, learning_rates, make_optimizer
from .structure import (
    check_differentiable,
    check_movable,
    check_traceable,
    straight_through,
    substitute,
)


@functools.lru_cache(maxsize=64)
def compiled_epoch(objective, rule, optimizer):
    """One compiled pass over a block of batches, for a structure, a rule and an optimiser."""
    import jax
    from jax import lax

    transformation = optimizer.build()
    names = ("loss", "hits", *getattr(rule, "figures", ()))

    def step(i, carry, params, block, rates, key):
        moved, moments, state, memory, sums = carry
        batch = tuple(array[i] for array in block)
        whole = with_moments(params, moments)
        own_key = jax.random.fold_in(key, i)
        direction, aux, memory = rule.direction(objective, moved, whole, memory, batch, own_key)
        state.hyperparams["learning_rate"] = rates[i].astype(batch[0].dtype)
        updates, state = transformation.update(direction, state, moved)
        moved = jax.tree.map(lambda p, u: p + u.astype(p.dtype), moved, updates)
        moments = running_moments(moments, aux["moments"])
        seen = {"loss": aux["loss"], "hits": aux["hits"], **aux.get("figures", {})}
        if "error_reduction" in names:
            seen.update(rule.reductions(objective, moved, whole, batch, own_key, aux))
        sums = {name: sums[name] + seen[name] for name in sums}
        return moved, moments, state, memory, sums

    def epoch(moved, moments, state, memory, params, block, count, rates, key):
        sums = dict.fromkeys(names, block[2].sum() * 0)
        carry = (moved, moments, state, memory, sums)
        return lax.fori_loop(
            0, count, lambda i, carry: step(i, carry, params, block, rates, key), carry
        )

    return jax.jit(epoch), jax.jit(transformation.init)


@functools.lru_cache(maxsize=64)
def compiled_loss(objective):
    """Loss and hits of one batch, as in prediction: no noise, running moments."""
    import jax

    def evaluate(moved, params, batch):
        _, aux = objective.loss(merge(params, moved), batch)
        return aux["loss"], aux["hits"]

    return jax.jit(evaluate)


class GradientTrainer(Trainer):
    """Base of rules that give a direction for each batch and step along it.

    A subclass gives `_rule`, a hashable object with
    ``direction(objective, trainable, params, memory, batch, key) -> (direction, aux,
    memory)``, pure JAX, and may give `_memory`, what the rule keeps between batches.
    """

    output = "logits"
    incremental = True
    needs_derivatives = True
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
    }

    def _rule(self, objective, moved):
        raise NotImplementedError

    def _memory(self, objective, params, moved, context):
        """What the rule keeps between batches: fixed feedback, seeds; a tree of arrays."""
        return {}

    def _base_rate(self, full):
        return self.learning_rate or self._rates[0 if full else 1]

    def n_steps(self, network):
        return self.max_epochs

    def fit(self, network, params, inputs, targets, context, *, on_step=None, state=None):
        self._validate_params()
        network = self._prepare(network)
        with get_backend("jax").scope():
            return _Run(self, network, params, inputs, targets, context, on_step, state).train()

    def _prepare(self, network):
        """The network with substitutes for steps where asked, and checked."""
        if network.stacked:
            raise ValueError(
                f"{type(self).__name__} cannot train a Stack; pass trainer=ZORB(), or end the "
                "layers in Dense() or without a read-out."
            )
        if self.straight_through:
            layers = [substitute(layer, straight_through) for layer in network.layers]
            network = network.with_layers(layers)
        check_movable(network, type(self).__name__)
        if self.needs_derivatives:
            check_differentiable(network, type(self).__name__)
        return network


class _Run:
    """One training: the state that the epochs hand on."""

    def __init__(self, trainer, network, params, inputs, targets, context, on_step, state):
        import jax

        self.trainer, self.on_step, self.context = trainer, on_step, context
        self.objective = Objective(network, context.task)
        params = [dict(own) for own in params]
        if self.objective.loss_name == "squared" and network.tail:
            params = _with_range(network, params, targets)
        check_traceable(network, params, _example(inputs, context.dtype))
        self.params = jax.tree.map(np.asarray, params)
        self.moved = trainable(network, self.params)
        self.moments = _moments_of(self.objective, self.params)
        self._split(inputs, targets, context)
        self.rule = trainer._rule(self.objective, self.moved)
        self.optimizer = make_optimizer(trainer.optimizer, trainer.optimizer_params)
        self.run_epoch, init = compiled_epoch(self.objective, self.rule, self.optimizer)
        self.key = jax.random.key(int(context.rng.integers(2**31)))
        fresh = state is None
        self.state = init(self.moved) if fresh else state["optimizer"]
        self.memory = state["memory"] if not fresh else trainer._memory(
            self.objective, self.params, self.moved, context
        )  # fmt: skip
        self.step = 0 if fresh else state["step"]
        self.base = trainer._base_rate(self.batches.full)

    def _split(self, inputs, targets, context):
        """Training batches, and validation rows where they are asked for."""
        trainer, weights = self.trainer, context.sample_weight
        self.validation = None
        if trainer.early_stopping:
            kept, held = _hold_out(len(targets), trainer.validation_fraction, context)
            self.validation = Batches(
                inputs[held], targets[held], None if weights is None else weights[held],
                "auto", context.dtype,
            )  # fmt: skip
            inputs, targets = inputs[kept], targets[kept]
            weights = None if weights is None else weights[kept]
        self.batches = Batches(inputs, targets, weights, trainer.batch_size, context.dtype)
        self.total = _total_spread(targets, self.batches.weights)

    def train(self):
        trainer, history, status = self.trainer, [], "max_epochs"
        best, best_moved, waited = np.inf, (self.moved, self.moments), 0
        for epoch in range(trainer.max_epochs):
            started, kept = perf_counter(), (self.moved, self.moments)
            entry = self._epoch(epoch)
            loss = entry["loss"]
            if not np.isfinite(loss) or not self._finite():
                status = self._diverged(epoch)
                break
            watched = loss
            if self.validation is not None:
                watched, entry["validation_score"] = self._evaluate(self.validation)
                entry["validation_loss"] = watched
            entry["seconds"] = perf_counter() - started
            history.append(entry)
            stopped = self.on_step is not None and self.on_step(entry, self._present)
            waited = 0 if watched < best - (trainer.tol or 0.0) else waited + 1
            if watched < best:
                # the loss of a training epoch is that of the params it began with
                after = (self.moved, self.moments)
                best, best_moved = watched, kept if self.validation is None else after
            if trainer.tol_loss is not None and loss <= trainer.tol_loss:
                status = "converged"
            elif stopped:
                status = "stopped by callback"
            elif trainer.tol is not None and waited >= trainer.patience:
                status = "converged"
            if status != "max_epochs":
                break
        if self.validation is not None or status == "diverged":
            self.moved, self.moments = best_moved
        return TrainingResult(self._present(), history, status, state=self._state())

    def _epoch(self, epoch):
        """All blocks of one epoch; the entry for the history, means over its batches."""
        import jax

        key = jax.random.fold_in(self.key, self.step)
        means, n = Counter(), self.batches.n_batches
        for j, (block, count) in enumerate(self.batches.blocks(self.context.rng)):
            rates = np.zeros(self.batches.block_batches)
            rates[:count] = learning_rates(
                self.trainer.schedule, self.base, self.step, count, n * self.trainer.max_epochs
            )
            self.moved, self.moments, self.state, self.memory, sums = self.run_epoch(
                self.moved, self.moments, self.state, self.memory, self.params, block, count,
                rates, jax.random.fold_in(key, j),
            )  # fmt: skip
            self.step += count
            means.update({name: float(total) / n for name, total in sums.items()})
        loss, hits = means.pop("loss"), means.pop("hits")
        return {"epoch": epoch, "loss": loss, "score": self._score(hits), **means}

    def _evaluate(self, batches):
        evaluate = compiled_loss(self.objective)
        loss = hits = 0.0
        params = with_moments(self.params, self.moments)
        for block, count in batches.blocks(None):
            for i in range(count):
                parts = evaluate(self.moved, params, tuple(array[i] for array in block))
                loss, hits = (
                    loss + float(parts[0]) / batches.n_batches,
                    hits + float(parts[1]) / batches.n_batches,
                )
        return loss, self._score(hits)

    def _score(self, hits):
        """Accuracy, or R² from the mean squared error."""
        if self.context.task != "regression":
            return hits
        return 1 - hits / self.total if self.total > 0 else 0.0

    def _present(self):
        """Params as they are now, as NumPy arrays."""
        params = merge(with_moments(self.params, self.moments), self.moved)
        return sequence.cast(_to_numpy(params), self.context.dtype)

    def _state(self):
        import jax

        return jax.tree.map(
            np.asarray, {"optimizer": self.state, "memory": self.memory, "step": self.step}
        )

    def _finite(self):
        import jax

        return all(bool(np.isfinite(np.asarray(a)).all()) for a in jax.tree.leaves(self.moved))

    def _diverged(self, epoch):
        warnings.warn(
            f"{type(self.trainer).__name__} diverged in epoch {epoch}: the loss is not finite. "
            f"The params of the least loss are kept; lower learning_rate (now {self.base:g}).",
            ConvergenceWarning,
            stacklevel=2,
        )
        return "diverged"


def _moments_of(objective, params):
    """The running moments of every top-level `BatchNorm`, which training moves."""
    from ..layers import BatchNorm

    return {
        i: {k: params[i][k] for k in ("mean", "variance")}
        for i, layer in enumerate(objective.network.hidden)
        if isinstance(layer, BatchNorm)
    }


def _with_range(network, params, targets):
    """Params whose final activation is stretched to the range of the targets."""
    rows = np.asarray(targets.values)
    _, tail = sequence.invert(network.tail, params[network.readout + 1 :], rows, rows)
    return [*params[: network.readout + 1], *tail]


def _hold_out(n_rows, fraction, context):
    """Indices of rows to train on and of rows to validate on."""
    held = min(n_rows - 1, max(1, round(fraction * n_rows)))
    order = context.rng.permutation(n_rows)
    return np.sort(order[held:]), np.sort(order[:held])


def _total_spread(targets, weights):
    """Weighted sum of variances of the targets: what R² compares with."""
    table = np.asarray(targets, dtype=np.float64)
    share = weights / weights.sum()
    return float((share @ (table - share @ table) ** 2).sum())


def _example(inputs, dtype):
    """One row, as shape and dtype only."""
    import jax

    return jax.ShapeDtypeStruct((1, *inputs.shape[1:]), dtype)


def _to_numpy(params):
    if isinstance(params, dict):
        return {name: _to_numpy(value) for name, value in params.items()}
    if isinstance(params, list):
        return [_to_numpy(value) for value in params]
    return np.asarray(to_numpy(params))
