"""The step of random bases for one batch: what is measured of it, and what follows."""

from dataclasses import dataclass

import numpy as np

from .directions import flattened
from .objective import merge
from .rule import Rule, cosine
from .subspace import Subspace, largest, shaped

KINDS = ("rbd", "fpd", "nes", "gradients")
# what the key of a batch is folded with to shuffle it: no layer has this number
SHUFFLE = 2**31 - 1


@dataclass(frozen=True)
class RandomBasesRule(Rule):
    """The step of `RandomBases` for one batch."""

    kind: str
    subspace: Subspace
    redraw_every: int
    redraw_fraction: float
    transform: str | None
    top: float | None
    antithetic: bool
    sigma: float
    offspring_batch_size: int | None
    sgd_every: int | None
    diagnostics: bool

    @property
    def figures(self):
        return ("cosine", "error_reduction") if self.diagnostics else ()

    def direction(self, objective, moved, params, memory, batch, key):
        import jax
        from jax.flatten_util import ravel_pytree

        unravel = ravel_pytree(moved)[1]

        def gradient():
            return _flat_gradient(objective, moved, params, batch, key)

        if self.kind == "gradients":
            found, aux = gradient()
            step, memory = _within_past(found, memory)
        elif self._needs_no_coordinates:
            found, aux = gradient()
            step = self.subspace.project(self.keys(memory), found)
        else:
            seen, aux = self.measure(objective, moved, params, memory, batch, key)
            step, memory = self.along(memory, seen)
        if self.sgd_every:
            plain = memory["step"] % self.sgd_every == 0
            step = jax.lax.cond(plain, lambda: gradient()[0], lambda: step)
        if self.diagnostics:
            aux = {**aux, "figures": {"cosine": cosine(step, gradient()[0])}}
        return unravel(step), aux, {**memory, "step": memory["step"] + 1}

    @property
    def _needs_no_coordinates(self):
        plain = self.transform is None and self.top is None and self.redraw_fraction == 1
        return plain and self.kind != "nes"

    def keys(self, memory):
        """Seeds of the present directions."""
        import jax

        if "keys" in memory:
            return jax.random.wrap_key_data(memory["keys"])
        return self._drawn(memory, memory["step"])

    def _drawn(self, memory, step):
        """Seeds of directions that are all new when they are drawn anew."""
        import jax

        draw_key = jax.random.wrap_key_data(memory["key"])
        turn = step // self.redraw_every if self.redraw_every else 0
        return jax.random.split(jax.random.fold_in(draw_key, turn), self.subspace.n_directions)

    def with_keys(self, memory, dtype):
        """The memory with what is kept where some directions outlast the others."""
        import jax

        if self.redraw_fraction == 1:
            return memory
        shape = (self.subspace.n_directions, len(self.subspace.spans))
        keys = np.asarray(jax.random.key_data(self._drawn(memory, 0)))
        return {**memory, "keys": keys, "coordinates": np.zeros(shape, dtype)}

    def _redrawn(self, memory, coordinates):
        """The memory after a step; where it is time, the least used directions are new."""
        import jax
        from jax import numpy as jnp

        total = memory["coordinates"] + coordinates
        sizes = jnp.linalg.norm(total, axis=1)
        n_new = max(1, round(self.redraw_fraction * len(sizes)))
        after = memory["step"] + 1
        due = after % self.redraw_every == 0
        new = due & (jnp.argsort(jnp.argsort(sizes)) < n_new)
        drawn = jax.random.key_data(self._drawn(memory, after))
        keys = jnp.where(new[:, None], drawn, memory["keys"])
        return {**memory, "keys": keys, "coordinates": jnp.where(due, 0, total)}

    def measure(self, objective, moved, params, memory, batch, key, part=None):
        """What the step needs of the batch, a sum over its rows, and the aux of one pass.

        Coordinates of the gradient, of shape (n_directions, n_spans); for "nes" the losses
        around the present weights, of shape (n_directions, n_signs). `part` numbers the
        directions to be measured; None is all of them.
        """
        import jax
        from jax.flatten_util import ravel_pytree

        keys = self.keys(memory)
        numbers = jax.numpy.arange(len(keys)) if part is None else part
        keys = keys if part is None else keys[part]
        if self.kind == "nes":
            flat, unravel = flattened(moved), ravel_pytree(moved)[1]
            loss = _loss(objective, unravel, params, batch, key)
            rows = _rows_of_offspring(batch, self.offspring_batch_size, key)

            def own_loss(number):
                return _loss(objective, unravel, params, rows(number), key)

            return self._around(own_loss, flat, keys, numbers), loss(flat)[1]
        gradient, aux = _flat_gradient(objective, moved, params, batch, key)
        return self.subspace.coordinates(keys, gradient), aux

    def follow(self, moved, memory, seen):
        """The direction that follows from what was measured elsewhere, and the memory."""
        from jax.flatten_util import ravel_pytree

        step, memory = self.along(memory, seen)
        return ravel_pytree(moved)[1](step), {**memory, "step": memory["step"] + 1}

    def _around(self, loss, flat, keys, numbers):
        """Losses of all offspring; `loss` gives that of an offspring by its number."""
        import jax
        from jax import numpy as jnp

        def one(offspring):
            key, number = offspring
            noise = self.sigma * self.subspace.noise(key, flat.dtype)
            return jnp.stack([loss(number)(flat + sign * noise)[0] for sign in self._signs])

        size = min(self.subspace.chunk_size, len(keys))
        return jax.lax.map(one, (keys, numbers), batch_size=size)

    @property
    def _signs(self):
        return (1.0, -1.0) if self.antithetic else (1.0,)

    def along(self, memory, seen):
        """The flat step that follows from what was measured, and the memory."""
        if self.kind == "nes":
            coordinates = self._from_losses(seen)
        else:
            coordinates = shaped(seen, self.transform)
        if self.top is not None:
            coordinates = largest(coordinates, self.top)
        step = self.subspace.combine(self.keys(memory), coordinates)
        if self.redraw_fraction < 1:
            memory = self._redrawn(memory, coordinates)
        return step, memory

    def _from_losses(self, losses):
        """Natural evolution strategies: coordinates of the step from the losses."""
        from jax import numpy as jnp

        # sorted as it is, what is no number would come first
        finite = jnp.isfinite(losses)
        losses = jnp.where(finite, losses, jnp.max(losses, where=finite, initial=-jnp.inf))
        fitness = shaped(-losses.T.ravel(), self.transform).reshape(losses.T.shape)
        signs = jnp.array(self._signs, losses.dtype)
        coordinates = -(signs @ fitness) / (self.sigma * losses.size)
        return coordinates[:, None].astype(losses.dtype)


