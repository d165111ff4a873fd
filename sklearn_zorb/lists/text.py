"""Layers as text, ``"Conv2D[8, 3] Sigmoid Flatten Dense[64]"``: read and written."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .grammar import (
    BARE_WORD,
    CONSTANTS,
    ESCAPES,
    KNOWN_LAYERS,
    NOT_FINITE,
    LayerSyntaxError,
    Parser,
    block_parameter,
    text_parameters,
)
from .walker import Node

if TYPE_CHECKING:
    from collections.abc import Sequence
    from inspect import Parameter

    from ..layers.base import Layer
    from ..typing import LayerList

__all__ = ["LayerSyntaxError", "format_layers", "parse_layers"]


def parse_layers(text: str | Sequence[str]) -> list[Layer]:
    """Read a list of layers from text.

    Parameters
    ----------
    text : str or list of str
        Names of layers, in any case, separated by white space. Arguments of the constructor
        follow in square brackets, by position or by name: ``Dense[64, initializer=he]``. They
        are finite numbers, ``true``, ``false``, ``none``, words, quoted strings, or tuples
        such as ``(3, 3)``. The blocks of a composite layer follow in parentheses, separated
        by ``|``: ``Parallel(Dense[64] Tanh | Identity)``. The pieces of a list are joined by
        spaces. ``Convolution2D`` and ``Convolution`` are read as ``Conv2D``.

    Returns
    -------
    layers : list of Layer

    Raises
    ------
    LayerSyntaxError
        If the text does not follow the grammar, or names an unknown layer or argument.

    See Also
    --------
    format_layers : The inverse.

    Notes
    -----
    Every layer that `sklearn_zorb.layers` makes public can be written. `register_layer` adds
    layers of your own.

    Examples
    --------
    >>> from sklearn_zorb.layers import parse_layers
    >>> parse_layers("Dense[64] Tanh Dense[32, use_bias=false]")
    [Dense(units=64), Tanh(), Dense(units=32, use_bias=False)]
    >>> parse_layers(["skip(dense[64] tanh)", "sigmoid"])
    [Skip(layers=[Dense(units=64), Tanh()]), Sigmoid()]
    """
    if isinstance(text, list | tuple) and all(isinstance(piece, str) for piece in text):
        text = " ".join(text)
    if not isinstance(text, str):
        raise TypeError(f"parse_layers takes a string or a list of strings; got {text!r}.")
    return Parser(text).parse()


def format_layers(layers: LayerList) -> str:
    """Write a list of layers as text.

    Only what differs from the defaults is written, and ``parse_layers(format_layers(layers))``
    gives layers of the same types and parameters again.

    Parameters
    ----------
    layers : list of Layer or of tuple (str, Layer)
        Names are left out, as text has no place for them.

    Returns
    -------
    text : str

    Raises
    ------
    ValueError
        If the class of a layer is not registered, or a parameter is something that text cannot
        hold, such as a function, an array or an estimator.

    See Also
    --------
    parse_layers : The inverse.

    Examples
    --------
    >>> from sklearn_zorb.layers import Dense, Skip, Tanh, format_layers
    >>> format_layers([Dense(64, alpha=0.001), Skip([Dense(32), Tanh()])])
    'Dense[64, alpha=0.001] Skip(Dense[32] Tanh)'
    """
    if not isinstance(layers, list | tuple):
        raise TypeError(f"format_layers takes a list of layers; got {layers!r}.")
    if not layers:
        raise ValueError("An empty list of layers cannot be written as text.")
    return " ".join(_format_layer(item) for item in layers)


def _format_layer(item: Any) -> str:
    layer = item[1] if isinstance(item, tuple) and len(item) == 2 else item
    if not isinstance(layer, Node):
        raise TypeError(f"format_layers takes layers or (name, layer) pairs; got {item!r}.")
    cls = type(layer)
    if KNOWN_LAYERS.get(cls.__name__.lower()) is not cls:
        raise ValueError(
            f"{cls.__name__} cannot be written as text, as text does not know it: pass the class "
            "to sklearn_zorb.register_layer first, or keep the list of layers."
        )
    arguments = _format_arguments(layer)
    brackets = f"[{', '.join(arguments)}]" if arguments else ""
    return f"{cls.__name__}{brackets}{_format_blocks(layer)}"


def _format_arguments(layer: Any) -> list[str]:
    """What differs from the defaults; by position as far as nothing was left out before."""
    arguments, by_position = [], True
    for name, parameter in text_parameters(layer.__class__).items():
        value = getattr(layer, name)
        by_position = by_position and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        if _is_default(value, parameter):
            by_position = False
            continue
        text = _format_value(value, f"{type(layer).__name__}: {name}={value!r}")
        arguments.append(text if by_position else f"{name}={text}")
    return arguments


def _is_default(value: Any, parameter: Parameter) -> bool:
    # the types are compared as well: 1 equals True, and an array has no single truth value
    return type(value) is type(parameter.default) and bool(value == parameter.default)


def _format_blocks(layer: Any) -> str:
    name = block_parameter(type(layer))
    if name is None:
        return ""
    value = getattr(layer, name)
    if _is_default(value, inspect.signature(type(layer)).parameters[name]):
        return ""
    many = getattr(layer, "many_blocks", False) and isinstance(value, list | tuple)
    blocks = value if many else [value]
    if not blocks:
        raise ValueError(f"{type(layer).__name__}: {name}=[] has no text; pass a list of layers.")
    try:
        return f"({' | '.join(format_layers(block) for block in blocks)})"
    except (TypeError, ValueError) as error:
        raise type(error)(f"{type(layer).__name__}: {name}: {error}") from error


def _format_value(value: Any, where: str) -> str:
    """Text of one argument; `where` names it in the error."""
    if value is None or isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return repr(float(value))
    if isinstance(value, str):
        return _format_string(value)
    if isinstance(value, tuple | list):
        items = ", ".join(_format_value(item, where) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    raise ValueError(
        f"{where} cannot be written as text, which holds finite numbers, true, false, none, "
        "strings and tuples of these: keep the list of layers."
    )


def _format_string(value: str) -> str:
    if BARE_WORD.fullmatch(value) and value.lower() not in {*CONSTANTS, *NOT_FINITE}:
        return value
    codes: dict[str, str | int | None] = {
        character: rf"\{letter}" for letter, character in ESCAPES.items()
    }
    codes |= {"\\": r"\\", '"': r"\""}
    return f'"{value.translate(str.maketrans(codes))}"'
