"""Layered models trained in closed form, without backpropagation, for scikit-learn."""

from .auto import auto_layers
from .estimators import ZORBClassifier, ZORBRegressor
from .layers.text import format_layers, parse_layers

__version__ = "0.1.0"

__all__ = [
    "ZORBClassifier",
    "ZORBRegressor",
    "auto_layers",
    "format_layers",
    "parse_layers",
]
