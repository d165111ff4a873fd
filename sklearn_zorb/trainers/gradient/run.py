"""One training: the epochs, what they hand on, and when they end."""

from __future__ import annotations

import warnings
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...layers import Context, sequence
from ...rows import Targets
from ..base import TrainingResult
from .batch_moments import running_moments
from .batches import Batches
from .epoch import compiled_epoch, compiled_loss
from .objective import Objective, merge, trainable
from .optimizers import learning_rates, make_optimizer
from .structure import check_traceable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...network import Network
    from ...rows import Rows
    from ...typing import Params
    from ..base import OnStep
    from .objective import Tree
    from .trainer import BatchTrainer

    # inputs, targets and weights of rows
    Held: TypeAlias = tuple[Any, Targets, np.ndarray | None]


class Run:
    """One training: the state that the epochs hand on.

    Parameters
    ----------
    trainer : BatchTrainer
    network : Network
    params : list of dict
    rows : tuple (inputs, targets, sample_weight or None)
        What it is trained on.
    held : tuple like `rows`, or None
        What it is judged by.
    context : Context
    on_step : callable or None
    state : dict or None
        What a former training of the same network left.
    """

    def __init__(
        self,
        trainer: BatchTrainer,
        network: Network,
        params: Sequence[Params],
        rows: Held,
        held: Held | None,
        context: Context,
        on_step: OnStep | None,
        state: dict[str, Any] | None,
    ) -> None:
        import jax

        self.trainer, self.on_step, self.context = trainer, on_step, context
        self.objective = Objective(network, context.task)
        params = [dict(layer_params) for layer_params in params]
        if self.objective.loss_name == "squared" and network.tail:
            params = _with_range(network, params, rows[1])
        shape = (1, *rows[0].shape[1:])
        one_row = jax.ShapeDtypeStruct(shape, context.dtype)  # type: ignore[no-untyped-call]
        check_traceable(network, params, one_row)
        self.params = jax.tree.map(np.asarray, params)
        self.moved = trainable(network, self.params)
        self.moments: list[Params] = [{} for _ in params]
        for i, layer in enumerate(network.hidden):
            self.moments[i] = running_moments(layer, self.params[i])
        limit = context.memory.limit
        self.batches = Batches(*rows, trainer.batch_size, context.dtype, limit)
        self.validation = None if held is None else Batches(*held, "auto", context.dtype, limit)
        self.total = _total_spread(rows[1], self.batches.weights)
        self.update = trainer.make_update(self.objective, self.moved)
        self.optimizer = make_optimizer(trainer.optimizer, trainer.optimizer_params)
        self.run_epoch, init = compiled_epoch(self.objective, self.update, self.optimizer)
        self.key = jax.random.key(int(context.rng.integers(2**31)))
        self.optimizer_state = init(self.moved)
        self.memory = self.update.memory(self.objective, self.params, self.moved, context)
        self.step = 0
        if state is not None and state["trainer"] is type(trainer):
            self.optimizer_state = _going_on(self.optimizer_state, state["optimizer"])
            self.memory = _going_on(self.memory, state["memory"])
            self.step = state["step"]
        # a training that goes on has a schedule of its own
        self.first_step = self.step
        self.base = trainer.base_rate(self.batches.full)

    def train(self) -> TrainingResult:
        """All epochs; a `TrainingResult`."""
        trainer, history, status = self.trainer, [], "max_epochs"
        best, best_kept, waited = np.inf, self.kept(), 0
        for number in range(trainer.max_epochs):
            started, kept = perf_counter(), self.kept()
            entry = self.epoch(number)
            loss = entry["loss"]
            if not np.isfinite(loss) or not self.finite():
                status = self._diverged(number)
                break
            watched = loss
            if self.validation is not None:
                watched, entry["validation_score"] = self._evaluate(self.validation)
                entry["validation_loss"] = watched
            entry["seconds"] = perf_counter() - started
            history.append(entry)
            stopped = self.on_step is not None and self.on_step(entry, self.present_params)
            waited = 0 if watched < best - (trainer.tol or 0.0) else waited + 1
            if watched < best:
                # the loss of a training epoch is that of the params it began with
                best, best_kept = watched, kept if self.validation is None else self.kept()
            if trainer.tol_loss is not None and loss <= trainer.tol_loss:
                status = "converged"
            elif stopped:
                status = "stopped by callback"
            elif trainer.tol is not None and waited >= trainer.patience:
                status = "converged"
            if status != "max_epochs":
                break
        if self.validation is not None or status == "diverged":
            self.restore(best_kept)
        return TrainingResult(self.present_params(), history, status, state=self.state())

    def kept(self) -> Any:
        """What has to be put back where an earlier epoch was the best."""
        return self.moved, self.moments

    def restore(self, kept: Any) -> None:
        """Put back what `kept` gave."""
        self.moved, self.moments = kept

    def epoch(self, number: int) -> dict[str, Any]:
        """All blocks of one epoch; the entry for the history, means over its rows."""
        means: Counter[str] = Counter()
        n, start = self.batches.n_batches, self.step
        # the last batch may be short, and its rows are to count as the others do
        of_batch = np.array(self.batches.shares())
        for j, (block, count) in enumerate(self.batches.blocks(self.context.rng)):
            rates, shares = np.zeros((2, self.batches.block_batches))
            rates[:count] = learning_rates(
                self.trainer.schedule, self.base, self.step - self.first_step, count,
                n * self.trainer.max_epochs,
            )  # fmt: skip
            shares[:count] = of_batch[self.step - start :][:count]
            self.moved, self.moments, self.optimizer_state, self.memory, told = self.run_epoch(
                self.moved, self.moments, self.optimizer_state, self.memory, self.params, block,
                count, rates, shares, self.key, np.array([start, j], dtype=np.uint32),
            )  # fmt: skip
            self.step += count
            means.update({name: float(part) for name, part in told.items()})
        loss, hits = means.pop("loss"), means.pop("hits")
        return {"epoch": number, "loss": loss, "score": self._score(hits), **means}

    def _evaluate(self, batches: Batches) -> tuple[float, float]:
        evaluate = compiled_loss(self.objective)
        loss = hits = 0.0
        shares = iter(batches.shares())
        params = merge(self.params, self.moments)
        for block, count in batches.blocks(None):
            for i in range(count):
                parts = evaluate(self.moved, params, tuple(array[i] for array in block))
                # the last batch may be short, and its rows are to count as the others do
                share = next(shares)
                loss, hits = loss + share * float(parts[0]), hits + share * float(parts[1])
        return loss, self._score(hits)

    def _score(self, hits: float) -> float:
        """Accuracy, or R² from the mean squared error."""
        if self.context.task != "regression":
            return hits
        return 1 - hits / self.total if self.total > 0 else 0.0

    def present_params(self) -> list[Params]:
        """Params as they are now, as NumPy arrays."""
        import jax

        params = merge(merge(self.params, self.moments), self.moved)
        return sequence.cast(jax.tree.map(np.asarray, params), self.context.dtype)

    def state(self) -> dict[str, Any]:
        """What a training that goes on from this one wants."""
        import jax

        kept = {"optimizer": self.optimizer_state, "memory": self.memory, "step": self.step}
        return {"trainer": type(self.trainer), **jax.tree.map(np.asarray, kept)}

    def finite(self) -> bool:
        """Whether all weights are numbers."""
        import jax

        return all(bool(np.isfinite(np.asarray(a)).all()) for a in jax.tree.leaves(self.moved))

    def _diverged(self, number: int) -> str:
        warnings.warn(
            f"{type(self.trainer).__name__} diverged in epoch {number}: the loss is not finite. "
            f"The params of the least loss are kept; lower {self.trainer.brakes(self.base)}.",
            ConvergenceWarning,
            stacklevel=2,
        )
        return "diverged"


