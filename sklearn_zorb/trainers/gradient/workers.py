"""Batches shared by workers that hold the weights and exchange what they measured."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from joblib import Parallel, delayed

from ...linalg import get_backend
from .batch_moments import moved_towards
from .epoch import block_key, stepped
from .run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ...typing import Params
    from ..base import TrainingResult
    from .objective import Batch, Objective, Tree
    from .optimizers import Optimizer

# last steps that every task carries; a worker that missed more is sent the weights
REACH = 8
# trainings whose weights a process holds
TRAININGS = 8
held: dict[str, Replica] = {}


@dataclass(frozen=True)
class Replica:
    """A training as a worker holds it.

    Attributes
    ----------
    parts : tuple (Objective, Update, Optimizer)
    params : list of dict
        What the training does not move.
    step : int
        Steps that `state` has seen.
    state : tuple (moved, moments, optimiser state, memory)
    """

    parts: tuple[Objective, Any, Optimizer]
    params: list[Params]
    step: int
    state: Any

    def after(self, seen: Any, moments: Tree, rate: Any) -> Replica:
        """The replica after one more step, for what was measured of the whole batch."""
        state = compiled_step(*self.parts)(self.state, seen, moments, rate)
        return Replica(self.parts, self.params, self.step + 1, state)

    def portable(self) -> Replica:
        """The same in NumPy arrays."""
        import jax

        return Replica(self.parts, self.params, self.step, jax.tree.map(np.asarray, self.state))


@functools.lru_cache(maxsize=64)
def compiled_step(objective: Objective, update: Any, optimizer: Optimizer) -> Callable[..., Any]:
    """The step from what was measured, by the optimiser."""
    import jax

    transformation = optimizer.build()

    def step(state: Any, seen: Any, batch_moments: Tree, rate: Any) -> Any:
        moved, moments, state, memory = state
        state.hyperparams["learning_rate"] = rate.astype(seen.dtype)
        direction, memory = update.follow(moved, memory, seen)
        moved, state = stepped(transformation, update, direction, state, moved)
        return moved, moved_towards(moments, batch_moments), state, memory

    return jax.jit(step)


@functools.lru_cache(maxsize=64)
def compiled_measure(objective: Objective, update: Any) -> Callable[..., Any]:
    """What is measured of a worker's part of a batch."""
    import jax

    def measure(state: Any, params: Tree, batch: Batch, key: Any) -> Any:
        moved, _, _, memory = state
        key = jax.random.wrap_key_data(key)
        return update.measure(objective, moved, params, memory, batch, key)

    return jax.jit(measure)


def measured(
    token: str, step: int, past: list[Any], given: Replica | None, batch: Batch, key: Any
) -> Any:
    """A worker's task: what it measures at a step; None where it has missed too many.

    Parameters
    ----------
    token : str
        Names the training.
    step : int
    past : list of tuple (seen, moments, rate)
        The steps before.
    given : Replica or None
        To be held from now on.
    batch : tuple (inputs, targets, weights)
        The rows of this worker.
    key : ndarray
    """
    import jax

    with get_backend("jax").scope():
        replica = given or held.get(token)
        if replica is None or step - replica.step > len(past):
            return None
        for one in past[len(past) - (step - replica.step) :]:
            replica = replica.after(*one)
        hold(token, replica)
        found = compiled_measure(*replica.parts[:2])(replica.state, replica.params, batch, key)
        return jax.tree.map(np.asarray, found)


def hold(token: str, replica: Replica) -> None:
    """Keep a training, and only the last ones."""
    held[token] = replica
    for other in list(held)[:-TRAININGS]:
        held.pop(other, None)


class SharedRun(Run):
    """A training whose batches are shared by workers.

    Parameters
    ----------
    *parts : tuple
        As for `Run`.
    n_workers : int
    """

    def __init__(self, *parts: Any, n_workers: int) -> None:
        super().__init__(*parts)
        self.n_workers = n_workers
        self.run_epoch = self._pass
        self.token = uuid4().hex
        self.past: list[Any] = []
        self._cut: tuple[Any, list[Any]] = (None, [])

    def train(self) -> TrainingResult:
        # joblib keeps large arrays in files until the end: good for rows that stay the same
        files = {} if self.batches.full else {"max_nbytes": None}
        try:
            with Parallel(n_jobs=self.n_workers, **files) as self.parallel:
                return super().train()
        finally:
            held.pop(self.token, None)

    def _pass(
        self,
        moved: Tree,
        moments: Tree,
        state: Any,
        memory: Tree,
        params: Tree,
        block: Batch,
        count: int,
        rates: Any,
        of_batch: Any,
        key: Any,
        place: Any,
    ) -> Any:
        """What `compiled_epoch` does, a step at a time."""
        import jax

        if self._cut[0] is not block:
            self._cut = block, [self._shares(block, i) for i in range(count)]
        key = block_key(key, place)
        parts = (self.objective, self.update, self.optimizer)
        replica = Replica(parts, params, self.step, (moved, moments, state, memory))
        means = {"loss": 0.0, "hits": 0.0}
        for i, shares in enumerate(self._cut[1]):
            # workers that are threads of this process find the weights here
            hold(self.token, replica)
            seen, aux = self._measure(replica, shares, jax.random.fold_in(key, i))
            one = (seen, aux["moments"], rates[i])
            self.past = [*self.past, one][-REACH:]
            replica = replica.after(*one)
            means = {name: m + of_batch[i] * float(aux[name]) for name, m in means.items()}
        return *replica.state, means

    def _shares(self, block: Batch, i: int) -> list[Any]:
        """(rows, share of the weight of the batch) of each worker."""
        batch = tuple(array[i] for array in block)
        # rows in turn: those that fill up a batch stand at its end
        n, total = self.n_workers, batch[2].sum()
        parts = [
            tuple(_filled(array[j::n], -(-len(array) // n)) for array in batch) for j in range(n)
        ]
        shares = [(part, part[2].sum() / total if total > 0 else 0.0) for part in parts]
        return [share for share in shares if share[1] > 0] or shares[:1]

    def _measure(self, replica: Replica, shares: list[Any], key: Any) -> Any:
        """What all workers together measure of one batch."""
        import jax

        def tasks(numbers: Iterable[int], given: Replica | None) -> Iterator[Any]:
            for j in numbers:
                own_key = np.asarray(jax.random.key_data(jax.random.fold_in(key, j) if j else key))
                yield delayed(measured)(
                    self.token, replica.step, self.past, given, shares[j][0], own_key
                )

        first = None if self.past else replica.portable()
        found = self.parallel(tasks(range(len(shares)), first))
        late = [j for j, one in enumerate(found) if one is None]
        if late:
            more = self.parallel(tasks(late, replica.portable()))
            for j, one in zip(late, more, strict=True):
                found[j] = one
        return _together(found, [share for _, share in shares])


def _together(found: Sequence[Any], shares: Sequence[float]) -> Any:
    """One measurement from those of the workers."""
    import jax

    seen, aux = zip(*found, strict=True)
    moments = jax.tree.map(
        lambda *of_workers: sum(share * one for share, one in zip(shares, of_workers, strict=True)),
        *(one["moments"] for one in aux),
    )
    totals = {name: sum(one[name] for one in aux) for name in ("loss", "hits")}
    return sum(seen), {**totals, "moments": moments}


def _filled(rows: np.ndarray, size: int) -> np.ndarray:
    """Rows with zeros behind them, so that all workers compile for one shape."""
    return np.concatenate([rows, np.zeros((size - len(rows), *rows.shape[1:]), rows.dtype)])
