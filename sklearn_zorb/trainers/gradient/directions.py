"""Random directions in the space of a network's weights, drawn in JAX."""

import numpy as np

DISTRIBUTIONS = ("normal", "rademacher")
GRANULARITIES = ("joint", "layer", "tensor")


def draw_flat(key, size, dtype, distribution):
    """Random numbers of zero mean and unit variance, of shape (size,).

    Signs are unpacked from random words, 32 from each.
    """
    import jax
    from jax import numpy as jnp

    if distribution == "normal":
        return jax.random.normal(key, (size,), dtype)
    words = jax.random.bits(key, (-(-size // 32),), jnp.uint32)
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & 1
    return 2 * bits.ravel()[:size].astype(dtype) - 1


def flattened(tree):
    """The tensors of a tree as one vector, in the order of `jax.flatten_util.ravel_pytree`.

    Each is written into its place: compiled for CPUs, `jax.numpy.concatenate` of long and
    short vectors takes longer than a step of a fully connected network.
    """
    import jax
    from jax import lax
    from jax import numpy as jnp

    tensors = [tensor.ravel() for tensor in jax.tree.leaves(tree)]
    if len(tensors) == 1:
        return tensors[0]
    whole = jnp.zeros(sum(tensor.size for tensor in tensors), tensors[0].dtype)
    start = 0
    for tensor in tensors:
        whole = lax.dynamic_update_slice(whole, tensor, (start,))
        start += tensor.size
    return whole


def draw(key, like, distribution):
    """A tree of random numbers of zero mean and unit variance, shaped as `like`.

    One draw is cut into tensors: it compiles in a fraction of the time that many take.
    """
    import jax

    tensors, tree = jax.tree.flatten(like)
    ends = [int(end) for end in np.cumsum([tensor.size for tensor in tensors])]
    numbers = draw_flat(key, ends[-1], tensors[0].dtype, distribution)
    parts = [
        numbers[end - tensor.size : end].reshape(tensor.shape)
        for end, tensor in zip(ends, tensors, strict=True)
    ]
    return jax.tree.unflatten(tree, parts)


def standardized(direction):
    """Each tensor shifted to mean zero and scaled to unit variance, divided by n - 1.

    A direction of one number only stays as it is, and one of equal numbers becomes zero.
    """
    import jax
    from jax import numpy as jnp

    def scale(tensor):
        if tensor.size < 2:
            return tensor
        # random signs of a small tensor may all be equal
        deviation = tensor.std(ddof=1)
        return (tensor - tensor.mean()) / jnp.where(deviation > 0, deviation, 1)

    return jax.tree.map(scale, direction)


def groups(moved, granularity):
    """For each tensor, in the order of the tree, the number of its group; and how many."""
    import jax

    counts = [len(jax.tree.leaves(own)) for own in moved]
    if granularity == "joint":
        numbers = [0] * sum(counts)
    elif granularity == "tensor":
        numbers = list(range(sum(counts)))
    else:
        layers = [i for i, count in enumerate(counts) if count]
        numbers = [layers.index(i) for i, count in enumerate(counts) for _ in range(count)]
    return numbers, max(numbers) + 1


def each_group(direction, numbers, n_groups):
    """The direction restricted to each group in turn: tensors of shape (n_groups, ...)."""
    import jax
    from jax import numpy as jnp

    tensors, tree = jax.tree.flatten(direction)
    eye = jnp.eye(n_groups)
    parts = [
        eye[:, j].astype(tensor.dtype).reshape(-1, *[1] * tensor.ndim) * tensor
        for j, tensor in zip(numbers, tensors, strict=True)
    ]
    return jax.tree.unflatten(tree, parts)


def scaled_by_group(direction, factors, numbers):
    """Each tensor times the factor of its group."""
    import jax

    tensors, tree = jax.tree.flatten(direction)
    scaled = [factors[j].astype(t.dtype) * t for j, t in zip(numbers, tensors, strict=True)]
    return jax.tree.unflatten(tree, scaled)
