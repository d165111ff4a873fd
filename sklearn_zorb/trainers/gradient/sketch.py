"""Directions that share no weight: a count sketch, whose products are sums over parts."""

from .directions import draw_flat


def draw(key, size, dtype):
    """Random signs of the weights."""
    return draw_flat(key, size, dtype, "rademacher")


def coordinates(key, vector, n_directions):
    """Products of the vector with every direction, of shape (n_directions,).

    Weight i belongs to direction i modulo `n_directions`, with a random sign and a length
    that makes the mean square of all entries one (Charikar, Chen & Farach-Colton, 2002).
    """
    from jax import numpy as jnp

    signed = draw(key, vector.shape[0], vector.dtype) * vector
    padded = jnp.pad(signed, (0, -len(signed) % n_directions))
    return n_directions**0.5 * padded.reshape(-1, n_directions).sum(axis=0)


def combine(key, coordinates, size):
    """Sum of all directions, each times its coordinate, of shape (size,)."""
    from jax import numpy as jnp

    n_directions = coordinates.shape[0]
    spread = jnp.tile(n_directions**0.5 * coordinates, -(-size // n_directions))[:size]
    return draw(key, size, spread.dtype) * spread
