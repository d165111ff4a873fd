"""Layered models trained in closed form, without backpropagation, for scikit-learn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .auto import auto_layers
    from .estimators import (
        NetworkClassifier,
        NetworkRegressor,
        ZORBClassifier,
        ZORBRegressor,
        ZORBTransformer,
    )
    from .files import TRUSTED_TYPES, load, save
    from .lists import format_layers, parse_layers, register_layer

__all__ = [
    "TRUSTED_TYPES",
    "NetworkClassifier",
    "NetworkRegressor",
    "ZORBClassifier",
    "ZORBRegressor",
    "ZORBTransformer",
    "auto_layers",
    "format_layers",
    "load",
    "parse_layers",
    "register_layer",
    "save",
]

_HOMES = {
    "TRUSTED_TYPES": "files",
    "auto_layers": "auto",
    "format_layers": "layers",
    "load": "files",
    "parse_layers": "layers",
    "register_layer": "layers",
    "save": "files",
}
_FOLDERS = ("automl", "datasets", "inspection", "layers", "linalg", "onnx", "testing", "trainers")


def __getattr__(name: str) -> Any:
    """Import what is public when it is first used: ``zorb --help`` should not wait for it."""
    if name in _FOLDERS:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'estimators')}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__, *_FOLDERS]
