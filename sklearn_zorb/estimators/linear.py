"""Models that are linear in the columns, as one matrix."""

import numpy as np

from ..layers.affine import behind


def linear_outputs(model):
    """Weights (n_features, n_outputs) and intercepts (n_outputs,) of the outputs of a model.

    AttributeError that names the layer where they are not linear in the columns.

    Parameters
    ----------
    model : FittedModel
    """
    network, seen = model.network, []
    n_features = int(np.prod(network.input_shape))
    map_ = np.eye(n_features), np.zeros(n_features)
    for i, (layer, params) in enumerate(zip(network.layers, model.params, strict=True)):
        if i in network.taps and not network.stacked:
            seen.append(map_)
        if i == network.readout and not network.stacked:
            map_ = tuple(map(np.hstack, zip(*seen, strict=True)))
        map_ = behind(layer, params, *map_)
    weights, intercept = map_
    if model.constant is not None:
        # other values than that of training do not count
        places = model.constant.places
        values = np.nan_to_num(model.constant.values)
        intercept = intercept + values @ weights[places]
        weights[places] = 0.0
    return weights, intercept
