"""The weights of a fitted network as an NPZ file of plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..datasets.sources import read_arrays
from ..writing import write_beside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ..estimators.layered import BaseLayered


def save_weights(network: BaseLayered, path: str) -> None:
    """Write the params of every layer, with keys such as ``"dense_1/weights"``.

    Parameters
    ----------
    network : ZORBClassifier or ZORBRegressor
        Fitted.
    path : str
    """
    arrays: dict[str, Any] = {
        key: np.asarray(holder[index]) for key, holder, index in _leaves(network)
    }
    with write_beside(path) as file:
        np.savez(file, **arrays)


def load_weights(network: BaseLayered, path: str) -> None:
    """Replace the params of a fitted network by those of a file.

    The keys, shapes and kinds of numbers must be those of the network. Where they are not,
    or a number is not finite, the network stays as it was.

    Parameters
    ----------
    network : ZORBClassifier or ZORBRegressor
        Fitted; changed in place.
    path : str
    """
    arrays = read_arrays(path)
    leaves = list(_leaves(network))
    _check_keys([key for key, _, _ in leaves], arrays, path)
    replacements = [
        (holder, index, _checked(arrays[key], np.asarray(holder[index]), key))
        for key, holder, index in leaves
    ]
    for holder, index, array in replacements:
        holder[index] = array


def _leaves(network: BaseLayered) -> Iterator[tuple[str, Any, Any]]:
    """Every array of the network: its key, and the dict or list that holds it."""
    names = [name for name, _ in network.layers_]
    return _walk("", dict(zip(names, network.params_, strict=True)))


def _walk(prefix: str, holder: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield each array with its key: the names on the way to it, also in composite layers."""
    items = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for index, value in items:
        key = f"{prefix}{index}"
        if isinstance(value, dict | list):
            yield from _walk(f"{key}/", value)
        elif isinstance(value, np.ndarray | np.generic | float | int):
            yield key, holder, index
        elif value is not None:
            raise ValueError(
                f"{key} is {type(value).__name__}, not an array: the weights of this network "
                "cannot leave its model; use --save and --load"
            )


def _check_keys(expected: Iterable[str], found: Collection[str], path: str) -> None:
    """Refuse missing and unknown keys, so that weights of another network are told at once."""
    missing = [key for key in expected if key not in found]
    if missing:
        raise ValueError(f"{path!r} lacks the weights {', '.join(missing)}")
    unexpected = [key for key in found if key not in expected]
    if unexpected:
        raise ValueError(f"{path!r} holds unexpected weights: {', '.join(unexpected)}")


def _checked(array: np.ndarray, current: np.ndarray, key: str) -> np.ndarray:
    """`array` in place of `current`, if it fits."""
    if array.shape != current.shape:
        raise ValueError(f"{key} has shape {array.shape}, the network needs {current.shape}")
    if not np.can_cast(array.dtype, current.dtype, casting="same_kind"):
        raise ValueError(f"{key} holds {array.dtype}, the network needs {current.dtype}")
    with np.errstate(over="ignore"):
        array = array.astype(current.dtype)
    if not np.isfinite(array).all():
        raise ValueError(f"{key} holds values that are not finite in {current.dtype}")
    return array
