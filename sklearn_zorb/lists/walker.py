"""Layers within layers: the one way to visit them, to look for some and to replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Node:
    """Anything that may stand in a list of layers.

    Attributes
    ----------
    filled : tuple of str
        Parameters that an estimator fills in from data, and text leaves out.
    """

    filled: tuple[str, ...] = ()

    if TYPE_CHECKING:  # of BaseEstimator

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...

    def children(self) -> Sequence[Sequence[Any]]:
        """The lists of layers inside; none for a layer that is not made of others."""
        return ()

    def with_children(self, children: Sequence[Sequence[Any]]) -> Any:
        """A copy made of other lists of layers, as many and as long as `children` gives."""
        return self


def walk(layers: Iterable[Any]) -> list[Any]:
    """Every layer of a list, and every layer inside of it right after it, as one list."""
    found = []
    for layer in layers:
        found.append(layer)
        for block in layer.children():
            found += walk(block)
    return found


def find(layers: Iterable[Any], wanted: Callable[[Any], bool]) -> Any:
    """The first layer, here or inside, for which `wanted` is true; None if there is none."""
    return next(filter(wanted, walk(layers)), None)


def leaves(layers: Iterable[Any]) -> list[Any]:
    """Every layer, here or inside, that is not made of others."""
    return [layer for layer in walk(layers) if not layer.children()]


def with_leaves(layer: Any, replace: Callable[[Any], Any]) -> Any:
    """A copy in which ``replace(leaf)`` stands in the place of each layer not made of others."""
    blocks = layer.children()
    if not blocks:
        return replace(layer)
    return layer.with_children([[with_leaves(one, replace) for one in block] for block in blocks])
