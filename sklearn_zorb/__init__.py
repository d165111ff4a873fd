"""Layered models trained in closed form, without backpropagation, for scikit-learn."""

from .auto import auto_layers
from .estimators import NetworkClassifier, NetworkRegressor, ZORBClassifier, ZORBRegressor
from .lists import format_layers, parse_layers

__version__ = "0.1.0"

__all__ = [
    "NetworkClassifier",
    "NetworkRegressor",
    "ZORBClassifier",
    "ZORBRegressor",
    "auto_layers",
    "format_layers",
    "parse_layers",
]
