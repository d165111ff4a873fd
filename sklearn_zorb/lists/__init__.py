"""What lists of layers need: their text, their names, and a way through them."""

from .grammar import LayerSyntaxError, register_layer
from .names import NestedNames, check_names, resolve_layers
from .text import format_layers, parse_layers
from .walker import Node, find, leaves, walk, with_leaves

__all__ = [
    "LayerSyntaxError",
    "NestedNames",
    "Node",
    "check_names",
    "find",
    "format_layers",
    "leaves",
    "parse_layers",
    "register_layer",
    "resolve_layers",
    "walk",
    "with_leaves",
]
