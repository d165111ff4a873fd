"""Estimators."""

from .network import NetworkClassifier, NetworkRegressor
from .transformer import ZORBTransformer
from .zorb import ZORBClassifier, ZORBRegressor

__all__ = [
    "NetworkClassifier",
    "NetworkRegressor",
    "ZORBClassifier",
    "ZORBRegressor",
    "ZORBTransformer",
]
