"""Names of the layers in a list: ``dense_1, tanh_1, dense_2``.

A name is the class in lower case and a count for each class, unless a ``(name, layer)`` pair
gives another one. Estimators and composite layers take their nested parameters from
`NestedNames`; ``fit`` calls `resolve_layers` and `check_names`, whose errors say what to pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sklearn.base import clone

from .slots import is_list, is_pair, is_text, layer_slots, nested_params, own_params
from .text import parse_layers
from .walker import Node

if TYPE_CHECKING:
    from ..layers.base import Layer
    from ..typing import LayersLike

__all__ = ["NestedNames", "check_names", "resolve_layers"]


class NestedNames:
    """Nested parameters for a class whose constructor takes layers.

    To be mixed in left of `BaseEstimator`.

    Attributes
    ----------
    block_parameter : str
        Name of the constructor parameter that takes the layers.
    many_blocks : bool
        Whether it takes a list of lists of layers, or one list.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from sklearn_zorb.layers import Dense, Tanh
    >>> from sklearn_zorb.lists import NestedNames
    >>> class Network(NestedNames, BaseEstimator):
    ...     def __init__(self, layers):
    ...         self.layers = layers
    >>> Network([Dense(8), Tanh()]).set_params(dense_1__units=16)
    Network(layers=[Dense(units=16), Tanh()])
    """

    block_parameter = "layers"
    many_blocks = False

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add each layer under its name, as in ``dense_1``, and its parameters,
            as in ``dense_1__units``. Layers given as text have no names.

        Returns
        -------
        params : dict
        """
        params = super().get_params(deep=deep)  # type: ignore[misc]  # of BaseEstimator
        if not deep:
            return params
        nested = nested_params(self, params[self.block_parameter])
        # constructor arguments go before layers
        return params | {key: value for key, value in nested.items() if key not in params}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, whole layers (``dense_1``) and theirs (``dense_1__units``).

        Neither a list nor a layer that was passed in is ever changed: a layer with a changed
        parameter is a copy, in a new list. Where a layer of another class takes a place, the
        new list keeps all present names, as ``(name, layer)`` pairs.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        return super().set_params(**own_params(self, params))  # type: ignore[misc]  # a mixin


def check_names(owner: Any, _path: str = "") -> None:
    """Raise ValueError for names of layers that cannot be used.

    They must not be empty or contain ``__``, and must differ from one another and from the
    constructor arguments. Layers inside composite layers are checked as well.

    Parameters
    ----------
    owner : object
        An estimator or layer with `block_parameter` and `many_blocks`.

    Examples
    --------
    >>> from sklearn_zorb.layers import Skip, Tanh
    >>> from sklearn_zorb.lists import check_names
    >>> check_names(Skip([("a", Tanh()), ("a", Tanh())]))
    Traceback (most recent call last):
        ...
    ValueError: layers[0] and layers[1] are both named 'a': give each layer its own name.
    """
    holder, reserved = owner.block_parameter, owner.get_params(deep=False)
    seen: dict[str, str] = {}
    for slot in layer_slots(reserved[holder], owner.many_blocks):
        place = f"{_path}{holder}{slot.address}"
        if not slot.name:
            raise ValueError(f"{place} has an empty name: name it, or pass the layer alone.")
        if "__" in slot.name:
            raise ValueError(
                f"{place} is named {slot.name!r}, but '__' stands between the name of a layer "
                "and its parameter: choose a name without it."
            )
        if slot.name in reserved:
            raise ValueError(
                f"{place} is named {slot.name!r}, which is a constructor argument of "
                f"{type(owner).__name__}: choose another name."
            )
        if slot.name in seen:
            raise ValueError(
                f"{seen[slot.name]} and {place} are both named {slot.name!r}: give each layer "
                "its own name."
            )
        seen[slot.name] = place
        if isinstance(slot.layer, NestedNames):
            check_names(slot.layer, f"{place}.")


def resolve_layers(layers: LayersLike) -> list[tuple[str, Layer]]:
    """Names and fresh copies of the layers that a user passed.

    Parameters
    ----------
    layers : str, list of str, list of Layer or list of tuple (str, Layer)
        Text is read by `parse_layers`.

    Returns
    -------
    pairs : list of tuple (str, Layer)

    Raises
    ------
    TypeError
        If there is something else than layers in the list, or in a composite layer in it.
    LayerSyntaxError
        If text does not describe layers.

    Examples
    --------
    >>> from sklearn_zorb.lists import resolve_layers
    >>> resolve_layers("Dense[8] Tanh Dense[4]")
    [('dense_1', Dense(units=8)), ('tanh_1', Tanh()), ('dense_2', Dense(units=4))]
    """
    if is_text(layers):
        layers = parse_layers(layers)
    _check_layers(layers, "layers", "text, such as 'Dense[64] Tanh'")
    return [(slot.name, clone(slot.layer)) for slot in layer_slots(layers, many_blocks=False)]


def _check_layers(
    layers: Any, place: str, otherwise: str = "parse_layers('Dense[64] Tanh')"
) -> None:
    """TypeError for anything but a list of layers or pairs; `place` is what to call it."""
    if is_text(layers) or not is_list(layers):
        raise TypeError(
            f"{place} must be a list of layers, such as [Dense(64), Tanh()], or {otherwise}; "
            f"got {layers!r}."
        )
    for i, item in enumerate(layers):
        layer = item[1] if is_pair(item) else item
        if not isinstance(layer, Node):
            got = _describe(item)
            raise TypeError(f"{place}[{i}] must be a layer or a (name, layer) pair; got {got}")
        if isinstance(layer, NestedNames):
            _check_blocks(layer, f"{place}[{i}].{layer.block_parameter}")


def _check_blocks(layer: NestedNames, place: str) -> None:
    blocks = getattr(layer, layer.block_parameter)
    if not layer.many_blocks:
        _check_layers(blocks, place)
        return
    if is_text(blocks) or not is_list(blocks):
        raise TypeError(
            f"{place} must be a list of blocks, each a list of layers, such as "
            f"[[Dense(64), Tanh()], [Identity()]]; got {blocks!r}."
        )
    for i, block in enumerate(blocks):
        _check_layers(block, f"{place}[{i}]")


def _describe(item: object) -> str:
    """What came in the place of a layer, and what to pass."""
    if is_pair(item):
        return f"the name {item[0]!r} with {_describe(item[1])}"
    if isinstance(item, type):
        return f"the class {item.__name__}: pass an object, {item.__name__}(...)."
    kind = type(item).__name__
    if isinstance(item, str):
        return f"the text {item!r} among other items: pass strings only, or layers only."
    if hasattr(item, "fit"):
        return f"the estimator {kind}: wrap it, EstimatorLayer({kind}(...))."
    if isinstance(item, list | tuple):
        return f"a {kind}, {item!r}: side by side, lists of layers are Parallel([...])."
    return f"{item!r} of type {kind}."
