"""Lazy generators: the numbers that NumPy's own children give, in whatever order they are made."""

import pickle

import numpy as np
import pytest

from sklearn_zorb.generators import LazyGenerator, made, spawn
from sklearn_zorb.layers import Context

BITS = (np.random.PCG64, np.random.MT19937, np.random.Philox)


def draws(generator):
    return generator.integers(2**62, size=3).tolist()


@pytest.mark.parametrize("bits", BITS)
def test_children_are_those_of_numpy(bits):
    lazy, eager = spawn(np.random.Generator(bits(7)), 3), np.random.Generator(bits(7)).spawn(3)
    for own, other in zip(lazy, eager, strict=True):
        assert isinstance(own.generator.bit_generator, bits)
        grandchildren = zip(own.spawn(2), other.spawn(2), strict=True)
        assert all(draws(a.generator) == draws(b) for a, b in grandchildren)
        assert draws(own.generator) == draws(other)


@pytest.mark.parametrize("first", [True, False])
def test_children_do_not_depend_on_when_the_parent_is_made(first):
    (lazy,), (eager,) = spawn(np.random.default_rng(1), 1), np.random.default_rng(1).spawn(1)
    if first:
        assert draws(lazy.generator) == draws(eager)
    found = [draws(own.generator) for own in (*lazy.spawn(1), *lazy.spawn(1))]
    # spawned by the generator itself, as a layer of others does
    found += [draws(own) for own in made(lazy).spawn(1)]
    found += [draws(own.generator) for own in spawn(lazy, 1)]
    assert found == [draws(own) for own in eager.spawn(4)]


def test_a_lazy_root_is_default_rng():
    entropy = np.array([3, 1, 4, 1], dtype=np.uint32)
    lazy, eager = LazyGenerator(entropy), np.random.default_rng(entropy)
    assert draws(lazy.spawn(1)[0].generator) == draws(eager.spawn(1)[0])
    assert draws(lazy.generator) == draws(eager)
    assert draws(pickle.loads(pickle.dumps(lazy)).generator) == draws(
        pickle.loads(pickle.dumps(eager))
    )


class Counted(np.random.bit_generator.ISpawnableSeedSequence):
    """Seeds of somebody else's making."""

    def __init__(self, number):
        self.number, self.children = number, 0

    def generate_state(self, n_words, dtype=np.uint32):
        return np.full(n_words, self.number, dtype=dtype)

    def spawn(self, n_children):
        first, self.children = self.children, self.children + n_children
        return [Counted(100 * self.number + i) for i in range(first, self.children)]


def test_seeds_of_others_are_spawned_by_themselves():
    lazy = spawn(np.random.Generator(np.random.PCG64(Counted(3))), 2)
    eager = np.random.Generator(np.random.PCG64(Counted(3))).spawn(2)
    assert [draws(own.generator) for own in lazy] == [draws(own) for own in eager]
    assert draws(lazy[1].spawn(1)[0].generator) == draws(eager[1].spawn(1)[0])


def test_parents_spawn_on_where_they_were():
    rng, other = np.random.default_rng(2), np.random.default_rng(2)
    spawn(rng, 2), other.spawn(2)
    assert draws(spawn(rng, 1)[0].generator) == draws(other.spawn(1)[0])


def test_copies_of_a_context_share_one_generator():
    context = Context(rng=np.random.default_rng(0))
    (lazy,) = context.spawn(1)
    one, two = context.replace(rng=lazy), context.replace(rng=lazy, task="binary")
    assert isinstance(one.rng, np.random.Generator)
    assert one.rng is two.rng is two.replace(task="regression").rng
    assert isinstance(Context().rng, np.random.Generator)
