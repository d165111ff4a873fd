"""The one way through layers within layers."""

from sklearn_zorb.layers import Dense, Identity, Parallel, ReLU, Skip, Stack, Tanh, Trees
from sklearn_zorb.lists import find, leaves, walk, with_leaves

INNER = Skip([("wide", Dense(4)), Tanh()])
LAYERS = [Dense(8), Parallel([[INNER], [Identity()]]), ReLU()]


def kinds(layers):
    return [type(layer).__name__ for layer in layers]


def test_layers_come_before_those_inside():
    assert kinds(walk(LAYERS)) == ["Dense", "Parallel", "Skip", "Dense", "Tanh", "Identity", "ReLU"]
    assert kinds(leaves(LAYERS)) == ["Dense", "Dense", "Tanh", "Identity", "ReLU"]


def test_the_first_that_is_wanted():
    assert find(LAYERS, lambda layer: isinstance(layer, Tanh)) is INNER.layers[1]
    assert find(LAYERS, lambda layer: isinstance(layer, Trees)) is None


def test_leaves_are_replaced_in_a_copy():
    def wider(layer):
        return Dense(2 * layer.units) if isinstance(layer, Dense) else layer

    copy = with_leaves(LAYERS[1], wider)
    assert find([copy], lambda layer: isinstance(layer, Dense)).units == 8
    assert INNER.layers[0][1].units == 4
    assert with_leaves(LAYERS[0], wider).units == 16


def test_a_copy_keeps_its_other_parameters():
    stack = Stack([[Dense(3)], [Trees(5)]], shrinkage=2.0)
    copy = stack.with_children([[Tanh()], [Trees(7)]])
    assert copy.shrinkage == 2.0 and kinds(walk([copy])) == ["Stack", "Tanh", "Trees"]
    assert copy.children()[1][0].n_estimators == 7
