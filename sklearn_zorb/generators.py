"""Random generators that are made when they are first asked for."""

from functools import cached_property

import numpy as np


class LazyGenerator:
    """A generator that is made once something is to be drawn.

    Seeding takes as long as solving a layer of few rows, and most layers draw nothing.

    Parameters
    ----------
    entropy, spawn_key, pool_size
        Of the `numpy.random.SeedSequence` that it grows from.
    kind, bits : type
        Of the generator and of its bits; by default those of `numpy.random.default_rng`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.generators import spawn
    >>> (lazy,) = spawn(np.random.default_rng(0), 1)
    >>> (eager,) = np.random.default_rng(0).spawn(1)
    >>> lazy.generator.random() == eager.random()
    True
    """

    def __init__(
        self, entropy, spawn_key=(), pool_size=4, kind=np.random.Generator, bits=np.random.PCG64
    ):
        self._seeds = entropy, spawn_key, pool_size
        self._types = kind, bits
        self._children = 0

    @classmethod
    def of(cls, generator):
        """One that is made already."""
        own = object.__new__(cls)
        own.generator = generator
        return own

    @cached_property
    def generator(self):
        """The `numpy.random.Generator`, the same one each time."""
        (entropy, key, size), (kind, bits) = self._seeds, self._types
        own = {"spawn_key": key, "pool_size": size, "n_children_spawned": self._children}
        return kind(bits(np.random.SeedSequence(entropy, **own)))

    def spawn(self, count):
        """The next children, none of them made."""
        if "generator" in vars(self):
            return spawn(self.generator, count)
        entropy, key, size = self._seeds
        first, self._children = self._children, self._children + count
        places = range(first, self._children)
        return [LazyGenerator(entropy, (*key, i), size, *self._types) for i in places]


def spawn(rng, count):
    """The generators that ``rng.spawn(count)`` returns, none of them made.

    Parameters
    ----------
    rng : numpy.random.Generator or LazyGenerator
    count : int

    Returns
    -------
    list of LazyGenerator
    """
    if isinstance(rng, LazyGenerator):
        return rng.spawn(count)
    if type(rng.bit_generator.seed_seq) is not np.random.SeedSequence:
        return [LazyGenerator.of(own) for own in rng.spawn(count)]
    types = type(rng), type(rng.bit_generator)
    return [
        LazyGenerator(own.entropy, own.spawn_key, own.pool_size, *types)
        for own in rng.bit_generator.seed_seq.spawn(count)
    ]


def made(rng):
    """A `numpy.random.Generator` of what may be a lazy one."""
    return rng.generator if isinstance(rng, LazyGenerator) else rng
