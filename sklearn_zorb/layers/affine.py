"""Layers that are linear in their inputs: what they make of a matrix and an intercept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .activations import Identity
from .composite import Parallel, Skip
from .dense import Dense
from .encode import Encode
from .noise import Dropout, GaussianNoise
from .normal_scores import NormalScores
from .scaling import BatchNorm, Standardize
from .shape import Flatten
from .split_readout import SplitReadout
from .stack import Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Params
    from .base import Layer


def behind(
    layer: Layer, params: Params, weights: np.ndarray, intercept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercepts of a layer's outputs, from those of its inputs.

    Parameters
    ----------
    layer : Layer
    params : dict
    weights : ndarray of shape (n_features, n_inputs)
    intercept : ndarray of shape (n_inputs,)

    Returns
    -------
    weights : ndarray of shape (n_features, n_outputs)
    intercept : ndarray of shape (n_outputs,)

    Raises
    ------
    AttributeError
        If the layer is not linear; it is named.
    """
    # of a subclass nothing is known
    rule = RULES.get(type(layer))
    found = rule and rule(layer, params, weights, intercept)
    if found is None:
        raise AttributeError(
            f"coef_ is there for lists that are linear in the columns only, which {layer!r} is not."
        )
    return found


def _same(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    return weights, intercept


def _dense(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    return weights @ params["weights"], intercept @ params["weights"] + params["intercept"]


def _standardize(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    mean, deviation = params["mean"].ravel(), params["deviation"].ravel()
    if layer.clip is None:
        return weights / deviation, (intercept - mean) / deviation


def _batch_norm(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    gain = params["scale"] / np.sqrt(params["variance"] + layer.epsilon)
    if weights.shape[1] == len(gain):  # flat rows
        return weights * gain, (intercept - params["mean"]) * gain + params["offset"]


def _encode(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    return None if layer.schema else (weights, intercept)


def _normal_scores(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    return None if len(params["columns"]) else (weights, intercept)


def _branches(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    pairs = layer.with_params(params)
    parts = [_list(block, block_params, weights, intercept) for block, block_params in pairs]
    return tuple(map(np.hstack, zip(*parts, strict=True)))


def _stack(layer: Any, params: Params, weights: np.ndarray, intercept: np.ndarray) -> Any:
    asked = layer.asked(params)
    parts = [
        (share, _list(block, block_params, weights, intercept))
        for share, block, block_params in asked
    ]
    return tuple(sum(share * part[i] for share, part in parts) for i in (0, 1))


def _list(
    layers: Sequence[Layer], params: Sequence[Params], weights: np.ndarray, intercept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    for layer, layer_params in zip(layers, params, strict=True):
        weights, intercept = behind(layer, layer_params, weights, intercept)
    return weights, intercept


RULES = {
    Identity: _same, Dropout: _same, GaussianNoise: _same, Flatten: _same,
    Dense: _dense, SplitReadout: _dense, Standardize: _standardize, BatchNorm: _batch_norm,
    Encode: _encode, NormalScores: _normal_scores, Parallel: _branches, Skip: _branches,
    Stack: _stack,
}  # fmt: skip
