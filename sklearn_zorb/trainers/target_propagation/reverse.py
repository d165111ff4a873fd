"""Learned inverses of blocks: from a block's output to what it was given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...layers import Dense

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ...layers.base import Context
    from ...network import Network
    from ...typing import Params
    from .local import LocalUpdate

LEARNED = ("reconstruction", "difference")


def guess(params: Params, rows: Any, tied: Any = None) -> Any:
    """An inverse applied to rows: affine, or with one hidden layer of ReLU units.

    Parameters
    ----------
    params : dict
        Params of the inverse.
    rows : array of shape (n, ...)
    tied : array or None
        Weights to take in place of those in `params`.
    """
    from jax import numpy as jnp

    rows = rows.reshape(rows.shape[0], -1)
    if tied is not None:
        return rows @ tied + params["intercept"]
    if "hidden" in params:
        rows = jnp.maximum(rows @ params["hidden"]["weights"] + params["hidden"]["intercept"], 0)
    return rows @ params["weights"] + params["intercept"]


def initial_reverse(update: LocalUpdate, network: Network, context: Context) -> Params:
    """Initial params of the inverse of every block whose rule uses one."""
    shapes, units, reverse = network.shapes, update.reverse_units, {}
    ends = (*update.starts[1:], network.readout)
    for j in range(1, len(update.starts)):
        if update.rules[j] not in LEARNED:
            continue
        width, outputs = math.prod(shapes[ends[j]]), math.prod(shapes[update.starts[j]])
        inverse: Params = {"intercept": np.zeros(outputs)}
        if not (update.tie and _has_transpose(network, update.starts[j], width)):
            if units is not None:
                inverse["hidden"] = {
                    "weights": _glorot(context.rng, width, units), "intercept": np.zeros(units)
                }  # fmt: skip
            inverse["weights"] = _glorot(context.rng, units or width, outputs)
        reverse[str(j)] = _cast(inverse, context.dtype)
    return reverse


def _has_transpose(network: Network, start: int, width: int) -> bool:
    """Whether the transposed weights of layer `start` fit the output of its block."""
    return isinstance(network.layers[start], Dense) and network.shapes[start + 1] == (width,)


def _cast(tree: Params, dtype: DTypeLike) -> Params:
    return {
        name: _cast(v, dtype) if isinstance(v, dict) else v.astype(dtype)
        for name, v in tree.items()
    }


def _glorot(rng: np.random.Generator, width: int, units: int) -> np.ndarray:
    limit = np.sqrt(6 / (width + units))
    return rng.uniform(-limit, limit, size=(width, units))
