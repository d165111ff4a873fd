"""The step of a rule for one batch, as compiled programs call it."""

from .objective import merge


class Rule:
    """Base of what `GradientTrainer._rule` returns: hashable, pure JAX.

    Attributes
    ----------
    diagnostics : bool
    figures : tuple of str
        What the rule tells of each batch for the history. "error_reduction" is computed for
        every rule with diagnostics: what the step took from the loss of its own batch.
    n_updates : int
        Steps taken for each batch; those after the first go along `again`.
    previews : bool
        Whether `direction` is given `preview`, a function from a direction to the weights
        after a step along it.
    """

    diagnostics = False
    n_updates = 1
    previews = False

    @property
    def figures(self):
        return ("error_reduction",) if self.diagnostics else ()

    def direction(self, objective, moved, params, memory, batch, key):
        """The direction against which the optimiser steps, what a pass told, and the memory."""
        raise NotImplementedError

    def again(self, objective, moved, params, batch, key, aux):
        """The direction of a further step for the same batch."""
        raise NotImplementedError

    def adjusted(self, updates, direction):
        """The updates of the optimiser, changed where a rule has its own."""
        return updates

    def reductions(self, objective, moved, params, batch, key, aux):
        """What the step took from the loss of the batch, for figures of that name."""
        after, _ = objective.loss(merge(params, moved), batch, key)
        return {"error_reduction": aux["loss"] - after}


def cosine(a, b):
    """Cosine between two flat vectors; 0 where one is zero."""
    from jax import numpy as jnp

    scale = jnp.linalg.norm(a) * jnp.linalg.norm(b)
    return a @ b / jnp.where(scale > 0, scale, 1)
