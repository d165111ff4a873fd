"""Layers as one program of JAX, compiled once for each structure."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from ..linalg import get_backend, is_traced

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from ..layers.base import Layer
    from ..typing import Array, Params


def structure_key(value: Any) -> Hashable:
    """A hashable key, equal for layers of one class with equal hyperparameters.

    Compiled programs are kept under it, so that neither a layer nor an estimator ever holds
    one, and a refitted clone compiles nothing.
    """
    if isinstance(value, BaseEstimator):
        params = value.get_params(deep=False)
        return (type(value), tuple((name, structure_key(params[name])) for name in sorted(params)))
    if isinstance(value, list | tuple):
        return tuple(structure_key(item) for item in value)
    if isinstance(value, dict):
        return tuple((name, structure_key(item)) for name, item in sorted(value.items()))
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    try:
        hash(value)
    except TypeError:
        return (type(value), id(value))
    return value


class _Chain:
    """Layers in order, equal to others of the same structure."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)

    @functools.cached_property
    def _key(self) -> Hashable:
        return structure_key(self.layers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Chain) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __call__(self, params: Sequence[Params], inputs: Array) -> Array:
        for layer, layer_params in zip(self.layers, params, strict=True):
            inputs = layer.forward(layer_params, inputs)
        return inputs


@functools.lru_cache(maxsize=256)
def _compiled(chain: _Chain) -> Callable[..., Array]:
    # of copies: programs for further shapes are made later, when layers may have changed
    return get_backend("jax").compiled(_Chain(copy.deepcopy(chain.layers)))


def run_program(layers: Sequence[Layer], params: Sequence[Params], inputs: Array) -> Array:
    """The output of layers in order for an array of JAX, by one program.

    One operation after another where JAX cannot trace a layer, as one that asks for the values
    in its params.
    """
    chain = _Chain(layers)
    if not layers or is_traced(inputs) or not all(layer.traits.jax for layer in layers):
        return chain(params, inputs)
    import jax

    try:
        return _compiled(chain)(list(params), inputs)
    except (jax.errors.JAXTypeError, TypeError):
        return chain(params, inputs)
