"""How much each input of a layer counts for the outputs of a network, from params alone."""

from __future__ import annotations

from functools import partial, singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from ..rows import output_shapes
from . import sequence
from .activations import Identity
from .composite import Branches, columns_of
from .dense import Dense
from .encode import Encode
from .kernel import Kernel
from .models import Trees
from .normal_scores import NormalScores
from .piecewise import PiecewiseLinear
from .scaling import Standardize
from .split_readout import SplitReadout
from .stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..typing import Params, Shape
    from .base import Layer

# layers that change each column by itself
BY_COLUMN = (Encode, NormalScores, Standardize)
# points that stand for the rows of layers without a rule of their own: so many for a column, and
# in all, as each column is exchanged in all of them
DRAWS, LEAST_DRAWS, ALL_DRAWS = 256, 16, 25_600


@singledispatch
def input_importances(
    layer: Layer, params: Params, above: np.ndarray, input_shape: Shape
) -> np.ndarray:
    r"""Importances of the inputs of a layer, from those of its outputs.

    Each class of layers has a rule, which ``input_importances.register`` takes for others, too.
    A list that holds a layer without a rule is measured as a whole: by how much its output
    changes on average where one input takes another value,
    :math:`\frac12 E (f(z) - f(z'))^2`, for standard normal inputs z.

    Parameters
    ----------
    layer : Layer
    params : dict
    above : ndarray of shape (n_outputs, n_targets) or (n_outputs,)
        With two axes, the weights of the outputs in a linear read-out; with one, their
        importances, in the unit of a variance.
    input_shape : tuple of int

    Returns
    -------
    above : ndarray of shape (n_inputs, n_targets) or (n_inputs,)
        The same for the inputs.

    Raises
    ------
    NotImplementedError
        If there is no rule for such a layer, or none that takes such an `above`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import PiecewiseLinear
    >>> from sklearn_zorb.layers.importances import input_importances
    >>> ramps = np.array([0.5, 0.25, 0.125, 0.125])
    >>> input_importances(PiecewiseLinear(2), {}, ramps, (2,)).tolist()
    [0.75, 0.25]
    """
    raise NotImplementedError(f"there is no rule for the importances of {type(layer).__name__}.")


@input_importances.register(Identity)
def _(layer: Identity, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    return above


@input_importances.register(Standardize)
@input_importances.register(NormalScores)
def _(layer: Layer, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    # outputs have unit variance
    return squared(above)


@input_importances.register(Encode)
def _(layer: Encode, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    found = squared(above)
    if layer.schema is None:
        return found
    return np.bincount(layer.output_sources(), found, minlength=input_shape[0])


@input_importances.register(PiecewiseLinear)
def _(layer: PiecewiseLinear, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    return squared(above).reshape(-1, layer.n_bins).sum(axis=1)


@input_importances.register(Dense)
@input_importances.register(SplitReadout)
def _(layer: Layer, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    return params["weights"] @ _linear(layer, above)


@input_importances.register(Kernel)
def _(layer: Kernel, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    return layer.exchange_effects(params, _linear(layer, above))


@input_importances.register(Trees)
def _(layer: Trees, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    return params["importances"]


@input_importances.register(Branches)
def _(layer: Branches, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    parts = zip(layer.with_params(params), columns_of(params["widths"]), strict=True)
    return sum(
        squared(_walk(branch, branch_params, above[part], input_shape))
        for (branch, branch_params), part in parts
    )


@input_importances.register(Stack)
def _(layer: Stack, params: Params, above: np.ndarray, input_shape: Shape) -> np.ndarray:
    """Blocks say much the same of a row: their deviations add up, not their variances."""
    weights = np.asarray(params["block_weights"], dtype=np.float64)
    deviation = sum(
        weight * np.sqrt(shares(block_importances(branch, branch_params, input_shape)))
        for weight, (branch, branch_params) in zip(weights, layer.with_params(params), strict=True)
        if weight > 0
    )
    return deviation**2


def block_importances(
    layers: Sequence[Layer], params: Sequence[Params], input_shape: Shape
) -> np.ndarray:
    """Importances of the inputs of a list of layers with its read-out; they have any sum."""
    start, shapes = behind_columns(layers), output_shapes(layers, input_shape)
    rest, rest_params = layers[start:], params[start:]
    try:
        found = _walk(rest, rest_params, np.eye(shapes[-1][-1]), shapes[start])
    except NotImplementedError:
        found = exchanged(partial(sequence.forward, rest, rest_params), shapes[start])
    return squared(_walk(layers[:start], params[:start], found, input_shape))


def behind_columns(layers: Sequence[Layer]) -> int:
    """How many layers in front change each column by itself."""
    others = (i for i, layer in enumerate(layers) if not isinstance(layer, BY_COLUMN))
    return next(others, len(layers))


def _walk(
    layers: Sequence[Layer], params: Sequence[Params], above: np.ndarray, input_shape: Shape
) -> Any:
    """From the outputs of a list of layers back to its inputs."""
    shapes = output_shapes(layers, input_shape)
    for layer, layer_params, shape in reversed(list(zip(layers, params, shapes[:-1], strict=True))):
        above = input_importances(layer, layer_params, above, shape)
    return above


def exchanged(forward: Callable[[np.ndarray], Any], input_shape: Shape) -> np.ndarray:
    """How much outputs change where one input takes another value, for standard normal inputs.

    The points are a Latin hypercube, and all inputs change by the same amounts: of a linear
    function, these are its squared weights exactly.
    """
    (n_inputs,) = input_shape
    n_draws = int(np.clip(ALL_DRAWS // n_inputs, LEAST_DRAWS, DRAWS))
    values = norm.ppf((np.arange(n_draws) + 0.5) / n_draws)
    ranks = np.argsort(np.random.default_rng(0).random((n_inputs, n_draws)), axis=1).T
    points = values[ranks]
    outputs, found = forward(points), np.empty(n_inputs)
    for j in range(n_inputs):
        other = points.copy()
        other[:, j] = np.roll(values, n_draws // 2)[ranks[:, j]]
        found[j] = ((forward(other) - outputs) ** 2).sum() / (2 * n_draws)
    return found


def squared(above: np.ndarray) -> Any:
    """Importances of inputs of unit variance, from weights or from importances."""
    return above if above.ndim == 1 else (above**2).sum(axis=1)


def _linear(layer: Layer, above: np.ndarray) -> np.ndarray:
    if above.ndim == 1:
        raise NotImplementedError(f"{type(layer).__name__} has to stand before a linear read-out.")
    return above


def shares(importances: np.ndarray) -> np.ndarray:
    """Importances that sum to one, or to zero where all are."""
    total = importances.sum()
    return importances / total if total > 0 else importances
