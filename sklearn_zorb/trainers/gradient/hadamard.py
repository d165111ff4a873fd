"""Directions that are rows of a Hadamard matrix of random signs: products with all at once."""

import math

import numpy as np

# exponent of 2 of the widest dense factor that a transform is made of
LARGEST = 6


def factors(size):
    """Widths, powers of two, whose product is the least power of two not below `size`.

    They are as equal as they can be, since a narrow one takes as long as a wide one.

    Examples
    --------
    >>> from sklearn_zorb.trainers.gradient.hadamard import factors
    >>> factors(5000), factors(1)
    ([32, 16, 16], [1])
    """
    exponent = int(size - 1).bit_length()
    count = max(1, -(-exponent // LARGEST))
    return [1 << (exponent + k) // count for k in reversed(range(count))]


def hadamard(width):
    """The Hadamard matrix of Sylvester, of entries 1 and -1."""
    matrix = np.ones((1, 1))
    while len(matrix) < width:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def transform(vector):
    """Product of a Hadamard matrix with a vector, padded with zeros to a power of two.

    The matrix is a Kronecker product of small ones: each goes along an axis of its own, all
    of them through products that leave the numbers in their order.
    """
    from jax import numpy as jnp

    widths = factors(vector.shape[0])
    inner = math.prod(widths)
    numbers = jnp.pad(vector, (0, inner - vector.shape[0]))
    for width in widths:
        matrix = jnp.asarray(hadamard(width), vector.dtype)
        inner //= width
        if inner > 1:
            numbers = matrix @ numbers.reshape(-1, width, inner)
        else:
            # symmetric: from the right too
            numbers = numbers.reshape(-1, width) @ matrix
    return numbers.ravel()


def draw(key, size, n_directions, dtype):
    """Random signs of the columns, and which rows of the matrix are the directions."""
    import jax
    from jax import numpy as jnp

    from .directions import draw_flat

    sign_key, row_key = jax.random.split(key)
    signs = draw_flat(sign_key, size, dtype, "rademacher")
    length = math.prod(factors(size))
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
    length = math.prod(factors(size))
    spread = jnp.zeros(length, coordinates.dtype).at[rows].set(coordinates)
    return signs * transform(spread)[:size]
