"""Layers within layers: the one way to visit them, to look for some and to replace them."""


class Node:
    """Anything that may stand in a list of layers.

    Attributes
    ----------
    filled : tuple of str
        Parameters that an estimator fills in from data, and text leaves out.
    """

    filled: tuple = ()

    def children(self):
        """The lists of layers inside; none for a layer that is not made of others."""
        return ()

    def with_children(self, children):
        """A copy made of other lists of layers, as many and as long as `children` gives."""
        return self


def walk(layers):
    """Every layer of a list, and every layer inside of it right after it, as one list."""
    found = []
    for layer in layers:
        found.append(layer)
        for block in layer.children():
            found += walk(block)
    return found


def find(layers, wanted):
    """The first layer, here or inside, for which `wanted` is true; None if there is none."""
    return next(filter(wanted, walk(layers)), None)


def leaves(layers):
    """Every layer, here or inside, that is not made of others."""
    return [layer for layer in walk(layers) if not layer.children()]


def with_leaves(layer, replace):
    """A copy in which ``replace(leaf)`` stands in the place of each layer not made of others."""
    blocks = layer.children()
    if not blocks:
        return replace(layer)
    return layer.with_children([[with_leaves(one, replace) for one in block] for block in blocks])
