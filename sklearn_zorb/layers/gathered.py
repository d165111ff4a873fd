"""Layers that need rows in one place, where rows lie elsewhere: a sample is brought to them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..linalg import to_numpy
from ..rows import Rows
from ..rows.remote import START, View, kept

if TYPE_CHECKING:
    from ..typing import Params
    from .base import Context, Layer, Solved

# rows that are brought together, where there are more
SAMPLE_ROWS = 50_000


def solve_on_sample(
    layer: Layer,
    params: Params,
    inputs: Rows,
    targets: Any,
    context: Context,
    most: int = SAMPLE_ROWS,
) -> Solved:
    """Solve a layer on a sample of rows that lie elsewhere.

    Rows that are not in the sample are new to the layer: what it hands on for them is `forward`,
    whatever it hands on for those that it has seen.

    Parameters
    ----------
    layer : Layer
    params : dict
    inputs, targets : Rows, Targets
    context : Context
    most : int
        Of so many rows, and fewer, all are the sample.

    Returns
    -------
    Solved
    """
    places = np.arange(len(inputs))
    if len(inputs) > most:
        places = np.sort(context.rng.spawn(1)[0].choice(len(inputs), size=most, replace=False))
    y, weights = (one if one is None else one[places] for one in (context.y, context.sample_weight))
    every: Any = None if context.y_targets is None else context.y_targets.take(places)
    some = every if targets is context.y_targets else targets.take(places)
    sample_context = context.replace(y=y, sample_weight=weights, y_targets=every)
    solved = layer.solve(params, Rows(inputs[places]), some, sample_context)
    given = solved.outputs if layer.traits.draws_rows else solved.left_out
    if given is None:
        return replace(solved, outputs=None)
    found = partial(_handed_on, layer, solved.params, places, to_numpy(given))
    table = kept(View(found, START, inputs))
    outputs = Rows(table) if layer.traits.draws_rows else None
    return replace(solved, outputs=outputs, left_out=table if solved.left_out is not None else None)


def _handed_on(
    layer: Layer, params: Params, places: np.ndarray, given: np.ndarray, start: int, inputs: Any
) -> np.ndarray:
    """What a layer hands on for rows, of which those at some places are given."""
    first, last = np.searchsorted(places, [start, start + inputs.shape[0]])
    if last - first == inputs.shape[0]:
        return given[first:last]
    outputs = np.array(layer.forward(params, inputs[:]), given.dtype)
    outputs[places[first:last] - start] = given[first:last]
    return outputs