def _going_on(fresh: Tree, kept: Tree) -> Tree:
    """What a former training kept, in the precision of this one; `fresh` where it does not fit.

    It does not fit where settings that it depends on have changed, such as the optimiser.
    """
    import jax

    both = (fresh, kept)
    structures: list[Any] = [jax.tree.structure(tree) for tree in both]
    shapes, kept_shapes = ([np.shape(leaf) for leaf in jax.tree.leaves(tree)] for tree in both)
    if structures[0] != structures[1] or shapes != kept_shapes:
        return fresh
    return jax.tree.map(lambda new, old: np.asarray(old, dtype=new.dtype), fresh, kept)


def _with_range(network: Network, params: Sequence[Params], targets: Targets) -> list[Params]:
    """Params whose final activation is stretched to the range of the targets."""
    tail_params = params[network.readout + 1 :]
    _, tail = sequence.carry_down(network.tail, tail_params, targets, targets[:], Context())
    return [*params[: network.readout + 1], *tail]


def split_rows(
    trainer: BatchTrainer, inputs: Rows, targets: Targets, context: Context
) -> tuple[Held, Held | None, Context]:
    """Rows to train on, rows to validate on where early stopping asks for them, and the context.

    Rows are tuples (inputs, targets, sample_weight or None).
    """
    weights = context.sample_weight
    if not trainer.early_stopping:
        return (inputs, targets, weights), None, context
    n_rows = len(targets)
    if n_rows < 2:
        raise ValueError(
            "early_stopping=True holds rows back to judge by, and there is one row only; pass at "
            "least 2 rows, or early_stopping=False."
        )
    held = min(n_rows - 1, max(1, round(trainer.validation_fraction * n_rows)))
    order = context.rng.permutation(n_rows)
    kept = np.sort(order[held:])
    rows, ends = (
        (inputs[part], Targets(targets[part]), None if weights is None else weights[part])
        for part in (kept, np.sort(order[:held]))
    )
    y = None if context.y is None else context.y[kept]
    return rows, ends, context.replace(sample_weight=rows[2], y=y, y_targets=rows[1])


def _total_spread(targets: Targets, weights: np.ndarray) -> float:
    """Weighted sum of variances of the targets: what R² compares with."""
    table = np.asarray(targets, dtype=np.float64)
    share = weights / weights.sum()
    return float((share @ (table - share @ table) ** 2).sum())
