"""Layers that hold models fitted by other libraries."""

from .estimator import EstimatorLayer
from .trees import Trees

__all__ = ["EstimatorLayer", "Trees"]
