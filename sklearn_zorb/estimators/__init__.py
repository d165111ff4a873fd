"""Estimators."""

from .network import NetworkClassifier, NetworkRegressor
from .zorb import ZORBClassifier, ZORBRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor", "ZORBClassifier", "ZORBRegressor"]
