"""A solved layer among layers that learn by mini-batches, and those beneath it."""

from __future__ import annotations

import functools
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ...layers import Context, sequence
from ...linalg import to_numpy
from ...rows import Rows, Targets
from ..gradient.batches import Batches
from ..gradient.objective import Objective
from .target_rules import descend, half_square

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike

    from ...layers.base import Layer
    from ...network import Network
    from ...typing import Params
    from ..gradient.objective import Tree
    from ..gradient.run import Run

CHUNK_ROWS = 1024


@functools.lru_cache(maxsize=64)
def compiled_outputs(objective: Objective) -> Callable[..., Any]:
    """Outputs of a part of a network, as in prediction."""
    import jax

    return jax.jit(lambda params, rows: objective.outputs(params, rows)[0])


@functools.lru_cache(maxsize=64)
def compiled_targets(objective: Objective, rate: float, n_steps: int) -> Callable[..., Any]:
    """Targets for the input of a part of a network, by gradient steps on its loss."""
    import jax

    def targets(params: Tree, rows: Any, wanted: Any) -> Any:
        def loss(rows: Any) -> Any:
            outputs, _ = objective.outputs(params, rows)
            return objective.losses(params, outputs, wanted).sum()

        return descend(loss, rows, rate, n_steps)

    return jax.jit(targets)


@functools.lru_cache(maxsize=64)
def compiled_noise(objective: Objective) -> Callable[..., Any]:
    """Outputs of a part of a network, with the noise that it has in training."""
    import jax

    def outputs(params: Tree, rows: Any, key: Any, number: Any) -> Any:
        for i, layer in enumerate(objective.network.hidden):
            own_key = jax.random.fold_in(jax.random.fold_in(key, number), i)
            rows = layer.forward(params[i], rows, rng=own_key)
        return rows

    return jax.jit(outputs)


def by_chunks(function: Callable[..., Any], *tables: Any, dtype: DTypeLike) -> np.ndarray:
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


class Stage:
    """A solved layer, and the layers beneath it, which learn by mini-batches.

    Parameters
    ----------
    network : Network
        The layers beneath, ending in the target of the solved layer, as a regression.
    below : list of dict
        Params of `network`.
    run : Run or None
        Trains `network`; None where it has nothing to learn.
    layer : Layer
        The solved one.
    params : dict
        Of `layer`.
    dtype : numpy.dtype
    """

    def __init__(
        self,
        network: Network,
        below: list[Params],
        run: Run | None,
        layer: Layer,
        params: Params,
        dtype: DTypeLike,
    ) -> None:
        self.network, self.fixed, self.run = network, below, run
        self.layer, self.params, self.dtype = layer, params, dtype
        self.left_out = None
        if "estimator" in params:
            # a copy leaves behind the outputs for the rows of a former call
            self.params = {**params, "estimator": copy(params["estimator"])}

    @property
    def below(self) -> list[Params]:
        """Params of the layers beneath as they are now."""
        return self.fixed if self.run is None else self.run.present_params()

    def reached(self, rows: Any) -> Any:
        """What reaches the solved layer."""
        if self.run is None:
            return sequence.forward(self.network.hidden, self.fixed[:-1], rows)
        outputs, params = compiled_outputs(self.run.objective), self.below
        return by_chunks(lambda rows: outputs(params, rows), rows, dtype=self.dtype)

    def outputs(self, reached: Any) -> Any:
        """What the solved layer makes of rows, in prediction."""
        return self.layer.forward(self.params, reached)

    def handed_on(self, reached: Any) -> Any:
        """What the layer above is given while it learns: outputs of fits without these rows."""
        return self.outputs(reached) if self.left_out is None else self.left_out

    def learn(self, rows: Any, wanted: Any, weights: np.ndarray | None, epoch: int) -> None:
        """One epoch of the layers beneath towards targets."""
        if self.run is not None:
            batch_size = self.run.trainer.batch_size
            self.run.batches = Batches(rows, Targets(wanted), weights, batch_size, self.dtype)
            self.run.epoch(epoch)

    def solve(self, reached: Any, wanted: Any, context: Context) -> None:
        """Fit the solved layer to its targets."""
        solved = self.layer.solve(self.params, Rows(reached), Targets(wanted), context)
        self.params = solved.params
        self.left_out = None if solved.outputs is None else to_numpy(solved.outputs[:])

    def inverse(self, wanted: Any, reached: Any) -> np.ndarray:
        """Inputs of the solved layer for which its outputs would be as wanted."""
        context, rows = Context(), reached if self.layer.traits.reads_inputs else None
        params = self.layer.learn_inverse(self.params, [(wanted, rows)], context)
        return np.asarray(self.layer.invert(params, wanted, rows, context))

    def nearest(self, found: np.ndarray, wanted: Any) -> np.ndarray:
        """For each row, the candidate whose output comes closest; the first of equals."""
        errors = [half_square(self.outputs(rows) - wanted) for rows in found]
        return found[np.argmin(errors, axis=0), np.arange(found.shape[1])]

    def wanted_below(self, rows: Any, wanted: Any, rate: float, n_steps: int) -> np.ndarray:
        """Targets for the rows that the layers beneath are given."""
        objective = Objective(self.network, "regression")
        targets, params = compiled_targets(objective, rate, n_steps), self.below
        return by_chunks(lambda x, t: targets(params, x, t), rows, wanted, dtype=self.dtype)

    def noisy(self, rows: Any, key: Any) -> np.ndarray:
        """One more pass through the layers beneath, with the noise of the stochastic ones."""
        noisy, params = compiled_noise(Objective(self.network, "regression")), self.below
        # each chunk draws from a key of its own
        numbers = np.arange(rows.shape[0])
        return by_chunks(lambda x, i: noisy(params, x, key, i[0]), rows, numbers, dtype=self.dtype)

    def kept(self) -> Any:
        """What has to be put back where an earlier epoch was the best."""
        return None if self.run is None else self.run.kept(), self.params

    def restore(self, kept: Any) -> None:
        """Put back what `kept` gave."""
        below, self.params = kept
        if self.run is not None:
            self.run.restore(below)
