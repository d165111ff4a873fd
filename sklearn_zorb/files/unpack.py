"""From nodes of JSON and arrays to a model.

Nodes, by their key:

``float``
    ``"inf"``, ``"-inf"`` or ``"nan"``.
``list``, ``tuple``, ``dict``, ``slice``
    Values, in a dict pairs of a key and a value.
``array``, ``scalar``
    The number of an array; a scalar is an array without axes.
``objects``
    Shape and values of an array of Python objects.
``dtype``
    As NumPy writes it.
``class``
    The name of a class of `CLASSES`.
``object``, ``state``
    The name of its class, and values by name.
``optax``, ``values``
    The same for a state of an optimiser, a named tuple.
``random_state``
    The state of a `numpy.random.RandomState`.
``other``
    The number of an object in the part that skops wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import others
from .container import DTYPE, refused
from .registry import known, made, optimizer_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike


def unpack(
    tree: dict[str, Any],
    arrays: Sequence[np.ndarray],
    path: str | PathLike[str],
    trusted: Sequence[str],
) -> Any:
    """The model of a tree and its arrays.

    Parameters
    ----------
    tree : dict
    arrays : list of ndarray
    path : str or path-like
        For messages.
    trusted : sequence of str
        Types of other packages that may be made.

    Returns
    -------
    model : object
    """
    with refused(repr(str(path))):
        reader = _Reader(arrays)
        foreign = [node for node in tree["nodes"] if "other" in node]
        if foreign:
            reader.others = _others(tree, arrays, path, trusted)
        for node in tree["nodes"]:
            reader.made.append(reader.item(node))
        return reader.value(tree["model"])


def _others(
    tree: dict[str, Any],
    arrays: Sequence[np.ndarray],
    path: str | PathLike[str],
    trusted: Sequence[str],
) -> list[Any]:
    """What skops wrote; its bytes are the last node."""
    content = arrays[tree["nodes"][tree["others"][0]]["array"]]
    return others.loaded(content.astype(np.uint8, casting="no").tobytes(), path, trusted)


class _Reader:
    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self.arrays = arrays
        self.made: list[Any] = []
        self.others: list[Any] = []

    def value(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        (number,) = value
        return self.made[_index(number)]

    def _values(self, values: Iterable[Any]) -> list[Any]:
        return [self.value(one) for one in values]

    def item(self, node: dict[str, Any]) -> Any:
        kind = next(iter(node))
        return getattr(self, KINDS[kind])(
            node[kind], **{k: v for k, v in node.items() if k != kind}
        )

    def _float(self, text: Any) -> float:
        if text not in ("inf", "-inf", "nan"):
            raise ValueError(f"{text!r} is no number")
        return float(text)

    def _tuple(self, values: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(self._values(values))

    def _dict(self, pairs: Iterable[Any]) -> dict[Any, Any]:
        return {self.value(key): self.value(value) for key, value in pairs}

    def _slice(self, values: Iterable[Any]) -> slice:
        return slice(*self._values(values))

    def _dtype(self, text: str) -> np.dtype[Any]:
        if not DTYPE.fullmatch(text):
            raise ValueError(f"{text!r} is no type of plain numbers")
        return np.dtype(text)

    def _array(self, number: Any) -> np.ndarray:
        return self.arrays[_index(number)]

    def _scalar(self, number: Any) -> Any:
        array = self._array(number)
        if array.shape:
            raise ValueError(f"a scalar of shape {array.shape}")
        return array[()]

    def _objects(self, content: Any) -> np.ndarray:
        shape, values = content
        if not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("objects of an odd shape")
        array = np.empty(len(values), dtype=object)
        array[:] = self._values(values)
        return array.reshape(shape)

    def _class(self, name: str) -> type[Any]:
        return known(name)

    def _object(self, name: str, state: dict[str, Any]) -> Any:
        return made(name, {key: self.value(value) for key, value in state.items()})

    def _optax(self, name: str, values: Iterable[Any]) -> Any:
        return optimizer_state(name)(*self._values(values))

    def _random_state(self, value: Any) -> np.random.RandomState:
        name, key, position, has_gauss, gauss = self.value(value)
        # NumPy does not check the length, and would read beyond the key
        if name != "MT19937" or key.shape != (624,) or not 0 <= position <= 624:
            raise ValueError("no state of a random generator")
        generator = np.random.RandomState(0)
        generator.set_state((name, key, int(position), int(has_gauss), float(gauss)))
        return generator

    def _other(self, number: Any) -> Any:
        return self.others[_index(number)]


KINDS = {
    "float": "_float", "list": "_values", "tuple": "_tuple", "dict": "_dict", "slice": "_slice",
    "dtype": "_dtype", "array": "_array", "scalar": "_scalar", "objects": "_objects",
    "class": "_class", "object": "_object", "optax": "_optax", "random_state": "_random_state",
    "other": "_other",
}  # fmt: skip


def _index(number: Any) -> int:
    """A number of a node or an array; negative ones would count from the end."""
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} is no number of a node")
    return number
