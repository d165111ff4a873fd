"""The step of random bases for one batch: what is measured of it, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .directions import flattened
from .objective import merge
from .subspace import CHUNK, Subspace
from .update import Update, cosine

if TYPE_CHECKING:
    from ...layers.base import Context
    from .objective import Aux, Batch, Objective, Tree

KINDS = ("rbd", "fpd", "nes", "gradients")


@dataclass(frozen=True, kw_only=True)
class BasesUpdate(Update):
    """The step of `RandomBases` for one batch."""

    kind: str
    subspace: Subspace
    antithetic: bool
    sigma: float

    @property
    def figures(self) -> tuple[str, ...]:
        return ("cosine", "error_reduction") if self.diagnostics else ()

    def memory(self, objective: Objective, params: Tree, moved: Tree, context: Context) -> Tree:
        import jax

        key = jax.random.key(int(context.rng.integers(2**31)))
        memory = {"key": np.asarray(jax.random.key_data(key)), "step": np.int32(0)}
        if self.kind == "gradients":
            shape = (self.subspace.n_directions, sum(self.subspace.sizes))
            memory["past"] = np.zeros(shape, context.dtype)
        return memory

    def direction(
        self, objective: Objective, moved: Tree, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Tree, Aux, Tree]:
        from jax.flatten_util import ravel_pytree

        if self.kind == "nes":
            losses, aux = self.measure(objective, moved, params, memory, batch, key)
            step = self._along(memory, losses)
        else:
            gradient, aux = self._gradient(objective, moved, params, memory, batch, key)
            if self.kind == "gradients":
                step, memory = within_past(gradient, memory)
            else:
                step = self.subspace.project(self.keys(memory), gradient)
        if self.diagnostics:
            true, _ = self._gradient(objective, moved, params, memory, batch, key)
            aux = {**aux, "figures": {"cosine": cosine(step, true)}}
        return ravel_pytree(moved)[1](step), aux, {**memory, "step": memory["step"] + 1}

    def keys(self, memory: Tree) -> Any:
        """Seeds of the present directions."""
        import jax

        turn = 0 if self.kind == "fpd" else memory["step"]
        key = jax.random.fold_in(jax.random.wrap_key_data(memory["key"]), turn)
        return jax.random.split(key, self.subspace.n_directions)

    def measure(
        self, objective: Objective, moved: Tree, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Any, Aux]:
        """What the step needs of the batch, a sum over its rows, and the aux of one pass.

        Coordinates of the gradient, of shape (n_directions,); for "nes" the losses around the
        present weights, of shape (n_directions, n_signs).
        """
        import jax
        from jax import numpy as jnp
        from jax.flatten_util import ravel_pytree

        keys = self.keys(memory)
        if self.kind != "nes":
            gradient, aux = self._gradient(objective, moved, params, memory, batch, key)
            return self.subspace.coordinates(keys, gradient), aux
        flat, unravel = flattened(moved), ravel_pytree(moved)[1]

        def loss(flat: Any) -> Any:
            return objective.loss(merge(params, unravel(flat)), batch, key)

        def around(key: Any) -> Any:
            noise = self.sigma * self.subspace.noise(key, flat.dtype)
            return jnp.stack([loss(flat + sign * noise)[0] for sign in self._signs])

        losses = jax.lax.map(around, keys, batch_size=min(CHUNK, len(keys)))
        return losses, loss(flat)[1]

    def follow(self, moved: Tree, memory: Tree, seen: Any) -> tuple[Tree, Tree]:
        """The direction that follows from what was measured elsewhere, and the memory."""
        from jax.flatten_util import ravel_pytree

        step = self._along(memory, seen)
        return ravel_pytree(moved)[1](step), {**memory, "step": memory["step"] + 1}

    def _along(self, memory: Tree, seen: Any) -> Any:
        """The flat step that follows from what was measured."""
        coordinates = self.coordinates_of(seen) if self.kind == "nes" else seen
        return self.subspace.combine(self.keys(memory), coordinates)

    @property
    def _signs(self) -> tuple[float, ...]:
        return (1.0, -1.0) if self.antithetic else (1.0,)

    def coordinates_of(self, losses: Any) -> Any:
        """Natural evolution strategies: coordinates of the step, from the ranks of the losses."""
        from jax import numpy as jnp

        # sorted as it is, what is no number would come first
        finite = jnp.isfinite(losses)
        losses = jnp.where(finite, losses, jnp.max(losses, where=finite, initial=-jnp.inf))
        order = jnp.argsort(jnp.argsort(-losses.T.ravel()))
        fitness = (order / max(losses.size - 1, 1) - 0.5).astype(losses.dtype)
        signs = jnp.array(self._signs, losses.dtype)
        return -(signs @ fitness.reshape(losses.T.shape)) / (self.sigma * losses.size)

    def _gradient(self, *parts: Any) -> tuple[Any, Aux]:
        """The gradient as a flat vector, and what else the pass told."""
        gradient, aux, _ = super().direction(*parts)
        # flattened once it is known: flat weights would be cut up again on the way to the loss
        return flattened(gradient), aux


def within_past(gradient: Any, memory: Tree) -> tuple[Any, Tree]:
    """The gradient within the span of the last ones, itself among them."""
    from jax import numpy as jnp

    past = jnp.concatenate([gradient[None], memory["past"][:-1]])
    lengths = jnp.linalg.norm(past, axis=1, keepdims=True)
    basis = past / jnp.where(lengths > 0, lengths, 1)
    return (basis @ gradient) @ basis, {**memory, "past": past}
