"""The step of a rule for one batch, as compiled programs call it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from .objective import merge

if TYPE_CHECKING:
    from ...layers.base import Context
    from .objective import Aux, Batch, Objective, Tree
    from .trainer import BatchTrainer


@dataclass(frozen=True, kw_only=True)
class Update:
    """Base of what `BatchTrainer.make_update` returns: hashable, pure JAX.

    Attributes
    ----------
    diagnostics : bool
        Whether the history tells what the step took from the loss of its own batch.
    figures : tuple of str
        What the update tells of each batch for the history.
    n_updates : int
        Steps taken for each batch; those after the first go along `again`.
    previews : bool
        Whether `direction` is given `preview`, a function from a direction to the weights
        after a step along it.
    """

    diagnostics: bool = False
    n_updates: int = 1
    previews = False

    @classmethod
    def of(cls, trainer: BatchTrainer, **given: Any) -> Self:
        """The update of a trainer; fields that are not given are its arguments of that name."""
        names = {field.name for field in fields(cls)} - given.keys()
        return cls(
            **given, **{name: getattr(trainer, name) for name in names & vars(trainer).keys()}
        )

    @property
    def figures(self) -> tuple[str, ...]:
        return ("error_reduction",) if self.diagnostics else ()

    def memory(self, objective: Objective, params: Tree, moved: Tree, context: Context) -> Tree:
        """What is kept between batches: fixed feedback, seeds; a tree of arrays."""
        return {}

    def loss(
        self, objective: Objective, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Any, Aux]:
        """What the step descends, and what else a pass tells."""
        return objective.loss(params, batch, key)

    def direction(
        self, objective: Objective, moved: Tree, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Tree, Aux, Tree]:
        """The direction against which the optimiser steps, what a pass told, and the memory."""
        import jax

        def loss(moved: Tree) -> Any:
            return self.loss(objective, merge(params, moved), memory, batch, key)

        gradient, aux = jax.grad(loss, has_aux=True)(moved)
        return gradient, aux, memory

    def again(
        self, objective: Objective, moved: Tree, params: Tree, batch: Batch, key: Any, aux: Aux
    ) -> Tree:
        """The direction of a further step for the same batch."""
        raise NotImplementedError

    def adjusted(self, updates: Tree, direction: Tree) -> Tree:
        """The updates of the optimiser, changed where a rule has its own."""
        return updates

    def reductions(
        self, objective: Objective, moved: Tree, params: Tree, batch: Batch, key: Any, aux: Aux
    ) -> dict[str, Any]:
        """What the step took from the loss of the batch, for figures of that name."""
        after, _ = objective.loss(merge(params, moved), batch, key)
        return {"error_reduction": aux["loss"] - after}


def cosine(a: Any, b: Any) -> Any:
    """Cosine between two flat vectors; 0 where one is zero."""
    from jax import numpy as jnp

    scale = jnp.linalg.norm(a) * jnp.linalg.norm(b)
    return a @ b / jnp.where(scale > 0, scale, 1)
