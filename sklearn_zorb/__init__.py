"""Layered models trained in closed form, without backpropagation, for scikit-learn."""

from ._version import __version__ as __version__
from .auto import auto_layers
from .estimators import NetworkClassifier, NetworkRegressor, ZORBClassifier, ZORBRegressor
from .files import load, save
from .lists import format_layers, parse_layers

__all__ = [
    "NetworkClassifier",
    "NetworkRegressor",
    "ZORBClassifier",
    "ZORBRegressor",
    "auto_layers",
    "format_layers",
    "load",
    "parse_layers",
    "save",
]
