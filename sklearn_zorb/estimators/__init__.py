"""Estimators."""

from .classifier import ZORBClassifier
from .regressor import ZORBRegressor

__all__ = ["ZORBClassifier", "ZORBRegressor"]
