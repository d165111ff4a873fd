"""Models that are linear in the columns, as one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..layers.affine import behind

if TYPE_CHECKING:
    from .model import FittedModel


def linear_outputs(model: FittedModel) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n_features, n_outputs) and intercepts (n_outputs,) of the outputs of a model.

    AttributeError that names the layer where they are not linear in the columns.

    Parameters
    ----------
    model : FittedModel
    """
    network, seen = model.network, []
    n_features = int(np.prod(network.input_shape))
    weights, intercept = np.eye(n_features), np.zeros(n_features)
    for i, (layer, params) in enumerate(zip(network.layers, model.params, strict=True)):
        if i in network.taps and not network.stacked:
            seen.append((weights, intercept))
        if i == network.readout and not network.stacked:
            weights, intercept = map(np.hstack, zip(*seen, strict=True))
        weights, intercept = behind(layer, params, weights, intercept)
    if model.constant is not None:
        # other values than that of training do not count
        places = model.constant.places
        values = np.nan_to_num(model.constant.values)
        intercept = intercept + values @ weights[places]
        weights[places] = 0.0
    return weights, intercept
