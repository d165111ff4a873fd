"""Random directions by seed: products with them, and sums of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .directions import draw_flat

if TYPE_CHECKING:
    from collections.abc import Callable

# directions in memory at a time
CHUNK = 25


@dataclass(frozen=True)
class Subspace:
    """Random directions over a flat vector of weights, drawn anew wherever they are needed.

    Attributes
    ----------
    sizes : tuple of int
        Numbers of weights of the tensors that the vector is made of.
    n_directions : int
    distribution : {"normal", "rademacher"}
        Of the entries, before they are divided.
    normalize : {"auto", "tensor"}
        Whether they are divided by the square root of the larger of the number of weights and
        that of directions, or by that of the size of their own tensor.
    """

    sizes: tuple[int, ...]
    n_directions: int
    distribution: str
    normalize: str

    def normalized(self, values: Any) -> Any:
        """Values of all weights, divided by what entries of directions are divided by."""
        if self.normalize == "tensor":
            return values / np.sqrt(np.repeat(self.sizes, self.sizes)).astype(values.dtype)
        return values / max(sum(self.sizes), self.n_directions) ** 0.5

    def noise(self, key: Any, dtype: Any) -> Any:
        """One direction before it is divided."""
        return draw_flat(key, sum(self.sizes), dtype, self.distribution)

    def coordinates(self, keys: Any, vector: Any) -> Any:
        """Products of a vector with every direction, of shape (n_directions,)."""
        import jax

        def one(key: Any) -> Any:
            return self.normalized(self.noise(key, vector.dtype)) @ vector

        return jax.lax.map(one, keys, batch_size=min(CHUNK, len(keys)))

    def combine(self, keys: Any, coordinates: Any) -> Any:
        """Sum of all directions, each times its coordinate."""
        return self._sum(lambda bases, part: part @ bases, keys, coordinates, coordinates.dtype)

    def project(self, keys: Any, vector: Any) -> Any:
        """Coordinates and their combination at once: each direction is drawn only once."""
        return self._sum(lambda bases, _: (bases @ vector) @ bases, keys, keys, vector.dtype)

    def _sum(self, add: Callable[[Any, Any], Any], keys: Any, numbers: Any, dtype: Any) -> Any:
        """Sum over chunks of directions, which have a number each; the last may be short."""
        import jax
        from jax import numpy as jnp

        def part(keys: Any, numbers: Any) -> Any:
            bases = jax.vmap(lambda key: self.normalized(self.noise(key, dtype)))(keys)
            return add(bases, numbers)

        size = min(CHUNK, len(keys))
        whole = len(keys) // size

        def body(i: Any, total: Any) -> Any:
            cut = (jax.lax.dynamic_slice_in_dim(a, i * size, size) for a in (keys, numbers))
            return total + part(*cut)

        total = jax.lax.fori_loop(0, whole, body, jnp.zeros(sum(self.sizes), dtype))
        if whole * size < len(keys):
            total = total + part(keys[whole * size :], numbers[whole * size :])
        return total
