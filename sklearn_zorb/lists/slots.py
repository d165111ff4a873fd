"""The mechanics of parameters that go through the names of layers.

The functions take an `owner`, an estimator or a composite layer that says in two class
attributes where its layers are:

- ``block_parameter``: the name of the constructor parameter that holds them;
- ``many_blocks``: whether it holds a list of blocks, each a list of layers, or one such list.

scikit-learn lets a parameter hold anything until ``fit``, so nothing here minds what it cannot
read; the errors are raised by `names`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from sklearn.base import clone

from .walker import Node

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_pair(item: object) -> TypeGuard[tuple[str, Any]]:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple) and not is_pair(value)


def is_text(value: object) -> TypeGuard[str | Sequence[str]]:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(piece, str) for piece in value)
    return isinstance(value, str)


class Slot(NamedTuple):
    """One place in the list."""

    where: tuple[int, ...]  # (index,), or (index of the block, index)
    name: str
    layer: Any
    explicit: bool  # whether the user gave the name

    @property
    def address(self) -> str:
        return "".join(f"[{index}]" for index in self.where)


def layer_slots(layers: Any, many_blocks: bool) -> list[Slot]:
    """The named places; what is neither a layer nor a (name, anything) pair has none."""
    if not is_list(layers):
        return []
    items: list[tuple[tuple[int, ...], Any]] = []
    for i, item in enumerate(layers):
        if many_blocks and is_list(item):
            items.extend(((i, j), inner) for j, inner in enumerate(item))
        else:
            items.append(((i,), item))
    slots: list[Slot] = []
    counts: Counter[str] = Counter()
    for where, item in items:
        explicit = is_pair(item)
        name, layer = item if explicit else (None, item)
        if isinstance(layer, Node):
            # layers with a name of their own count too: naming one never renames the others
            kind = type(layer).__name__.lower()
            counts[kind] += 1
            name = name if explicit else f"{kind}_{counts[kind]}"
        if name is not None:
            slots.append(Slot(where, name, layer, explicit))
    return slots


def nested_params(owner: Any, layers: Any) -> dict[str, Any]:
    """Layers of `owner` by name, and their parameters by ``name__parameter``."""
    params = {}
    for slot in layer_slots(layers, owner.many_blocks):
        params[slot.name] = slot.layer
        if isinstance(slot.layer, Node):
            inner = slot.layer.get_params(deep=True)
            params.update((f"{slot.name}__{key}", value) for key, value in inner.items())
    return params


def own_params(owner: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Turn parameters of layers into a new value of the parameter that holds the layers.

    The names are those of the list at the start of the call, or of the list that the call
    itself brings: were they derived anew after a layer was replaced, its parameters could go
    to another layer.

    Parameters
    ----------
    owner : object
        Has `block_parameter` and `many_blocks`.
    params : dict
        What was passed to `set_params`.

    Returns
    -------
    own : dict
        Constructor arguments only, for the `set_params` of the parent class.
    """
    holder, valid = owner.block_parameter, owner.get_params(deep=False)
    layers = params.get(holder, valid[holder])
    slots = layer_slots(layers, owner.many_blocks)
    names = {slot.name for slot in slots}
    arguments: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    inner: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for key, value in params.items():
        name, nested, parameter = key.partition("__")
        if name in valid and not (nested and name == holder):
            arguments[key] = value
        elif name not in names:
            raise _unknown_name(owner, key, layers, sorted(valid), [slot.name for slot in slots])
        elif nested:
            inner[name][parameter] = value
        else:
            whole[name] = value
    if whole or inner:
        arguments[holder] = _rebuild(layers, slots, whole, inner)
    return arguments


def _rebuild(
    layers: Any, slots: Sequence[Slot], whole: dict[str, Any], inner: dict[str, dict[str, Any]]
) -> list[Any]:
    """A new list with some layers replaced, and changed copies of some."""
    by_name = {slot.name: slot for slot in slots}
    changed = {by_name[name].where: layer for name, layer in whole.items()}
    # names derived from classes would move if a class changes: then all are written out
    keep = any(type(layer) is not type(by_name[name].layer) for name, layer in whole.items())
    for name, params in inner.items():
        layer = whole.get(name, by_name[name].layer)
        if not isinstance(layer, Node):
            raise ValueError(
                f"{name!r} is {layer!r}, which has no parameter {next(iter(params))!r}."
            )
        changed[by_name[name].where] = clone(layer).set_params(**params)
    new = [list(item) if is_list(item) else item for item in layers]
    for slot in slots:
        *block, index = slot.where
        layer = changed.get(slot.where, slot.layer)
        held = new[block[0]] if block else new
        held[index] = (slot.name, layer) if slot.explicit or keep else layer
    return new


def _unknown_name(
    owner: Any, key: str, layers: Any, valid: list[str], names: list[str]
) -> ValueError:
    estimator, holder = type(owner).__name__, owner.block_parameter
    close = get_close_matches(key.partition("__")[0], [*valid, *names], n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    message = (
        f"Invalid parameter {key!r} for estimator {estimator}.{guess} Valid parameters are: "
        f"{valid!r}. Valid names of layers are: {names!r}."
    )
    if is_text(layers):
        message += (
            f" Layers have names in lists only, and {holder} is text, {layers!r}: pass "
            f"{holder}=parse_layers(...), from sklearn_zorb, to set what is in it. The list that "
            '"fast", "auto" or "best" stand for is auto_layers(X, effort=...).'
        )
    return ValueError(message)
