"""Directions that share no weight: a count sketch, whose products are sums over parts."""

from __future__ import annotations

from typing import Any

from .directions import draw_flat
from .subspace import Subspace


class Sketch(Subspace):
    """A subspace whose directions have no weight in common.

    Weight i belongs to direction i modulo `n_directions`, with a random sign and a length that
    makes the mean square of all entries one (Charikar, Chen & Farach-Colton, 2002). One key
    gives all directions.
    """

    def _signs(self, keys: Any, dtype: Any) -> Any:
        import jax

        return draw_flat(jax.random.fold_in(keys[0], 0), sum(self.sizes), dtype, "rademacher")

    def coordinates(self, keys: Any, vector: Any) -> Any:
        from jax import numpy as jnp

        signed = self._signs(keys, vector.dtype) * self.normalized(vector)
        padded = jnp.pad(signed, (0, -len(signed) % len(keys)))
        return len(keys) ** 0.5 * padded.reshape(-1, len(keys)).sum(axis=0)

    def combine(self, keys: Any, coordinates: Any) -> Any:
        from jax import numpy as jnp

        size = sum(self.sizes)
        spread = jnp.tile(len(keys) ** 0.5 * coordinates, -(-size // len(keys)))[:size]
        return self.normalized(self._signs(keys, spread.dtype) * spread)

    def project(self, keys: Any, vector: Any) -> Any:
        return self.combine(keys, self.coordinates(keys, vector))
