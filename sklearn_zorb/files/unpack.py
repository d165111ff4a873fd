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

import numpy as np

from . import others
from .container import DTYPE, refused
from .registry import known, made, optimizer_state


def unpack(tree, arrays, path, trusted):
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


def _others(tree, arrays, path, trusted):
    """What skops wrote; its bytes are the last node."""
    content = arrays[tree["nodes"][tree["others"][0]]["array"]]
    return others.loaded(content.astype(np.uint8, casting="no").tobytes(), path, trusted)


class _Reader:
    def __init__(self, arrays):
        self.arrays, self.made, self.others = arrays, [], []

    def value(self, value):
        if value is None or isinstance(value, bool | int | float | str):
            return value
        (number,) = value
        return self.made[_index(number)]

    def _values(self, values):
        return [self.value(one) for one in values]

    def item(self, node):
        kind = next(iter(node))
        return getattr(self, KINDS[kind])(
            node[kind], **{k: v for k, v in node.items() if k != kind}
        )

    def _float(self, text):
        if text not in ("inf", "-inf", "nan"):
            raise ValueError(f"{text!r} is no number")
        return float(text)

    def _tuple(self, values):
        return tuple(self._values(values))

    def _dict(self, pairs):
        return {self.value(key): self.value(value) for key, value in pairs}

    def _slice(self, values):
        return slice(*self._values(values))

    def _dtype(self, text):
        if not DTYPE.fullmatch(text):
            raise ValueError(f"{text!r} is no type of plain numbers")
        return np.dtype(text)

    def _array(self, number):
        return self.arrays[_index(number)]

    def _scalar(self, number):
        array = self._array(number)
        if array.shape:
            raise ValueError(f"a scalar of shape {array.shape}")
        return array[()]

    def _objects(self, content):
        shape, values = content
        if not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("objects of an odd shape")
        array = np.empty(len(values), dtype=object)
        array[:] = self._values(values)
        return array.reshape(shape)

    def _class(self, name):
        return known(name)

    def _object(self, name, state):
        return made(name, {key: self.value(value) for key, value in state.items()})

    def _optax(self, name, values):
        return optimizer_state(name)(*self._values(values))

    def _random_state(self, value):
        name, key, position, has_gauss, gauss = self.value(value)
        # NumPy believes what it is told, and would read beyond the key
        if name != "MT19937" or key.shape != (624,) or not 0 <= position <= 624:
            raise ValueError("no state of a random generator")
        generator = np.random.RandomState(0)
        generator.set_state((name, key, int(position), int(has_gauss), float(gauss)))
        return generator

    def _other(self, number):
        return self.others[_index(number)]


KINDS = {
    "float": "_float", "list": "_values", "tuple": "_tuple", "dict": "_dict", "slice": "_slice",
    "dtype": "_dtype", "array": "_array", "scalar": "_scalar", "objects": "_objects",
    "class": "_class", "object": "_object", "optax": "_optax", "random_state": "_random_state",
    "other": "_other",
}  # fmt: skip


def _index(number):
    """A number of a node or an array; negative ones would count from the end."""
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} is no number of a node")
    return number
