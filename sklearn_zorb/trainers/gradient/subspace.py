"""Random directions by seed: products with them, and sums of them."""

from dataclasses import dataclass

import numpy as np

from . import hadamard, sketch
from .directions import draw_flat, groups, joined

# distributions that give products with all directions of a span at once, from one key
JOINT = {"hadamard": hadamard, "sketch": sketch}


@dataclass(frozen=True)
class Subspace:
    """Directions over a flat vector of weights, cut into spans that have their own.

    Attributes
    ----------
    spans : tuple of (int, int)
        Where each compartment begins and ends.
    n_directions : int
    distribution : {"normal", "rademacher", "hadamard", "sketch"}
    normalize : {"auto", "dimension", "unit", "tensor", "mean"}
    chunk_size : int
        Directions in memory at a time.
    tensors : tuple of int
        Sizes of the tensors that the weights are made of; read by "tensor" only.
    """

    spans: tuple
    n_directions: int
    distribution: str
    normalize: str
    chunk_size: int
    tensors: tuple = ()

    @classmethod
    def over(cls, moved, compartments, *settings):
        """Spans of a tree of weights, by compartment."""
        import jax

        numbers, count = groups(moved, compartments)
        tensors = tuple(int(leaf.size) for leaf in jax.tree.leaves(moved))
        sizes = [0] * count
        for j, size in zip(numbers, tensors, strict=True):
            sizes[j] += size
        ends = [sum(sizes[: j + 1]) for j in range(count)]
        spans = tuple((end - size, end) for end, size in zip(ends, sizes, strict=True))
        return cls(spans, *settings, tensors)

    def noise(self, key, dtype):
        """One direction before it is normalised."""
        return draw_flat(key, self.spans[-1][1], dtype, self.distribution)

    def basis(self, key, dtype):
        """One direction."""
        from jax import numpy as jnp

        noise = self.noise(key, dtype)
        pieces = []
        for start, end in self.spans:
            piece = noise[start:end]
            if self.normalize == "unit":
                pieces.append(piece / jnp.linalg.norm(piece))
            else:
                pieces.append(self.normalized(piece, start, end))
        return joined(pieces)

    def normalized(self, values, start, end):
        """Values of a span of weights, divided by what entries of directions are divided by."""
        if self.normalize == "tensor":
            sizes = np.repeat(self.tensors, self.tensors)[start:end]
            return values / np.sqrt(sizes).astype(values.dtype)
        size = end - start
        square = {
            "dimension": size, "unit": size, "mean": self.n_directions,
            "auto": max(size, self.n_directions),
        }[self.normalize]  # fmt: skip
        return values / square**0.5

    def coordinates(self, keys, vector):
        """Products of a vector with every direction: (n_directions, n_spans)."""
        import jax
        from jax import numpy as jnp

        if self.distribution in JOINT:
            joint = JOINT[self.distribution]
            return jnp.stack([
                joint.coordinates(own(keys, j), self.normalized(vector[a:b], a, b), len(keys))
                for j, (a, b) in enumerate(self.spans)
            ], axis=1)  # fmt: skip

        def one(key):
            basis = self.basis(key, vector.dtype)
            return jnp.stack([basis[a:b] @ vector[a:b] for a, b in self.spans])

        return jax.lax.map(one, keys, batch_size=min(self.chunk_size, len(keys)))

    def combine(self, keys, coordinates):
        """Sum of all directions, each span times its coordinate."""
        if self.distribution in JOINT:
            joint = JOINT[self.distribution]
            return joined([
                self.normalized(joint.combine(own(keys, j), coordinates[:, j], b - a), a, b)
                for j, (a, b) in enumerate(self.spans)
            ])  # fmt: skip

        def add(bases, c):
            return [c[:, j] @ bases[:, a:b] for j, (a, b) in enumerate(self.spans)]

        return self._sum(keys, coordinates, add)

    def project(self, keys, vector):
        """Coordinates and their combination at once: each direction is drawn only once."""
        if self.distribution in JOINT:
            return self.combine(keys, self.coordinates(keys, vector))

        def add(bases, _):
            return [(bases[:, a:b] @ vector[a:b]) @ bases[:, a:b] for a, b in self.spans]

        return self._sum(keys, keys, add, vector.dtype)

    def _sum(self, keys, numbers, add, dtype=None):
        """Sum over chunks of directions; the last chunk may be short."""
        import jax
        from jax import numpy as jnp

        dtype = dtype or numbers.dtype

        def part(keys, numbers):
            bases = jax.vmap(lambda key: self.basis(key, dtype))(keys)
            return joined(add(bases, numbers))

        size = min(self.chunk_size, len(keys))
        whole = len(keys) // size
        total = jnp.zeros(self.spans[-1][1], dtype)

        def body(i, total):
            start = i * size
            cut = (jax.lax.dynamic_slice_in_dim(a, start, size) for a in (keys, numbers))
            return total + part(*cut)

        total = jax.lax.fori_loop(0, whole, body, total)
        if whole * size < len(keys):
            total = total + part(keys[whole * size :], numbers[whole * size :])
        return total


def own(keys, j):
    """The key of span j, where one draws all directions of a span."""
    import jax

    return jax.random.fold_in(keys[0], j)


def shaped(values, transform):
    """Ranks, or places in the range, from -1/2 to 1/2, along the first axis."""
    from jax import numpy as jnp

    if transform == "ranks":
        order = jnp.argsort(jnp.argsort(values, axis=0), axis=0)
        return (order / max(len(values) - 1, 1) - 0.5).astype(values.dtype)
    if transform == "range":
        low, high = values.min(axis=0), values.max(axis=0)
        return (values - low) / jnp.where(high > low, high - low, 1) - 0.5
    return values


def largest(coordinates, share):
    """Coordinates with all but a share of the largest set to zero."""
    from jax import numpy as jnp

    kept = max(1, round(share * len(coordinates)))
    sizes = jnp.abs(coordinates)
    return jnp.where(sizes >= jnp.sort(sizes, axis=0)[-kept], coordinates, 0)
