"""Checks of what is passed to `check_layer`, and to the constructor of a layer."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
from sklearn.base import clone

from .._compat import check_parameters
from ..layers import Layer, Traits
from .case import line_of, require


def check_arguments(layer: object, input_shape: object) -> None:
    if not isinstance(layer, Layer):
        raise TypeError(
            f"layer={layer!r} is of type {type(layer).__name__}; pass an object of a class that "
            "inherits from sklearn_zorb.layers.Layer."
        )
    sizes = input_shape if isinstance(input_shape, Sequence) else ()
    if not sizes or not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
        raise ValueError(
            f"input_shape={input_shape!r}: pass a tuple of positive int, the shape of one sample, "
            "such as (4,) or (8, 8, 1)."
        )


def check_hyperparameters(layer: Layer) -> None:
    line = "the constructor stores its arguments and nothing else, so that clone works"
    with line_of(layer, line):
        params = layer.get_params(deep=False)
        others = sorted(set(vars(layer)) ^ set(params))
        require(not others, f"Attributes and arguments differ in {', '.join(others)}.")
        copy = clone(layer)
    with line_of(layer, "set_params(**get_params()) changes nothing"):
        require(repr(copy.set_params(**params)) == repr(layer), f"It gave {copy!r}.")
    with line_of(layer, "hyperparameters satisfy _parameter_constraints"):
        check_parameters(layer)
    with line_of(layer, "layers can be pickled"):
        require(repr(pickle.loads(pickle.dumps(layer))) == repr(layer), "It came back changed.")
    with line_of(layer, "traits are Traits"):
        found = type(layer.traits).__name__
        require(isinstance(layer.traits, Traits), f"Its traits are of type {found}.")
