"""A rule of one's own: every weight moves by the same amount, against the sign of its gradient."""

from dataclasses import KW_ONLY, dataclass

import jax
from jax import numpy as jnp

from sklearn_zorb.trainers.gradient.trainer import GradientTrainer
from sklearn_zorb.trainers.gradient.update import Update


class SignUpdate(Update):
    """The step for one batch."""

    def direction(self, objective, moved, params, memory, batch, key):
        gradient, told, memory = super().direction(objective, moved, params, memory, batch, key)
        return jax.tree.map(jnp.sign, gradient), told, memory


@dataclass(eq=False, repr=False)
class SignDescent(GradientTrainer):
    """Descent along the signs of the gradient."""

    _: KW_ONLY
    optimizer: str = "sgd"

    def make_update(self, objective, moved):
        return SignUpdate.of(self)
