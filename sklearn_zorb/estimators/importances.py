"""Importances of the user's columns for a fitted model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..layers.importances import (
    behind_columns,
    exchanged,
    input_importances,
    shares,
    squared,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..network import Network
    from ..rows.constant import ConstantColumns
    from ..typing import Params
    from .model import FittedModel


def column_importances(model: FittedModel) -> np.ndarray:
    """Importances of shape (n_features,) that sum to one; all zero if no column moves outputs.

    Parameters
    ----------
    model : FittedModel
    """
    network, params = model.network, model.params
    # a read-out may see columns before a layer of the list changed them
    start = min(behind_columns(network.hidden), *network.taps)
    rest = network.behind(start)
    try:
        found = _walk(rest, params[start:])
    except NotImplementedError:
        found = exchanged(partial(rest.forward, params[start:]), rest.input_shape)
    for i in reversed(range(start)):
        found = input_importances(network.layers[i], params[i], found, network.shapes[i])
    found = np.array(squared(found), dtype=np.float64)
    if model.constant is not None:
        found[_never_moving(model, model.constant)] = 0.0
    return shares(found)


def _never_moving(model: FittedModel, constant: ConstantColumns) -> np.ndarray:
    """Columns of one value in training; where it had gaps beside, they may tell something."""
    places, values = constant.places, constant.values
    if model.schema is None:
        return places
    gaps = np.array([model.schema.columns[j].gaps for j in places])
    return places[~gaps | np.isnan(values)]


def _walk(network: Network, params: Sequence[Params]) -> np.ndarray:
    """From the read-out back to the inputs; a tap adds what the read-out makes of it at once."""
    layers, index, shapes = network.layers, network.readout, network.shapes
    above = input_importances(
        layers[index], params[index], np.eye(shapes[index + 1][-1]), shapes[index]
    )
    if network.stacked:
        taps = {index: above}
    else:
        ends = np.cumsum([np.prod(network.shapes[i], dtype=int) for i in network.taps])
        taps = dict(zip(network.taps, np.split(above, ends[:-1]), strict=True))
    above = taps[index]
    for i in reversed(range(index)):
        above = input_importances(layers[i], params[i], above, shapes[i])
        if i in taps:
            if above.ndim == 1:
                raise NotImplementedError("importances do not tell what adds up and what cancels.")
            above = above + taps[i]
    return above