def _flat_gradient(objective, moved, params, batch, key):
    """The gradient as a flat vector, and the aux of the pass."""
    import jax

    def loss(moved):
        return objective.loss(merge(params, moved), batch, key)

    gradient, aux = jax.grad(loss, has_aux=True)(moved)
    # flattened once it is known: flat weights would be cut up again on the way to the loss
    return flattened(gradient), aux


def _loss(objective, unravel, params, batch, key):
    """Loss of a batch, as a function of flat weights."""
    return lambda flat: objective.loss(merge(params, unravel(flat)), batch, key)


def _rows_of_offspring(batch, size, key):
    """A function from the number of an offspring to its rows; `size` of None is all of them.

    The rows that weigh anything are shuffled and dealt out, `size` to each in turn, from the
    first again where they do not suffice. The weights of each part sum to one.
    """
    import jax
    from jax import numpy as jnp

    if size is None:
        return lambda number: batch
    real = batch[2] > 0
    lot = jax.random.uniform(jax.random.fold_in(key, SHUFFLE), real.shape)
    order, count = jnp.argsort(jnp.where(real, lot, 2)), jnp.maximum(real.sum(), 1)

    def rows(number):
        own = order[(number * size + jnp.arange(size)) % count]
        inputs, targets, weights = (array[own] for array in batch)
        total = weights.sum()
        return inputs, targets, weights / jnp.where(total > 0, total, 1)

    return rows


def _within_past(gradient, memory):
    """The gradient within the span of the last ones, itself among them."""
    from jax import numpy as jnp

    past = jnp.concatenate([gradient[None], memory["past"][:-1]])
    lengths = jnp.linalg.norm(past, axis=1, keepdims=True)
    basis = past / jnp.where(lengths > 0, lengths, 1)
    return (basis @ gradient) @ basis, {**memory, "past": past}
