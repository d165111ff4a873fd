"""Random directions in the space of a network's weights, drawn in JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import jax

    from .objective import Tree

DISTRIBUTIONS = ("normal", "rademacher")
GRANULARITIES = ("joint", "layer", "tensor")


def draw_flat(key: Any, size: int, dtype: Any, distribution: str) -> jax.Array:
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


def flattened(tree: Tree) -> jax.Array:
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


def standardized(direction: Tree) -> Tree:
    """Each tensor of a tree shifted to mean zero and scaled to unit variance, divided by n - 1.

    A tensor of one number stays as it is, and one of equal numbers becomes zero.
    """
    import jax
    from jax import numpy as jnp

    def scale(tensor: Any) -> Any:
        if tensor.size < 2:
            return tensor
        # random signs of a small tensor may all be equal
        deviation = tensor.std(ddof=1)
        return (tensor - tensor.mean()) / jnp.where(deviation > 0, deviation, 1)

    return jax.tree.map(scale, direction)


def groups(moved: Tree, granularity: str) -> np.ndarray:
    """For each weight, in the order of `flattened`, the number of its group."""
    import jax

    sizes = [[leaf.size for leaf in jax.tree.leaves(of_layer)] for of_layer in moved]
    if granularity == "tensor":
        sizes = [[size] for of_layer in sizes for size in of_layer]
    elif granularity == "joint":
        sizes = [[size for of_layer in sizes for size in of_layer]]
    counts = [sum(of_layer) for of_layer in sizes if of_layer]
    return np.repeat(np.arange(len(counts)), counts)
