"""From a model to nodes of JSON and arrays.

A value is None, a truth value, a finite number or text as it is, or ``[i]`` for node i. Nodes
stand behind all nodes that they name, so that they can be made one after the other; what several
of them share is one node. Each has one key that says what it is: ``unpack.py`` lists them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import others
from .container import DTYPE
from .registry import is_known, optimizer_state, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def pack(model: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The tree and the arrays of a model.

    Parameters
    ----------
    model : object

    Returns
    -------
    tree : dict
        Its ``nodes``, the value of the model, and that of the bytes of skops, or None.
    arrays : list of ndarray
    """
    writer = _Writer()
    root = writer.value(model, type(model).__name__)
    content = others.dumped(writer.others) if writer.others else None
    if content is not None:
        content = writer.value(np.frombuffer(content, np.uint8), "skops")
    return {"nodes": writer.nodes, "model": root, "others": content}, writer.arrays


class _Writer:
    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.arrays: list[np.ndarray] = []
        self.others: list[Any] = []
        # objects by identity; they are kept alive, so that no other one gets the number of theirs
        self.known: dict[int, int] = {}
        self.kept: list[Any] = []

    def value(self, item: Any, place: str) -> Any:
        if item is None or type(item) in (bool, int, str):
            return item
        if type(item) is float and math.isfinite(item):
            return item
        if id(item) not in self.known:
            node = self._node(item, place)
            self.known[id(item)] = len(self.nodes)
            self.kept.append(item)
            self.nodes.append(node)
        return [self.known[id(item)]]

    def _values(self, items: Iterable[Any], place: str) -> list[Any]:
        return [self.value(one, f"{place}[{i}]") for i, one in enumerate(items)]

    def _node(self, item: Any, place: str) -> dict[str, Any]:
        kind = type(item)
        if kind is float:
            return {"float": repr(item)}
        if kind in (list, tuple):
            return {kind.__name__: self._values(item, place)}
        if kind is dict:
            keys = self._values(item, f"a key of {place}")
            values = [self.value(one, f"{place}[{key!r}]") for key, one in item.items()]
            return {"dict": list(zip(keys, values, strict=True))}
        if kind is slice:
            return {"slice": self._values((item.start, item.stop, item.step), place)}
        if isinstance(item, np.dtype):
            return {"dtype": item.str}
        if isinstance(item, np.ndarray):
            return self._array(item, place)
        if isinstance(item, np.generic):
            return {"scalar": self._number(np.asarray(item), place)}
        if kind is np.random.RandomState:
            return {"random_state": self.value(item.get_state(), place)}
        if isinstance(item, type) and is_known(item):
            return {"class": item.__name__}
        return self._object(item, place)

    def _array(self, item: Any, place: str) -> dict[str, Any]:
        if item.dtype.kind in "OT":
            return {"objects": [item.shape, self._values(item.ravel().tolist(), place)]}
        return {"array": self._number(np.asarray(item), place)}

    def _number(self, array: np.ndarray, place: str) -> int:
        """The number of an array, whose bytes stand behind the JSON."""
        if not DTYPE.fullmatch(array.dtype.str):
            raise ValueError(f"{place} is an array of {array.dtype}, which no model file holds.")
        self.arrays.append(array)
        return len(self.arrays) - 1

    def _object(self, item: Any, place: str) -> dict[str, Any]:
        kind = type(item)
        if is_known(kind):
            state = {
                name: self.value(one, f"{place}.{name}") for name, one in state_of(item).items()
            }
            return {"object": kind.__name__, "state": state}
        if hasattr(item, "_fields") and kind.__module__.partition(".")[0] == "optax":
            optimizer_state(kind.__name__)
            return {"optax": kind.__name__, "values": self._values(item, place)}
        if hasattr(item, "__jax_array__") or kind.__module__.startswith("jax"):
            return self._array(np.asarray(item), place)
        if callable(item) and not hasattr(item, "get_params"):
            raise ValueError(
                f"{place} is {item!r}: a model file holds no code. Pass a name, as for an "
                "initializer, an optimizer or a schedule that comes with the package, or keep "
                "this model with pickle."
            )
        self.others.append(item)
        return {"other": len(self.others) - 1}
