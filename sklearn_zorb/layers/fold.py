"""Solved params without what only a solve needs; predictions stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import sequence
from .composite import Branches
from .dense import Dense
from .kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..typing import Params
    from .base import Layer


def folded(
    layers: Sequence[Layer], params: Sequence[Params], shared: Collection[int] = ()
) -> list[Params]:
    """Params of a solved list: projections of kernels move into the weights behind them.

    A projection is as large as the square of the landmarks; the weights keep their shape.
    Params in single precision stay as they are, as the products would lose digits. Blocks of a
    `Stack` whose weight is zero are left empty.

    Parameters
    ----------
    layers : list of Layer
    params : list of dict
    shared : collection of int
        Indices of layers whose inputs others read, too.

    Returns
    -------
    params : list of dict
    """
    params = [
        _inside(layer, layer_params) for layer, layer_params in zip(layers, params, strict=True)
    ]
    for i, (kernel, dense) in enumerate(zip(layers[:-1], layers[1:], strict=True)):
        if isinstance(kernel, Kernel) and type(dense) is Dense and i + 1 not in shared:
            params[i : i + 2] = _merged(kernel, *params[i : i + 2])
    return params


def _inside(layer: Layer, params: Params) -> Params:
    """Params of a layer, those of the lists in it folded; none of a block without weight."""
    if not isinstance(layer, Branches):
        return params
    branches, pairs = {}, layer.with_params(params)
    weights = params.get("block_weights", np.ones(len(pairs)))
    for i, (weight, (branch, branch_params)) in enumerate(
        zip(weights, pairs, strict=True), start=1
    ):
        kept = folded(branch, branch_params) if weight > 0 else [{} for _ in branch]
        branches[f"branch_{i}"] = sequence.keyed(kept)
    return {**params, **branches}


def _merged(kernel: Kernel, features: Params, linear: Params) -> tuple[Params, Params]:
    weights = linear["weights"]
    if "projection" not in features or weights.dtype != np.float64:
        return features, linear
    # a read-out may see other columns in front of those of the last layer
    front, back = np.split(weights, [len(weights) - kernel.units])
    features, back, intercept = kernel.folded(features, back, linear["intercept"])
    return features, {
        **linear,
        "weights": np.concatenate([front, back]),
        "intercept": intercept,
    }
