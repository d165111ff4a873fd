"""Directions that are rows of a Hadamard matrix of random signs: products with all at once."""

import numpy as np

# columns of the dense factors that a transform is made of
FACTOR = 64


def factors(size):
    """Widths, powers of two, whose product is the least power of two not below `size`.

    Examples
    --------
    >>> from sklearn_zorb.trainers.hadamard import factors
    >>> factors(5000), factors(1)
    ([64, 64, 2], [1])
    """
    left, widths = 1 << max(0, int(size - 1).bit_length()), []
    while left > FACTOR:
        widths.append(FACTOR)
        left //= FACTOR
    return [*widths, left]


def hadamard(width):
    """The Hadamard matrix of Sylvester, of entries 1 and -1."""
    matrix = np.ones((1, 1))
    while len(matrix) < width:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def transform(vector):
    """Product of a Hadamard matrix with a vector, padded with zeros to a power of two.

    The matrix is a Kronecker product of small ones: each goes along an axis of its own.
    """
    from jax import numpy as jnp

    widths = factors(vector.shape[0])
    padded = jnp.pad(vector, (0, int(np.prod(widths)) - vector.shape[0]))
    cube = padded.reshape(widths)
    for axis, width in enumerate(widths):
        matrix = jnp.asarray(hadamard(width), vector.dtype)
        cube = jnp.moveaxis(jnp.tensordot(matrix, cube, axes=(1, axis)), 0, axis)
    return cube.ravel()


def draw(key, size, n_directions, dtype):
    """Random signs of the columns, and which rows of the matrix are the directions."""
    import jax
    from jax import numpy as jnp

    from .directions import draw_flat

    sign_key, row_key = jax.random.split(key)
    signs = draw_flat(sign_key, size, dtype, "rademacher")
    length = int(np.prod(factors(size)))
    # an odd stride never meets a row twice, and a permutation would have to be sorted
    start, stride = jax.random.randint(row_key, (2,), 0, length)
    rows = (start + (2 * stride + 1) * jnp.arange(n_directions)) % length
    return signs, rows


def coordinates(key, vector, n_directions):
    """Products of the vector with every direction, of shape (n_directions,)."""
    signs, rows = draw(key, vector.shape[0], n_directions, vector.dtype)
    return transform(signs * vector)[rows]


def combine(key, coordinates, size):
    """Sum of all directions, each times its coordinate, of shape (size,)."""
    from jax import numpy as jnp

    signs, rows = draw(key, size, coordinates.shape[0], coordinates.dtype)
    length = int(np.prod(factors(size)))
    spread = jnp.zeros(length, coordinates.dtype).at[rows].set(coordinates)
    return signs * transform(spread)[:size]
