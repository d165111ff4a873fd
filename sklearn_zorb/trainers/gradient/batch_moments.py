"""Moments of the batch in every `BatchNorm`, however deep it stands, and the running ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...layers import BatchNorm
from ...layers.composite import Branches
from ...lists import leaves

if TYPE_CHECKING:
    from ...layers.base import Layer
    from ...typing import Params
    from .objective import Tree

# share of the new batch in the running moments that prediction uses
MOMENTUM = 0.1


def running_moments(layer: Layer, params: Params) -> Params:
    """The moments of each `BatchNorm` in a layer that prediction uses, nested as params are."""
    if isinstance(layer, BatchNorm):
        return {name: params[name] for name in ("mean", "variance")}
    return {
        name: {place: running_moments(inner, params[name][place]) for place, inner in branch}
        for name, branch in _branches(layer)
    }


def moved_towards(moments: Tree, batch: Tree) -> Tree:
    """Running moments, moved towards those of a batch."""
    import jax

    return jax.tree.map(lambda old, new: (1 - MOMENTUM) * old + MOMENTUM * new, moments, batch)


def training_outputs(
    layer: Layer, params: Params, inputs: Any, key: Any, weights: Any
) -> tuple[Any, Params]:
    """Outputs of a layer in training, and the moments of the batch in each `BatchNorm` in it.

    Parameters
    ----------
    layer : Layer
    params : dict
    inputs : array of shape (n, ...)
    key : JAX key
        For noise.
    weights : array of shape (n,) or None
        Rows of weight zero, which only fill up the batch, have no part in the moments.

    Returns
    -------
    outputs : array of shape (n, ...)
    moments : dict
        Nested as params are.
    """
    from jax import numpy as jnp
    from jax import random

    if isinstance(layer, BatchNorm):
        here = batch_moments(inputs, weights)
        return layer.forward({**params, **here}, inputs, rng=key), here
    branches = _branches(layer)
    if not branches:
        return layer.forward(params, inputs, rng=key), {}
    outputs: list[Any] = []
    moments: Params = {}
    for i, (name, branch) in enumerate(branches):
        rows, branch_key, moments[name] = inputs, random.fold_in(key, i), {}
        for j, (place, inner) in enumerate(branch):
            own_key = random.fold_in(branch_key, j)
            rows, moments[name][place] = training_outputs(
                inner, params[name][place], rows, own_key, weights
            )
        outputs.append(rows)
    return jnp.concatenate(outputs, axis=-1), moments


def _branches(layer: Layer) -> list[tuple[str, list[tuple[str, Layer]]]]:
    """What a composite layer with a `BatchNorm` in it joins, by the keys of its params.

    Pairs of a key and the (key, layer) pairs of a branch; none for other layers.
    """
    if not isinstance(layer, Branches):
        return []
    if not any(isinstance(leaf, BatchNorm) for leaf in leaves([layer])):
        return []
    return [
        (f"branch_{i}", [(str(j), inner) for j, inner in enumerate(path)])
        for i, path in enumerate(layer.paths(), start=1)
    ]


def batch_moments(inputs: Any, weights: Any) -> Params:
    """Weighted mean and variance of each channel over the rows."""
    from jax import numpy as jnp

    rows = inputs.reshape(inputs.shape[0], -1, inputs.shape[-1])
    share = jnp.ones(len(rows)) if weights is None else weights
    share = share.astype(inputs.dtype)[:, None, None]
    count = share.sum() * rows.shape[1]
    mean = (share * rows).sum(axis=(0, 1)) / count
    variance = (share * (rows - mean) ** 2).sum(axis=(0, 1)) / count
    return {"mean": mean, "variance": variance}
