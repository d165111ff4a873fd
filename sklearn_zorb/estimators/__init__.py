"""Estimators."""

from .classifier import ZORBClassifier
from .network import NetworkClassifier, NetworkRegressor
from .regressor import ZORBRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor", "ZORBClassifier", "ZORBRegressor"]
